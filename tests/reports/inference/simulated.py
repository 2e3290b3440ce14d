"""Synthetic stores of simulated corpora of which it is known what was planted."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.reports.inference.preregistrations import set_f1
from tests.reports.synthetic_runs import edit, write_run

CEILING = {
    "modalities": ["text", "audio", "visual"], "context": True, "accuracy": 0.7, "accuracy_se": 0.001,
    "weighted_f1": 0.75, "weighted_f1_se": 0.002, "test_accuracy": 0.72, "test_weighted_f1": 0.715,
}  # fmt: skip
PLANTED = CEILING | {
    "weighted_f1_without_synergy": 0.68, "weighted_f1_without_synergy_se": 0.003, "weighted_f1_synergy_se": 0.0025,
}  # fmt: skip
NOTHING = CEILING | {
    "weighted_f1_without_synergy": 0.75, "weighted_f1_without_synergy_se": 0.002, "weighted_f1_synergy_se": 0.0,
}  # fmt: skip


def corpus(
    store: Path,
    scores: Mapping[str, Sequence[float]],
    ceiling: Mapping[str, object] | None = PLANTED,
    dataset: str = "meld-sim",
) -> Path:
    """Add a corpus with runs of these methods, whose selected weighted F1 is given in the order of seeds."""
    for label, values in scores.items():
        for seed in range(len(values)):
            write_run(store, dataset, label, seed, epochs=2, steps_per_epoch=3, ceiling=ceiling)
    set_f1(store, edit, {(dataset, label): values for label, values in scores.items()})
    return store
