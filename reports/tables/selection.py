"""The table of selection: what choosing the epoch, or the seed, on test scores would have added, and to whom."""

from typing import Any

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence
from reports.inference.contrasts import reference
from reports.statistics import (
    PairedComparison,
    Summary,
    align,
    best_of_seeds,
    paired_comparison,
    rank_methods,
    rankings,
    summarize,
)
from reports.tables.listings import Listing, Sheet
from reports.text import MISSING, number

NOTE = (
    "Weighted F1 on the test set, in %, differences in points; mean and 95 % CI over seeds. Gap: the best test epoch "
    "minus the one chosen on validation, at least 0 by construction, so only its difference between methods is tested. "
    "Optimism: the part of it that chance explains, F1 on one half of the test conversations at that half's best epoch "
    "minus F1 on the other half at that epoch, over both halves of 200 halvings. A half deceives more than the whole "
    "test set, so optimism is overstated and regret, the rest, which a better choice could gain, understated."
)
RULES = {
    "selected": "mean at the epoch chosen on validation (the result)",
    "peak": "mean at the best test epoch",
    "best seed": "best test epoch of the best seed",
}
MEASURES = ("selected_weighted_f1", "peak_test_weighted_f1", "gap", "optimism", "regret")


def selection(evidence: Evidence) -> Sheet:
    """A row a method; rankings under three rules, over the seeds that all methods have."""
    comparison = evidence.comparison
    labels = [method.label for method in comparison.methods]
    first = reference(comparison).label
    summaries = {label: {m: summarize(_values(evidence, label, m)) for m in MEASURES} for label in labels}
    gaps = {label: _gap_difference(evidence, first, label) for label in labels if label != first}
    frame = pd.DataFrame(
        [
            {"dataset": comparison.dataset, "data": comparison.data_origin.kind, "method": label}
            | _row(evidence, label, summaries[label], gaps.get(label))
            for label in labels
        ]
    )
    header = ("method", "n", "selected", "peak test", "gap", "optimism", "regret", f"gap of {first} minus gap", "p")
    listings = [Listing("", header, tuple(_cells(label, summaries[label], gaps.get(label)) for label in labels))]
    sentences = _boasts(evidence, labels)
    if comparison.imported:
        who = ", ".join(method.label for method in comparison.imported)
        sentences.append(f"Not available of {who}: only final predictions were imported, and not those of every epoch.")
    selected, peak = (
        align(*(evidence.values(label, m) for label in labels))
        for m in ("selected_weighted_f1", "peak_test_weighted_f1")
    )
    if len(labels) > 1 and selected.seeds and selected.seeds == peak.seeds:
        orders = rankings(selected.values, peak.values)
        ranks = rank_methods(selected.values)
        frame = frame.assign(
            rank=[r.rank for r in ranks],
            rank_low=[r.interval.low for r in ranks],
            rank_high=[r.interval.high for r in ranks],
            probability_best=[r.best for r in ranks],
            **{
                f"rank_{order.rule.replace(' ', '_')}": [order.order.index(i) + 1 for i in range(len(labels))]
                for order in orders
            },
            **{f"order_changed_{o.rule.replace(' ', '_')}": o.changed for o in orders},
            **{f"winner_changed_{o.rule.replace(' ', '_')}": o.winner_changed for o in orders},
        )
        listings += [
            Listing(
                f"Rankings under three rules, {len(selected.seeds)} common seeds",
                ("rule", "order, best first", "chance of another order", "of another winner"),
                tuple(
                    (
                        RULES[o.rule],
                        ", ".join(f"{labels[i]} {number(100 * o.scores[i], 1)}" for i in o.order),
                        *(
                            (MISSING, MISSING)
                            if o.rule == "selected"
                            else (_share(o.changed), _share(o.winner_changed))
                        ),
                    )
                    for o in orders
                ),
                frozenset({"rule", "order, best first"}),
            ),
            Listing(
                "Ranks by the result, with their uncertainty over seeds",
                ("method", "rank", "95 % interval", "chance to be best"),
                tuple(
                    (
                        label,
                        f"{rank.rank:g}",
                        f"[{rank.interval.low:g}, {rank.interval.high:g}]",
                        _share(rank.best),
                    )
                    for label, rank in sorted(zip(labels, ranks, strict=True), key=lambda pair: pair[1].rank)
                ),
            ),
        ]
    return Sheet(
        "selection",
        "Selection of epochs and seeds",
        NOTE,
        comparison.data_origin.short,
        comparison.dataset,
        tuple(sentences),
        tuple(listings),
        frame,
    )


def _values(evidence: Evidence, label: str, measure: str) -> np.ndarray:
    return evidence.values(label, measure).to_numpy(dtype=float)


def _gap_difference(evidence: Evidence, first: str, label: str) -> PairedComparison:
    return paired_comparison(100 * evidence.values(first, "gap"), 100 * evidence.values(label, "gap"))


def _row(evidence: Evidence, label: str, summaries: dict[str, Summary], gap: PairedComparison | None) -> dict[str, Any]:
    """Scores as fractions, as in the table of accuracy; the difference of gaps in points."""
    row: dict[str, Any] = {"n": summaries["gap"].n}
    for measure, summary in summaries.items():
        row |= {f"{measure}_{part}": getattr(summary, part) for part in ("mean", "sd", "low", "high")}
    if gap is not None:
        row |= {"gap_difference": gap.mean, "gap_difference_low": gap.interval.low}
        row |= {"gap_difference_high": gap.interval.high, "gap_difference_p": gap.p}
    if (boast := _boast(evidence, label)) is not None:
        row |= {"best_seed": boast.seed, "claimed": boast.claimed, "excess": boast.excess}
    return row


def _boast(evidence: Evidence, label: str) -> Any:
    both = align(evidence.values(label, "selected_weighted_f1"), evidence.values(label, "peak_test_weighted_f1"))
    return best_of_seeds(both.seeds, *both.values) if both.seeds else None


def _boasts(evidence: Evidence, labels: list[str]) -> list[str]:
    """What the common practice would have claimed, for every method."""
    found = [(label, boast) for label in labels if (boast := _boast(evidence, label)) is not None]
    if not found:
        return []
    claims = ", ".join(
        f"{label} {number(100 * b.claimed, 1)} (seed {b.seed}) instead of {number(100 * b.mean_selected, 1)}"
        for label, b in found
    )
    return [f"Had you reported the best test epoch of the best seed, you would have claimed: {claims}."]


def _cells(label: str, summaries: dict[str, Summary], gap: PairedComparison | None) -> tuple[str, ...]:
    difference, p = MISSING, MISSING
    if gap is not None and gap.n:
        difference, p = number(gap.mean, 2), number(gap.p, 3, tiny=True)
        if gap.n > 1:
            difference += f" [{number(gap.interval.low, 2)}, {number(gap.interval.high, 2)}]"
    return (label, str(summaries["gap"].n), *(_summary(summaries[m]) for m in MEASURES), difference, p)


def _summary(summary: Summary) -> str:
    mean = number(100 * summary.mean, 1)
    if summary.n < 2:
        return mean
    return f"{mean} [{number(100 * summary.low, 1)}, {number(100 * summary.high, 1)}]"


def _share(value: float) -> str:
    return f"{number(100 * value, 0)} %"
