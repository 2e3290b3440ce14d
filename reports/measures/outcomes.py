"""What a run said of every test conversation: counts at the selected epoch, and the optimism of choosing epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, UInt16

from reports.measures.calibration import reliability
from reports.reading.documents import damaged
from reports.reading.runs import Run
from reports.statistics import confusions, selection_gap
from reports.statistics.counts import margins, weighted_f1

COLUMNS = ["conversation", "predicted", "label"]
NO_EPOCHS = np.zeros(0, dtype=bool)


def has_epochs(run: Run) -> bool:
    """Whether there is a prediction of every epoch; of imported runs those have it that came whole."""
    return run.protocol != "imported" or "epochs" in run.spec["imported"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Test counts (conversations in the order of the data set; rows label, columns predicted) and the run's optimism.

    `optimism` is a fraction of weighted F1 (`reports.statistics.selection`), `f1_by_epoch` the weighted F1 after every
    epoch, of pooled folds and of a run that was imported with one epoch none. `reliability` is of the probabilities
    (`reports.measures.calibration`), all zero where there are none.
    """

    counts: UInt16[np.ndarray, "conversations C C"]
    optimism: float
    f1_by_epoch: Float[np.ndarray, " epochs"]
    reliability: Float[np.ndarray, "bins 3"]


@dataclass(frozen=True, eq=False)
class FoldOutcome:
    """What a fold adds to the pooled scores of its seed.

    `confusions`: counts [C, C] on its test set at the epoch that it `selected`, at its `last`, and at the one that is
    best on its test set, `peak_test`. `reliability`: as in :class:`Outcome`.
    """

    confusions: Mapping[str, Int[np.ndarray, "C C"]]
    reliability: Float[np.ndarray, "bins 3"]


def fold_outcome(run: Run, classes: int) -> FoldOutcome:
    """Read both files of predictions. Raises ReportError where they are damaged."""
    probabilities = [f"probability_{c}" for c in range(classes)]
    epochs = {where: int(run.number(where, "epoch")) for where in ("selected", "last", "peak_test")}
    selected = run.frame("predictions", COLUMNS, newer=probabilities)
    by_epoch = run.frame("test_predictions", [f"epoch_{epoch}" for epoch in dict.fromkeys(epochs.values())])
    label = selected["label"].to_numpy(dtype=np.int64)
    predicted = by_epoch.to_numpy(dtype=np.int64).T
    if (
        predicted.shape[1:] != label.shape
        or not 0 <= min(label.min(), predicted.min()) <= max(label.max(), predicted.max()) < classes
    ):
        raise damaged(run.folder / "predictions.parquet", f"its classes are not those of {classes}, an utterance each")
    one = np.zeros(len(label), dtype=np.int64)
    counts = dict(zip(by_epoch, confusions(label, predicted, one, classes)[:, 0], strict=True))
    return FoldOutcome(
        {where: counts[f"epoch_{epoch}"] for where, epoch in epochs.items()},
        reliability(_stacked(selected, probabilities), label),
    )


def _stacked(frame: pd.DataFrame, names: Sequence[str]) -> Float[np.ndarray, "rows columns"]:
    """Some of the columns side by side; pandas takes three times as long for a list of names."""
    return np.stack([frame[name].to_numpy(dtype=float) for name in names], axis=1)


def outcome(run: Run, usable: Bool[np.ndarray, " epochs"] = NO_EPOCHS) -> Outcome:
    """Read both files of predictions. Raises ReportError where they are damaged or do not fit each other.

    usable: whether the logits of an epoch are finite; no choice falls on one whose are not. Empty for a
    run that was imported with one epoch: it has predictions of no other, and no optimism.
    """
    epochs = len(usable)
    classes = len(run.manifest["data"]["classes"])
    probabilities = [f"probability_{c}" for c in range(classes)]
    selected = run.frame("predictions", COLUMNS, newer=probabilities)
    names = selected["conversation"].to_numpy()
    # numbered as they come: every run of a data set has them in the same order
    conversation = np.cumsum(np.concatenate([[0], names[1:] != names[:-1]]))
    label = selected["label"].to_numpy(dtype=np.int64)
    predicted = selected["predicted"].to_numpy(dtype=np.int64)[None]
    if epochs:
        by_epoch = run.frame("test_predictions", [f"epoch_{epoch}" for epoch in range(1, epochs + 1)])
        predicted = np.vstack([predicted, by_epoch.to_numpy(dtype=np.int64).T])
    if not 0 <= min(label.min(), predicted.min()) <= max(label.max(), predicted.max()) < classes:
        raise damaged(run.folder / "predictions.parquet", f"a class is not in 0 … {classes - 1}")
    epoch = int(run.number("selected", "epoch")) if epochs else 0
    if (epochs and not 1 <= epoch <= epochs) or (predicted[epoch] != predicted[0]).any():
        raise damaged(run.folder / "test_predictions.parquet", f"epoch {epoch} is not what predictions.parquet holds")
    counts = confusions(label, predicted, conversation, classes)
    if counts.max() > np.iinfo(np.uint16).max:
        raise damaged(run.folder / "predictions.parquet", "a conversation is too long to be one")
    optimism = selection_gap(counts[1:], epoch, usable=usable).optimism if epochs else float("nan")
    return Outcome(
        counts[0].astype(np.uint16),
        optimism,
        weighted_f1(margins(counts[1:]).sum(axis=1)),
        reliability(_stacked(selected, probabilities), label),
    )
