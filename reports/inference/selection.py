"""What choosing the epoch, or the seed, on test scores would have added: gaps, best seeds, rankings and ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary
from reports.inference.contrasts import reference
from reports.statistics import (
    PairedComparison,
    Summary,
    align,
    best_of_seeds,
    paired_comparison,
    rank_methods,
    rankings,
)
from reports.statistics.ranks import Rank
from reports.statistics.selection import BestOfSeeds, Ranking

SELECTED, PEAK = "selected_weighted_f1", "peak_test_weighted_f1"
MEASURES = (SELECTED, PEAK, "gap", "optimism", "regret")


@dataclass(frozen=True, eq=False)
class MethodSelection:
    """What selection did for one method; scores are fractions.

    Attributes:
        label: the method.
        summaries: of every one of :data:`MEASURES` over seeds.
        gap_difference: the reference's gap minus this one's, in points, paired by seed, or by session where seeds
            share one; None of the reference itself.
        best_seed: what the best test epoch of the best seed would have claimed; None without a seed with both scores.
    """

    label: str
    summaries: Mapping[str, Summary]
    gap_difference: PairedComparison | None
    best_seed: BestOfSeeds | None


@dataclass(frozen=True, eq=False)
class SelectionEffects:
    """What selection did on one data set.

    Attributes:
        reference: the method whose gap the others' are compared with.
        methods: in the order of the comparison.
        seeds: those that all methods have; `orders` and `ranks` are over them.
        orders: rankings of the methods under three rules. ranks: by the result, a value a method. Both are empty where
            there is one method, or no common seed.
    """

    reference: str
    methods: tuple[MethodSelection, ...]
    seeds: tuple[int, ...]
    orders: tuple[Ranking, ...]
    ranks: tuple[Rank, ...]


@lru_cache(maxsize=4)  # two tables ask
def selection_effects(evidence: Evidence) -> SelectionEffects:
    """Compare every method's gap with the reference's, and rank the methods over the seeds that all of them have."""
    labels = [method.label for method in evidence.comparison.methods]
    first = reference(evidence.comparison).label
    methods = tuple(
        MethodSelection(
            label,
            {measure: summary(evidence, label, measure) for measure in MEASURES},
            None if label == first else _gap_difference(evidence, first, label),
            _best_seed(evidence, label),
        )
        for label in labels
    )
    selected, peak = (align(*_scores(evidence, labels, measure)) for measure in (SELECTED, PEAK))
    if len(labels) < 2 or not selected.seeds or selected.seeds != peak.seeds:
        return SelectionEffects(first, methods, (), (), ())
    orders = rankings(selected.values, peak.values)
    return SelectionEffects(first, methods, selected.seeds, orders, rank_methods(selected.values))


def _scores(evidence: Evidence, labels: Sequence[str], measure: str) -> list[pd.Series]:
    return [evidence.values(label, measure) for label in labels]


def _gap_difference(evidence: Evidence, first: str, label: str) -> PairedComparison:
    gaps = (100 * evidence.values(method, "gap") for method in (first, label))
    return paired_comparison(*gaps, sessions=evidence.comparison.sessions)


def _best_seed(evidence: Evidence, label: str) -> BestOfSeeds | None:
    both = align(evidence.values(label, SELECTED), evidence.values(label, PEAK))
    return best_of_seeds(both.seeds, *both.values) if both.seeds else None
