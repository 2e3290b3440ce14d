"""What other rules for the choice of the epoch give, worked out again from the files of the runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from reports.inference.selection_rules import RULES, RuleEffect, rule_effects
from reports.reading.runs import read_store
from reports.tables.methods import methods
from reports.tables.selection_rules import selection_rules
from tests.reports.inference.preregistrations import evidence_of
from tests.reports.synthetic_imports import write_import
from tests.reports.synthetic_runs import write_run

SEEDS = range(5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rules")
    for method in ("css", "adam"):
        for seed in SEEDS:
            write_run(root, "meld", method, seed, epochs=9, steps_per_epoch=2)
    write_import(root, [60.0, 61.0])
    return root


@pytest.fixture(scope="module")
def effects(store: Path) -> list[RuleEffect]:
    (evidence,) = evidence_of(store)
    return rule_effects(evidence)


def scores_of(store: Path, method: str) -> dict[str, list[float]]:
    """Test weighted F1 by rule, in the order of seeds, from the files alone."""
    runs = sorted((r for r in read_store(store).runs if r.label == method), key=lambda run: run.seed)
    epochs = [run.result["selected"]["epoch"] for run in runs]
    scores: dict[str, list[float]] = {rule: [] for rule in RULES}
    for i, run in enumerate(runs):
        validation = pd.read_parquet(run.folder / "history.parquet")["validation_weighted_f1"]
        predicted = pd.read_parquet(run.folder / "test_predictions.parquet")
        label = pd.read_parquet(run.folder / "predictions.parquet")["label"]
        chosen = {
            "validation": epochs[i],
            "smoothed": int(validation.rolling(5, center=True, min_periods=1).median().idxmax()) + 1,
            "last": 9,
            "fixed": round(np.mean(epochs[:i] + epochs[i + 1 :])),
        }
        for rule, epoch in chosen.items():
            scores[rule].append(f1_score(label, predicted[f"epoch_{epoch}"], average="weighted", zero_division=0))
    return scores


@pytest.mark.parametrize("method", ["css", "adam"])
def test_scores_gaps_and_differences_are_those_of_the_files(
    store: Path, effects: list[RuleEffect], method: str
) -> None:
    expected = scores_of(store, method)
    by_rule = {effect.rule: effect for effect in effects if effect.method == method}
    assert list(by_rule) == list(RULES)
    peaks = [r.result["peak_test"]["weighted_f1"] for r in read_store(store).runs if r.label == method]
    for rule, effect in by_rule.items():
        assert (effect.score.n, effect.score.mean) == (5, pytest.approx(np.mean(expected[rule])))
        assert effect.score.sd == pytest.approx(np.std(expected[rule], ddof=1))
        assert effect.gap.mean == pytest.approx(np.mean(peaks) - np.mean(expected[rule]))
        if effect.difference is not None:
            d = 100 * (np.array(expected[rule]) - expected["validation"])
            assert effect.difference.mean == pytest.approx(d.mean())
            if d.std():
                oracle = stats.ttest_1samp(d, 0).confidence_interval(0.95)
                assert effect.difference.interval == pytest.approx(tuple(oracle))
    assert by_rule["validation"].difference is None


def test_the_table_has_a_row_a_method_and_rule_and_none_of_an_import(store: Path) -> None:
    (evidence,) = evidence_of(store)
    table = selection_rules(evidence)
    assert table is not None
    assert list(zip(table.frame["method"], table.frame["rule"], strict=True)) == [
        (method, rule) for method in ("css", "adam") for rule in RULES
    ]
    cells = table.listings[0].rows
    assert [row[1] for row in cells[:4]] == ["best validation score (the result)", *list(RULES.values())[1:]]
    assert cells[0][6] == "—"


def test_one_seed_has_no_other_seeds_epoch(tmp_path: Path) -> None:
    write_run(tmp_path, "meld", "css", 0, epochs=9)
    (evidence,) = evidence_of(tmp_path)
    assert [effect.rule for effect in rule_effects(evidence)] == ["validation", "smoothed", "last"]


def test_the_rule_that_decides_is_the_runs_own_and_the_others_are_compared_with_it(tmp_path: Path) -> None:
    for seed in SEEDS:
        write_run(tmp_path, "meld", "css", seed, epochs=9, steps_per_epoch=2, training={"selection": "smoothed"})
    (evidence,) = evidence_of(tmp_path)
    effects = {effect.rule: effect for effect in rule_effects(evidence)}
    assert [rule for rule, effect in effects.items() if effect.difference is None] == ["smoothed"]
    recorded = [run.result["selected"]["weighted_f1"] for run in read_store(tmp_path).runs]
    assert effects["smoothed"].score.mean == pytest.approx(np.mean(recorded))
    best = []
    for run in read_store(tmp_path).runs:
        epoch = int(pd.read_parquet(run.folder / "history.parquet")["validation_weighted_f1"].idxmax()) + 1
        predicted = pd.read_parquet(run.folder / "test_predictions.parquet")[f"epoch_{epoch}"]
        label = pd.read_parquet(run.folder / "predictions.parquet")["label"]
        best.append(f1_score(label, predicted, average="weighted", zero_division=0))
    assert effects["validation"].difference is not None
    assert effects["validation"].difference.mean == pytest.approx(100 * (np.mean(best) - np.mean(recorded)))
    table = selection_rules(evidence)
    assert table is not None
    assert [row[1] for row in table.listings[0].rows if row[1].endswith("(the result)")] == [
        "best median of 5 validation scores (the result)"
    ]
    assert methods([evidence]).sentences == (
        "On meld the epoch that counts is the epoch with the best median of 5 validation scores (--selection "
        "smoothed).",
    )


def test_the_methods_of_runs_under_the_usual_rule_say_nothing_of_it(store: Path) -> None:
    assert not [sentence for sentence in methods(evidence_of(store)).sentences if "--selection" in sentence]


def test_a_rule_that_there_is_not_damages_its_run(tmp_path: Path) -> None:
    for seed, rule in enumerate(("best", "lucky")):
        write_run(tmp_path, "meld", "css", seed, training={"selection": rule})
    (damage,) = read_store(tmp_path).damaged.values()
    assert "training.selection is 'lucky'" in damage
