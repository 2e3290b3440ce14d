"""A product of three modalities is planted: a study finds that SPF needs order 3, and that order outweighs rank.

The corpus, the encoder and the budget are those of :mod:`tests.controls.control_synergy`: without the square root an
SPF of a lower order stays at chance of telling the planted pairs of classes apart.
"""

import os
from pathlib import Path
from typing import Any

import optuna

from benchmark.data.datasets import dataset
from benchmark.execution.local import Scheduler
from benchmark.experiment.presets import load_preset
from benchmark.store.store import Store
from benchmark.tracking.uris import default_uri
from benchmark.tuning.plan import Plan, Recipe
from benchmark.tuning.storage import default_url
from benchmark.tuning.tune import tune
from tests.controls.control_synergy import BUDGET, CORPUS, SYNERGY
from tests.controls.laboratory import CONSOLE, Laboratory

TRIALS, SEEDS = 40, 1


def study(store: Store) -> dict[str, Any]:
    """The file of the finished study."""
    recipe = Recipe(
        load_preset("quick"), dataset(CORPUS.format(SYNERGY[3]), None), "spf(signed_sqrt=false)", encoder="identity",
        training=BUDGET,
    )  # fmt: skip
    found = tune(
        [Plan("control/synergy-3", recipe, SEEDS)],
        TRIALS,
        store,
        default_url(store.root),
        scheduler=Scheduler(store, os.cpu_count() or 1),
        tracking_uri=default_uri(store.root),
        volatility=lambda *_: 0.0,
        console=CONSOLE,
    )
    assert found.finished
    return found.records[0]


def importance(storage: Path) -> dict[str, dict[str, float]]:
    """Of order and rank, by two measures that need not agree.

    fANOVA, which is asserted: shares of the scores' variance. PED-ANOVA, reported: what tells the better quarter of
    the trials from all others.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kept = optuna.load_study(study_name="control/synergy-3", storage=f"sqlite:///{storage}")
    measures = {
        "fANOVA": optuna.importance.FanovaImportanceEvaluator(seed=0),
        "PED-ANOVA": optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25),
    }
    return {name: optuna.importance.get_param_importances(kept, evaluator=m) for name, m in measures.items()}


def test_a_study_finds_the_planted_order_and_that_it_matters_more_than_rank(laboratory: Laboratory) -> None:
    found = study(laboratory.store)
    weight = importance(laboratory.store.root / "optuna.db")
    best = dict.fromkeys(range(1, 7), (0.0, 0))
    for trial in found["trials"]:
        order = trial["params"]["order"]
        best[order] = max(best[order], (trial["values"][0], trial["params"]["rank"]))
    counts = [trial["params"]["order"] for trial in found["trials"]]
    laboratory.record(
        "tuning",
        "Tuning with a planted product of three modalities",
        [
            {"order": order, "trials": counts.count(order), "best validation F1": score, "its rank": rank}
            for order, (score, rank) in best.items()
        ],
        f"SPF without the square root, encoder identity, {TRIALS} trials of TPE, {SEEDS} seed. Importance: "
        + "; ".join(f"{name}: order {of['order']:.2f}, rank {of['rank']:.2f}" for name, of in weight.items()),
    )
    assert len(found["trials"]) == TRIALS
    assert found["trials"][found["best"]]["params"]["order"] >= 3
    assert weight["fANOVA"]["order"] > weight["fANOVA"]["rank"]
