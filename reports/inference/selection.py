"""What choosing the epoch, or the seed, on test scores would have added: gaps, best seeds, rankings and ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method, are_paired
from reports.evidence.summaries import summary
from reports.inference.contrasts import reference
from reports.statistics import (
    PairedComparison,
    Summary,
    UnpairedComparison,
    align,
    best_of_seeds,
    paired_comparison,
    rank_methods,
    rankings,
    unpaired_comparison,
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
        gap_difference: the reference's gap minus this one's, in points, paired by seed (by session where seeds share
            one) or not; None of the reference itself.
        best_seed: what the best test epoch of the best seed would have claimed; None without a seed with both scores.
    """

    label: str
    summaries: Mapping[str, Summary]
    gap_difference: PairedComparison | UnpairedComparison | None
    best_seed: BestOfSeeds | None


@dataclass(frozen=True, eq=False)
class SelectionEffects:
    """What selection did on one data set.

    Attributes:
        reference: the method whose gap the others' are compared with.
        methods: those with predictions of every epoch, in the order of the comparison.
        ranked: those of them that are paired by seed with the first; `orders` and `ranks` are of them.
        seeds: those that all ranked methods have; `orders` and `ranks` are over them.
        orders: rankings of the methods under three rules. ranks: by the result, a value a method. Both are empty where
            there is one method, or no common seed.
    """

    reference: str
    methods: tuple[MethodSelection, ...]
    ranked: tuple[str, ...]
    seeds: tuple[int, ...]
    orders: tuple[Ranking, ...]
    ranks: tuple[Rank, ...]


@lru_cache(maxsize=4)  # two tables ask
def selection_effects(evidence: Evidence) -> SelectionEffects:
    """Compare every method's gap with the reference's, and rank the methods over the seeds that all of them have."""
    members = [method for method in evidence.comparison.shown if method.by_epoch]
    if not members:
        return SelectionEffects("", (), (), (), (), ())
    whole = reference(evidence.comparison)
    first = whole if whole.by_epoch else members[0]
    methods = tuple(
        MethodSelection(
            m.label,
            {measure: summary(evidence, m.label, measure) for measure in MEASURES},
            None if m is first else _gap_difference(evidence, first, m),
            _best_seed(evidence, m.label),
        )
        for m in members
    )
    labels = [m.label for m in members if are_paired(members[0], m)]
    selected, peak = (align(*_scores(evidence, labels, measure)) for measure in (SELECTED, PEAK))
    if len(labels) < 2 or not selected.seeds or selected.seeds != peak.seeds:
        return SelectionEffects(first.label, methods, (), (), (), ())
    groups = evidence.groups(labels[0], selected.seeds)
    orders, ranks = rankings(selected.values, peak.values, groups), rank_methods(selected.values, groups)
    return SelectionEffects(first.label, methods, tuple(labels), selected.seeds, orders, ranks)


def _scores(evidence: Evidence, labels: Sequence[str], measure: str) -> list[pd.Series]:
    return [evidence.values(label, measure) for label in labels]


def _gap_difference(evidence: Evidence, first: Method, other: Method) -> PairedComparison | UnpairedComparison:
    gaps = [100 * evidence.values(method.label, "gap") for method in (first, other)]
    if are_paired(first, other):
        return paired_comparison(*gaps, sessions=evidence.comparison.sessions_of(first, other))
    return unpaired_comparison(*(gap.to_numpy(dtype=float) for gap in gaps))


def _best_seed(evidence: Evidence, label: str) -> BestOfSeeds | None:
    both = align(evidence.values(label, SELECTED), evidence.values(label, PEAK))
    if not both.seeds:
        return None
    selected, peak = both.values
    return best_of_seeds(both.seeds, selected, peak, evidence.groups(label, both.seeds))
