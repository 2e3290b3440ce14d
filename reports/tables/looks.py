"""The table of looks: how the comparisons of a family that is followed came to be decided."""

import math
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence
from reports.inference.contrasts import Contrast, Inference
from reports.statistics import PairedComparison
from reports.statistics.effects import UNKNOWN, Interval
from reports.statistics.groups import mean_interval
from reports.statistics.sequential import Decision, Standing
from reports.tables.model import Table, listing
from reports.text import MISSING, counted, number

NOTE = (
    "The seeds of this family were made until every comparison was decided, by an exact group-sequential test: whole "
    "seeds' sign flips, one sign a seed over all looks, and at each look a boundary that spends its share of the "
    "error. A comparison is different where |t| reaches the boundary, shown equal where Student's interval at 1 − 2αₖ "
    "lies within the margin, and stopped where more seeds would hardly help. The interval over all looks holds "
    "whenever one stops; the naive one, of a fixed number of seeds, is too narrow after a look that decided."
)
WORDS = {
    Decision.REJECTED: "different",
    Decision.SHOWN_EQUAL: "shown equal",
    Decision.FUTILE: "stopped: more seeds would hardly help",
    Decision.WITHDRAWN: "withdrawn",
    None: "open",
}


def looks(evidence: Evidence, inference: Inference) -> Table:
    """A row a comparison and look; nothing where the number of seeds was fixed."""
    comparison = evidence.comparison
    followed = [contrast for contrast in inference.of(comparison.dataset) if contrast.followed is not None]
    rows = [row for contrast in followed for row in _rows(contrast)]
    shown = tuple(
        (
            f"{row['a']} − {row['b']}", str(row["seeds"]), number(row["difference"], 2), number(abs(row["t"]), 2),
            number(row["boundary"], 2), _interval(row["low"], row["high"]),
            _interval(row["naive_low"], row["naive_high"]), number(row["conditional_power"], 2), row["decision"],
        )
        for row in rows
    )  # fmt: skip
    header = (
        "comparison", "seeds", "difference", "|t|", "boundary", "interval over all looks", "naive 95 % CI",
        "power ahead", "decision",
    )  # fmt: skip
    return Table(
        name="looks",
        title="Looks",
        note=NOTE,
        data=comparison.data_origin.short,
        dataset=comparison.dataset,
        sentences=tuple(_sentences(evidence, inference, followed)),
        listings=(listing("", header, shown, prose=["decision"]),) if shown else (),
        frame=pd.DataFrame(
            [{"dataset": comparison.dataset, "data": comparison.data_origin.kind} | row for row in rows]
        ),
    )


def _rows(contrast: Contrast) -> list[dict[str, Any]]:
    followed = contrast.followed
    assert followed is not None
    rows = []
    for seeds, standing in zip(followed.design.looks, followed.path, strict=False):
        naive = _naive(contrast.comparison, followed.order[: standing.seeds])
        rows.append(
            {
                "a": contrast.a,
                "b": contrast.b,
                "seeds": seeds,
                "difference": standing.mean,
                "t": standing.t,
                "boundary": _finite(standing.boundary),
                "low": _finite(standing.interval.low),
                "high": _finite(standing.interval.high),
                "naive_low": naive.low,
                "naive_high": naive.high,
                "conditional_power": standing.conditional_power,
                "decision": _words(standing, followed.reason),
            }
        )
    return rows


def _naive(comparison: PairedComparison | None, seeds: Collection[int]) -> Interval:
    """Student's 95 % interval as a fixed number of seeds would have it."""
    if comparison is None:
        return UNKNOWN
    judged = np.isin(comparison.seeds, list(seeds))
    groups = np.array(comparison.groups)[judged] if comparison.groups else ()
    return mean_interval(comparison.differences[judged], groups)[1]


def _words(standing: Standing, reason: str) -> str:
    words = WORDS[standing.decision]
    return f"{words}: {reason}" if standing.decision is Decision.WITHDRAWN else words


def _sentences(evidence: Evidence, inference: Inference, followed: list[Contrast]) -> list[str]:
    plan = inference.plans.get(evidence.comparison.dataset)
    if not followed or plan is None or followed[0].followed is None:
        return []
    design = followed[0].followed.design
    taken = [look.seeds for look in plan.looks]
    words = [
        f"Looks at {', '.join(map(str, design.looks))} seeds were declared, with error {design.alpha:g} for the whole "
        f"family over all looks, spent as {design.spending} has it, and margin {design.margin:g} points. "
        + (
            f"Taken: {', '.join(map(str, taken))}; spent so far: {plan.looks[-1].look.spent:.4f}."
            if taken
            else "None has been taken yet."
        )
    ]
    if plan.looks and plan.looks[-1].look.mc_se:
        words.append(
            f"Beyond 16 seeds flips are drawn; the Monte Carlo standard error of what is spent is "
            f"{plan.looks[-1].look.mc_se:.4f}."
        )
    methods = {label for contrast in followed for label in (contrast.a, contrast.b)}
    made = sum(len(m.runs) for m in evidence.comparison.methods if m.label in methods)
    most = len(methods) * design.looks[-1]
    if made < most and all(c.followed is not None and c.followed.is_over for c in followed):
        words.append(
            f"{counted(made, 'run was', 'runs were')} made here; {design.looks[-1]} seeds of every method would have "
            f"been {most}: {most - made} saved."
        )
    return words


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _interval(low: float, high: float) -> str:
    return f"[{number(low, 2)}, {number(high, 2)}]" if math.isfinite(low) and math.isfinite(high) else MISSING
