"""The only holder of test labels: predictions of a finished run to scores."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from benchmark.data.conversations import Conversations

ECE_BINS = 15


class Scorer:
    """Scores predictions on the test conversations of a data set."""

    def __init__(self, conversations: Conversations) -> None:
        test = conversations.where("test")
        assert test.label is not None, "the scorer is given the data set with its labels"
        self.label = test.label
        self.classes = len(test.class_names)
        self.present = np.unique(test.label)
        """Classes with a test utterance: what macro F1 is a mean over. The F1 of another class is not defined."""

    def score(
        self,
        selected: tuple[int, float] | None,
        test_predictions: npt.NDArray[np.uint8],
        probabilities: npt.NDArray[np.float32],
        finite: npt.NDArray[np.bool_] | None = None,
    ) -> dict[str, Any]:
        """Scores at the selected epoch, at the last one, and at the one a choice on test would have taken.

        Args:
            selected: the epoch that was chosen on validation data, from 1, and its weighted F1 there. None: none was.
            test_predictions: predicted class by epoch [E, N].
            probabilities: of the classes at the selected epoch [N, C]; where none is, at the last.
            finite: whether the logits of an epoch are [E]; no choice falls on one whose are not. None: all are.

        Returns:
            ``selected``, ``last``, ``peak_test`` and ``validation`` as in docs/run-format.md.
        """
        by_epoch = [{"epoch": epoch} | self._headline(row) for epoch, row in enumerate(test_predictions, start=1)]
        usable = [scores for scores in by_epoch if finite is None or finite[scores["epoch"] - 1]]
        peak = max(usable, key=lambda scores: scores["weighted_f1"])
        kept = -1 if selected is None else selected[0] - 1
        detailed = by_epoch[kept] | self._details(test_predictions[kept], probabilities.astype(np.float64))
        if selected is None:
            return {"selected": None, "last": detailed, "peak_test": peak, "validation": None}
        return {
            "selected": detailed,
            "last": by_epoch[-1],
            "peak_test": peak,
            "validation": {"epoch": selected[0], "weighted_f1": selected[1]},
        }

    def scores(self, probabilities: npt.NDArray[np.float32]) -> dict[str, Any]:
        """Scores of one model's class probabilities [N, C], named as those of ``selected`` but for the epoch."""
        predicted = probabilities.argmax(axis=1).astype(np.uint8)
        return self.scores_of(predicted, probabilities)

    def scores_of(
        self, predicted: npt.NDArray[np.uint8], probabilities: npt.NDArray[np.float32] | None
    ) -> dict[str, Any]:
        """Scores of predicted classes [N], named alike; without probabilities what needs them is None."""
        return self._headline(predicted) | self._details(
            predicted, None if probabilities is None else probabilities.astype(np.float64)
        )

    def _headline(self, predicted: npt.NDArray[np.uint8]) -> dict[str, Any]:
        return {
            "accuracy": float(accuracy_score(self.label, predicted)),
            "weighted_f1": float(f1_score(self.label, predicted, average="weighted", zero_division=0)),
            "macro_f1": float(f1_score(self.label, predicted, labels=self.present, average="macro", zero_division=0)),
        }

    def _details(
        self, predicted: npt.NDArray[np.uint8], probabilities: npt.NDArray[np.float64] | None
    ) -> dict[str, Any]:
        labels = np.arange(self.classes)
        f1 = f1_score(self.label, predicted, labels=labels, average=None, zero_division=0)
        of_classes = {
            "per_class_f1": [float(f1[c]) if c in self.present else None for c in labels],
            "confusion": confusion_matrix(self.label, predicted, labels=labels).tolist(),
        }
        if probabilities is None:
            return of_classes | dict.fromkeys(("nll", "ece", "brier"))
        truth = np.eye(self.classes)[self.label]
        chosen = probabilities[np.arange(len(self.label)), self.label]
        return of_classes | {
            "nll": _finite(-np.log(np.maximum(chosen, np.finfo(np.float32).tiny)).mean()),
            "ece": _finite(expected_calibration_error(probabilities, self.label)),
            "brier": _finite(np.square(probabilities - truth).sum(axis=1).mean()),
        }


def expected_calibration_error(
    probabilities: npt.NDArray[np.float64], label: npt.NDArray[np.int64], bins: int = ECE_BINS
) -> float:
    """Mean |accuracy − confidence| over equal-width bins of confidence, weighted by size (Guo et al. 2017, eq. 5)."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == label
    if not np.isfinite(confidence).all():
        return float("nan")
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(which, weights=correct - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(label))


def _finite(value: float) -> float | None:
    """JSON has no NaN: what could not be computed is null."""
    return float(value) if np.isfinite(value) else None
