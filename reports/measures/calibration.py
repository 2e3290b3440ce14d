"""How far a run's probabilities can be believed: confidence against accuracy, and scores of the probabilities."""

import numpy as np
from jaxtyping import Float, Int

from reports.reading.runs import Run

BINS = 15
"""Bins are of equal width from 0 to 1, as in the scorer's expected calibration error (Guo et al., ICML 2017)."""
SCORES = ("nll", "ece", "brier")


def reliability(
    probabilities: Float[np.ndarray, "utterances C"], label: Int[np.ndarray, " utterances"]
) -> Float[np.ndarray, "bins 3"]:
    """Count, by the confidence of the most probable class, utterances and how many it is right of, and sum confidence.

    All of them are zero where a probability is not finite.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == label
    if not np.isfinite(confidence).all():
        return np.zeros((BINS, 3))
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    columns = (np.ones(len(label)), right, confidence)
    return np.stack([np.bincount(which, weights=column, minlength=BINS) for column in columns], axis=1)


def expected_error(bins: Float[np.ndarray, "bins 3"]) -> float:
    """Expected calibration error, a fraction: mean |accuracy - confidence| over bins; NaN without any utterance."""
    utterances, right, confidence = bins.T
    return float(np.abs(right - confidence).sum() / utterances.sum()) if utterances.sum() else float("nan")


def calibration(run: Run, where: str) -> dict[str, float]:
    """Negative log likelihood (nats), expected calibration error (a fraction) and Brier score of the probabilities.

    where: `selected` or `imported`. NaN where the run's record lacks them.
    """
    scores = run.result.get(where) or {}
    return {score: run.number(where, score) if score in scores else float("nan") for score in SCORES}
