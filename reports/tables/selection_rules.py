"""The table of rules: what another choice of the epoch would have given, from the same runs."""

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.inference.selection_rules import RULES, RuleEffect, rule_effects
from reports.tables.model import Table, listing
from reports.tables.selection import difference_cell, summary_cell
from reports.text import MISSING, number

NOTE = (
    "Weighted F1 on the test set, in %, differences in points; mean and 95 % CI over seeds, and sd. Gap: the best test "
    "epoch minus the rule's, at least 0 by construction. Difference: the rule's score minus that of the rule that "
    "decides, paired by seed. All rules see validation scores alone, and the epochs of other seeds; the deciding one "
    "was fixed before the runs, so that to choose another because of this table would be a choice on test scores."
)


def selection_rules(evidence: Evidence) -> Table | None:
    """A row a method and rule; None where no epoch was chosen on validation data."""
    effects = rule_effects(evidence)
    if not effects:
        return None
    comparison = evidence.comparison
    origin = {"dataset": comparison.dataset, "data": comparison.data_origin.kind}
    return Table(
        name="selection-rules",
        title="Rules for the choice of the epoch",
        note=NOTE,
        data=comparison.data_origin.short,
        dataset=comparison.dataset,
        sentences=(),
        listings=(
            listing(
                "",
                ("method", "rule", "n", "weighted F1", "sd", "gap", "minus the result"),
                map(_cells, effects),
                prose=["rule"],
                closed=True,
            ),
        ),
        frame=pd.DataFrame([origin | _row(effect) for effect in effects]),
    )


def _cells(effect: RuleEffect) -> tuple[str, ...]:
    score, gap, difference = effect.score, effect.gap, effect.difference
    shown = MISSING if difference is None else difference_cell(difference)
    sd, of_gap = number(100 * score.sd, 2), number(100 * gap.mean, 2)
    rule = RULES[effect.rule] + (" (the result)" if difference is None else "")
    return effect.method, rule, str(score.n), summary_cell(score), sd, of_gap, shown


def _row(effect: RuleEffect) -> dict[str, object]:
    """Scores and gaps as fractions, as in the table of selection; the difference in points."""
    row: dict[str, object] = {"method": effect.method, "rule": effect.rule, "n": effect.score.n}
    for name, summary in (("weighted_f1", effect.score), ("gap", effect.gap)):
        row |= {f"{name}_{part}": getattr(summary, part) for part in ("mean", "sd", "low", "high")}
    if (difference := effect.difference) is not None:
        row |= {"difference": difference.mean}
        row |= {"difference_low": difference.interval.low, "difference_high": difference.interval.high}
    return row
