"""Differences by the session that was held out: what other speakers might show, beside what other seeds do."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.evidence.comparisons import Comparison
from reports.inference.contrast import Contrast
from reports.statistics import Summary, summarize


@dataclass(frozen=True, eq=False)
class BySession:
    """The difference of two methods in points of weighted F1, by test session.

    Attributes:
        sessions: their names. differences: of each, the mean over the seeds that both methods have.
        over_sessions: their mean, and its Student interval with a degree of freedom less than there are sessions.
    """

    sessions: tuple[str, ...]
    differences: tuple[float, ...]
    over_sessions: Summary


def by_session(comparison: Comparison, contrast: Contrast) -> BySession | None:
    """The differences of a contrast by test session; None on the published split, or without common seeds."""
    if not comparison.folds or contrast.comparison is None or not contrast.comparison.n:
        return None
    sessions = comparison.runs[0].sessions
    first, second = (_scores(comparison, label, contrast.comparison.seeds) for label in (contrast.a, contrast.b))
    differences = (first - second).mean(axis=0)
    return BySession(sessions, tuple(differences.tolist()), summarize(differences))


def _scores(comparison: Comparison, label: str, seeds: Sequence[int]) -> np.ndarray:
    """Points of weighted F1 by seed and test session."""
    (method,) = (method for method in comparison.methods if method.label == label)
    runs = {run.seed: run for run in method.runs}
    return np.array([[100 * fold.number("selected", "weighted_f1") for fold in runs[seed].parts] for seed in seeds])


def fold_words(comparison: Comparison) -> list[str]:
    """What a seed is where sessions are held out in turn, and of what its intervals speak; empty elsewhere."""
    if not comparison.folds:
        return []
    count = comparison.folds
    return [
        f"A seed is one replicate: {count} runs, each tested on the session that it has not seen, whose predictions "
        "are scored together. All seeds have the same folds and share no draw, so that p and the intervals over seeds "
        f"speak of training again on these {count} sessions, and of no other speakers.",
        f"The differences by session ask about other speakers: t of {count} session means, {count - 1} degrees of "
        "freedom (Ibragimov & Müller 2010). They describe and decide nothing, for folds share training sessions, so "
        "that their differences are not independent, and no interval from one set of folds is exact (Bengio & "
        "Grandvalet 2004). Conversations of a session share speakers and a model, and are not resampled one by one.",
    ]
