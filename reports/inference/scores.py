"""Scores of methods by seed, in points, and their paired differences."""

from collections.abc import Collection

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.statistics import PairedComparison, paired_comparison

SELECTED = "selected_weighted_f1"
REFITTED = "refit_weighted_f1"


def points(evidence: Evidence, method: Method, measure: str = SELECTED) -> pd.Series:
    """A score of one method by seed, in points; of an imported one the score that it has, whatever its epoch."""
    return 100 * evidence.values(method.label, measure_of(method, measure))


def measure_of(method: Method, measure: str = SELECTED) -> str:
    """The name of a score; an imported method has its own of that kind, at whatever epoch."""
    return f"imported_{measure.partition('_')[2]}" if method.imported else measure


def paired_points(
    evidence: Evidence, a: Method, b: Method, measure: str = SELECTED, seeds: Collection[int] | None = None
) -> PairedComparison:
    """a - b by seed, of these seeds or of all; seeds that hold out the same session are a group."""
    first, second = (points(evidence, method, measure) for method in (a, b))
    if seeds is not None:
        first, second = (values[values.index.isin(list(seeds))] for values in (first, second))
    return paired_comparison(first, second, sessions=evidence.comparison.sessions_of(a, b))
