"""The table of selection: what choosing the epoch, or the seed, on test scores would have added, and to whom."""

from typing import Any

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.inference import imported as imports
from reports.inference.selection import MEASURES, MethodSelection, SelectionEffects, selection_effects
from reports.statistics import PairedComparison, Summary
from reports.tables.model import Listing, Table, listing
from reports.text import MISSING, counted, number

NOTE = (
    "Weighted F1 on the test set, in %, differences in points; mean and 95 % CI over seeds. Gap: the best test epoch "
    "minus the one chosen on validation, at least 0 by construction, so only its difference between methods is tested, "
    "paired by seed but for imports whose seeds are nobody else's. "
    "Optimism: the part of it that chance explains, F1 on one half of the test conversations at that half's best epoch "
    "minus F1 on the other half at that epoch, over both halves of 200 halvings. A half deceives more than the whole "
    "test set, so optimism is overstated and regret, the rest, which a better choice could gain, understated."
)
RULES = {
    "selected": "mean at the epoch chosen on validation (the result)",
    "peak": "mean at the best test epoch",
    "best seed": "best test epoch of the best seed",
}


def selection(evidence: Evidence) -> Table | None:
    """A row a method; rankings under three rules, over the seeds that all methods have.

    None where no method has predictions of every epoch.
    """
    comparison, effects = evidence.comparison, selection_effects(evidence)
    if not effects.methods:
        return None
    origin = {"dataset": comparison.dataset, "data": comparison.data_origin.kind}
    frame = pd.DataFrame([origin | _row(method) for method in effects.methods])
    header = (
        "method", "n", "selected", "peak test", "gap", "optimism", "regret", f"gap of {effects.reference} minus gap",
        "p",
    )  # fmt: skip
    listings = [listing("", header, (_cells(method) for method in effects.methods))]
    if effects.orders:
        frame = frame.join(_rank_columns(effects), on="method")
        listings.append(_orders(effects))
    sentences = _best_seed_claims(effects)
    if comparison.folds:
        sentences.append(
            "Every fold has an epoch of its own. The gap is of pooled scores, at each fold's best test epoch and at "
            "its selected one, and F1 of pooled predictions can fall a little where it rises in every fold; optimism "
            "is the mean over folds."
        )
    sentences += [*imports.picked(comparison), *filter(None, [imports.without_epochs(comparison)])]
    return Table(
        name="selection",
        title="Selection of epochs and seeds",
        note=NOTE,
        data=comparison.data_origin.short,
        dataset=comparison.dataset,
        sentences=tuple(sentences),
        listings=tuple(listings),
        frame=frame,
    )


def _orders(effects: SelectionEffects) -> Listing:
    labels = effects.ranked
    return listing(
        f"Rankings under three rules, {counted(len(effects.seeds), 'common seed')}",
        ("rule", "order, best first", "chance of another order", "of another winner"),
        (
            (
                RULES[o.rule],
                ", ".join(f"{labels[i]} {number(100 * o.scores[i], 1)}" for i in o.order),
                *((MISSING, MISSING) if o.rule == "selected" else (_share(o.changed), _share(o.winner_changed))),
            )
            for o in effects.orders
        ),
        prose=["rule", "order, best first"],
    )


def _rank_columns(effects: SelectionEffects) -> pd.DataFrame:
    """By method, of those that are ranked."""
    rules = {order.rule.replace(" ", "_"): order for order in effects.orders}
    places = {rule: [o.order.index(i) + 1 for i in range(len(effects.ranked))] for rule, o in rules.items()}
    columns: dict[str, Any] = {f"rank_{rule}": place for rule, place in places.items()}
    columns |= {f"order_changed_{rule}": o.changed for rule, o in rules.items()}
    columns |= {f"winner_changed_{rule}": o.winner_changed for rule, o in rules.items()}
    return pd.DataFrame(columns, index=list(effects.ranked))


def _row(method: MethodSelection) -> dict[str, Any]:
    """Scores as fractions, as in the table of accuracy; the difference of gaps in points."""
    row: dict[str, Any] = {"method": method.label, "n": method.summaries["gap"].n}
    for measure, summary in method.summaries.items():
        row |= {f"{measure}_{part}": getattr(summary, part) for part in ("mean", "sd", "low", "high")}
    if (gap := method.gap_difference) is not None:
        row |= {"gap_difference": gap.mean, "gap_difference_low": gap.interval.low}
        row |= {"gap_difference_high": gap.interval.high, "gap_difference_p": gap.p}
    if (best := method.best_seed) is not None:
        row |= {"best_seed": best.seed, "claimed": best.claimed, "excess": best.excess}
    return row


def _best_seed_claims(effects: SelectionEffects) -> list[str]:
    """What the best test epoch of the best seed would have claimed, for every method."""
    claims = ", ".join(
        f"{method.label} {number(100 * best.claimed, 1)} (seed {best.seed}) instead of "
        f"{number(100 * best.mean_selected, 1)}"
        for method in effects.methods
        if (best := method.best_seed) is not None
    )
    if not claims:
        return []
    return [f"Had you reported the best test epoch of the best seed, you would have claimed: {claims}."]


def _cells(method: MethodSelection) -> tuple[str, ...]:
    difference, p, gap = MISSING, MISSING, method.gap_difference
    if gap is not None and gap.n:
        difference, p = number(gap.mean, 2), number(gap.p, 3, tiny=True)
        if gap.n > 1:
            difference += f" [{number(gap.interval.low, 2)}, {number(gap.interval.high, 2)}]"
    summaries = method.summaries
    return (method.label, str(summaries["gap"].n), *(summary_cell(summaries[m]) for m in MEASURES), difference, p)


def summary_cell(summary: Summary) -> str:
    """The mean in %, with its interval where there are two runs."""
    mean = number(100 * summary.mean, 1)
    if summary.n < 2:
        return mean
    return f"{mean} [{number(100 * summary.low, 1)}, {number(100 * summary.high, 1)}]"


def difference_cell(difference: PairedComparison) -> str:
    """A mean difference in points, with its interval where there is one."""
    mean = number(difference.mean, 2)
    if not difference.degrees > 0:
        return mean
    return f"{mean} [{number(difference.interval.low, 2)}, {number(difference.interval.high, 2)}]"


def _share(value: float) -> str:
    return f"{number(100 * value, 0)} %"
