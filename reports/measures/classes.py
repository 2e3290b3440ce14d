"""Scores by class from counts."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from reports.statistics.counts import margins


@dataclass(frozen=True, eq=False)
class ClassScores:
    """F1, precision and recall of every class in %, its test utterances, and how often it was predicted.

    F1 is 0 for a class that is never found; precision is NaN for one never predicted, recall and F1 for one that no
    test utterance has.
    """

    f1: Float[np.ndarray, "... C"]
    precision: Float[np.ndarray, "... C"]
    recall: Float[np.ndarray, "... C"]
    utterances: Float[np.ndarray, "... C"]
    predicted: Float[np.ndarray, "... C"]


def class_scores(counts: Shaped[np.ndarray, "... C C"]) -> ClassScores:
    """Scores of confusion counts, whose rows are labels and columns predictions."""
    hits, labels, predictions = np.moveaxis(margins(counts), -2, 0)
    known = np.where(labels > 0, 1.0, np.nan)
    return ClassScores(
        f1=100 * 2 * hits / np.maximum(labels + predictions, 1) * known,
        precision=100 * hits / np.where(predictions > 0, predictions, np.nan),
        recall=100 * hits * known / np.maximum(labels, 1),
        utterances=labels,
        predicted=predictions,
    )
