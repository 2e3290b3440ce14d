"""What seeds that hold out the same session have in common, in words."""

from collections.abc import Sequence

import numpy as np

from reports.evidence.comparisons import Comparison
from reports.inference.contrast import Contrast
from reports.statistics import intraclass_correlation
from reports.text import number


def session_words(comparison: Comparison, contrasts: Sequence[Contrast]) -> list[str]:
    """How sessions are weighed, the intra-session correlation of every difference, and whether seeds fill them up."""
    sessions = comparison.sessions
    tested = [(c.label, c.comparison) for c in contrasts if c.comparison is not None and c.comparison.n]
    if not sessions or not tested:
        return []
    correlations = [
        (label, intraclass_correlation(paired.differences, np.array(paired.groups))) for label, paired in tested
    ]
    known = ", ".join(f"{label} {number(value, 2)}" for label, value in correlations if np.isfinite(value))
    words = [
        f"Seeds that are equal modulo {sessions} hold out the same session, so they are not independent: every "
        "session weighs the same, in the means of single methods too, and all intervals and p come from t of the "
        f"session means, {sessions - 1} degrees of freedom (Ibragimov & Müller 2010), which is as wide as the sessions "
        "differ; a bootstrap draws sessions. "
        + (f"Correlation within a session: {known}." if known else "No session has two seeds.")
    ]
    uneven = [label for label, paired in tested if paired.n % sessions]
    if uneven:
        words.append(
            f"A multiple of {sessions} seeds, with as many of each session, would use them best: "
            f"not so in {', '.join(uneven)}."
        )
    return words
