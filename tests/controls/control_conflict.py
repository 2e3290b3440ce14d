"""Audio or visual shows another class than the label's: what these modalities can tell falls as computed."""

import itertools
from typing import Any

import numpy as np
from scipy import integrate
from scipy.stats import norm

from benchmark.data.datasets import dataset
from benchmark.data.simulation.ceilings import ceilings
from benchmark.data.views import MODALITIES
from benchmark.training.gradients import PAIRS
from tests.controls.inference import over_conversations, over_runs
from tests.controls.laboratory import Laboratory

RATES = (0.0, 0.3, 0.6, 0.9)
# Equally likely classes with equally distant means, and no context: the ceilings have a closed form.
SYMMETRIC = (
    "meld-sim-hard(class_counts=1+1+1+1+1+1+1,conflict_rate={},contagion=0,inertia=0,pair_gap=1,signal=2+1.5+1.5,"
    "speaker_shift=0,widths=16+16+16)"
)
ORDINARY = "meld-sim-hard(conflict_rate={})"
SEEDS = range(5)
UTTERANCES = 1 << 16
UNIMODAL = {
    "hidden": 32, "heads": 4, "dropout": 0.0, "epochs": 15, "batch_size": 32, "lr": 3e-3, "weight_decay": 0.0,
    "probe_every": 10_000,
}  # fmt: skip
PROBED = {"epochs": 8, "hidden": 32, "probe_every": 25}


def closed_form(signal: float, share: float, classes: int = 7) -> float:
    """Bayes accuracy of one modality that shows another class, any alike, in a ``share`` of the utterances.

    The shown class is told right with A = ∫ φ(z) Φ(z + signal)^(C − 1) dz, and a wrong one hits the label by chance.
    """
    right, _ = integrate.quad(lambda z: norm.pdf(z) * norm.cdf(z + signal) ** (classes - 1), -10, 10)
    return (1 - share) * right + share * (1 - right) / (classes - 1)


def test_unimodal_ceilings_fall_as_computed(laboratory: Laboratory) -> None:
    corpora = [SYMMETRIC.format(rate) for rate in RATES]
    classifiers = {
        m: laboratory.run(corpora, ["concat"], [0], encoder="identity", modalities=[m], training=UNIMODAL)
        for m in MODALITIES
    }
    table: list[dict[str, Any]] = []
    for i, rate in enumerate(RATES):
        data = dataset(corpora[i], None)
        test = data.load().where("test")
        conversation = np.repeat(np.arange(len(test)), test.lengths)
        for ceiling in ceilings(data.simulated, 0, UTTERANCES):
            if len(ceiling.modalities) > 1 or ceiling.context:
                continue
            (m,) = ceiling.modalities
            signal = data.simulated.signal[MODALITIES.index(m)]  # type: ignore[arg-type]
            expected = closed_form(signal, 0.0 if m == "text" else rate / 2)
            hits = classifiers[m][i].probabilities().argmax(1) == test.label
            reached, se = over_conversations(hits.astype(float), conversation)
            table.append(
                {
                    "conflict_rate": rate,
                    "modality": m,
                    "closed form": expected,
                    "ceiling": ceiling.accuracy,
                    "its SE": ceiling.accuracy_se,
                    "on this test split": ceiling.test_accuracy,
                    "classifier": reached,
                    "SE": se,
                }
            )
    laboratory.record(
        "conflict-ceilings",
        "Conflict: unimodal ceilings",
        table,
        "Accuracy. Closed form: integral over one Gaussian. Ceiling: Bayes rule by the simulator's exact posterior, on "
        "fresh utterances and on this test split. Classifier: concat of that modality alone, encoder identity, a seed.",
    )
    for row in table:
        assert abs(row["ceiling"] - row["closed form"]) <= 4 * row["its SE"], row
        assert row["classifier"] <= row["on this test split"] + 3 * row["SE"], row
    for m in ("audio", "visual"):
        by_rate = [row for row in table if row["modality"] == m]
        for before, after in itertools.pairwise(by_rate):
            assert before["ceiling"] - after["ceiling"] > 4 * np.hypot(before["its SE"], after["its SE"])
            assert after["classifier"] < before["classifier"]


def test_the_rate_of_gradient_conflict_is_measured(laboratory: Laboratory) -> None:
    """Reported, not asserted: what conflict of modalities does to conflict of gradients is an open question."""
    table = []
    for rate in RATES:
        runs = laboratory.run([ORDINARY.format(rate)], ["adam"], SEEDS, training=PROBED)
        for pair in PAIRS:
            shares = over_runs([float((run.conflict()[f"cos_{pair}"] < 0).mean()) for run in runs])
            cosine = over_runs([float(run.conflict()[f"cos_{pair}"].mean()) for run in runs])
            table.append(
                {
                    "conflict_rate": rate,
                    "gradients": pair.replace("_", ", "),
                    "P(cos < 0)": shares.mean,
                    "95 % from": shares.low,
                    "to": shares.high,
                    "mean cos": cosine.mean,
                    "95 %, from": cosine.low,
                    "to ": cosine.high,
                }
            )
    laboratory.record(
        "conflict-gradients",
        "Conflict: how often gradients conflict",
        table,
        f"Share of {len(runs[0].conflict())} probes a run; mean and Student's interval over {len(SEEDS)} runs; "
        "corpus meld-sim-hard but for the rate, method adam, full encoder. "
        "Bounds are those of the formula and may leave [0, 1].",
    )
