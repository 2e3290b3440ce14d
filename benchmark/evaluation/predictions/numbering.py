"""Whether predicted classes look as if they were numbered in another order than the data set's."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import f1_score


def warning(
    predicted: npt.NDArray[np.uint8], label: npt.NDArray[np.int64], names: Sequence[str], method: str
) -> str | None:
    """A sentence where predictions [N] score below the majority class; with the order of classes that would fit best.

    The order is the assignment of classes with the most right predictions (the Hungarian method). It is named only
    where it brings them above the majority class: bad predictions stay bad in any order.
    """
    majority = np.full_like(label, np.bincount(label).argmax())
    score, least = weighted_f1(label, predicted), weighted_f1(label, majority)
    if score >= least:
        return None
    commonest = f"{names[int(majority[0])]} ({100 * least:.2f})"
    text = f"{method}: weighted F1 {100 * score:.2f} is below that of always saying {commonest}"
    right = np.zeros((len(names), len(names)), np.int64)
    np.add.at(right, (predicted, label), 1)
    order = linear_sum_assignment(-right)[1]
    if (best := weighted_f1(label, order[predicted])) <= least:
        return f"{text}: check which class each number means (here: {', '.join(names)})"
    fits = ", ".join(names[c] for c in order.tolist())
    return (
        f"{text}: its classes seem to be numbered otherwise. In the order {fits} it would be {100 * best:.2f}; if that "
        "is its order, write names in place of numbers and import it with --replace"
    )


def weighted_f1(label: npt.NDArray[np.int64], predicted: npt.NDArray[np.generic]) -> float:
    """Weighted F1 of predictions [N], a fraction."""
    return float(f1_score(label, predicted, average="weighted", zero_division=0))
