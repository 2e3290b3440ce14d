"""Weighted F1 from counts, for thousands of resamples of conversations at once.

Counts of conversations add up, so the F1 of any set of conversations is that of the sum. Of a confusion matrix only
three vectors matter: hits, labels and predictions per class.
"""

import functools

import numpy as np
from jaxtyping import Float, Int, Shaped


def confusions(
    label: Int[np.ndarray, " utterances"],
    predicted: Int[np.ndarray, "... utterances"],
    conversation: Int[np.ndarray, " utterances"],
    classes: int,
) -> Int[np.ndarray, "... conversations C C"]:
    """Confusion counts (rows: label, columns: predicted) per conversation.

    predicted: leading axes are runs or epochs. conversation: index of each utterance's conversation, from 0.
    """
    conversations = int(conversation.max()) + 1
    cell = (conversation * classes + label) * classes + predicted
    flat = cell.reshape(-1, cell.shape[-1])
    size = conversations * classes**2
    counts = np.array([np.bincount(row, minlength=size) for row in flat])
    return counts.reshape(*predicted.shape[:-1], conversations, classes, classes)


def margins(counts: Shaped[np.ndarray, "... C C"]) -> Float[np.ndarray, "... 3 C"]:
    """Hits, labels and predictions per class."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    return np.stack([hits, counts.sum(axis=-1), counts.sum(axis=-2)], axis=-2).astype(float)


def weighted_f1(margins: Float[np.ndarray, "... 3 C"]) -> Float[np.ndarray, "..."]:
    """F1 per class, 2 hits / (labels + predictions), weighted by labels; 0 for a class that never occurs.

    Fraction in [0, 1], as sklearn's f1_score(average="weighted", zero_division=0); 0 without any utterance.
    """
    hits, labels, predictions = margins[..., 0, :], margins[..., 1, :], margins[..., 2, :]
    f1 = 2 * hits / np.maximum(labels + predictions, 1e-300)
    return _over_classes(f1 * labels) / np.maximum(_over_classes(labels), 1e-300)


def _over_classes(values: Float[np.ndarray, "... C"]) -> Float[np.ndarray, "..."]:
    """Sums over the classes, class by class: numpy's sum along few columns takes four times as long."""
    return functools.reduce(np.add, np.moveaxis(values, -1, 0))


def pool(
    weights: Float[np.ndarray, "resamples conversations"], margins: Float[np.ndarray, "... conversations 3 C"]
) -> Float[np.ndarray, "resamples ... 3 C"]:
    """Margins of weighted sets of conversations: a matrix product over the conversations."""
    moved = np.moveaxis(margins, -3, 0)
    return (weights @ moved.reshape(len(moved), -1)).reshape(len(weights), *moved.shape[1:])
