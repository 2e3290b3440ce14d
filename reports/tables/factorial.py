"""The table of factorial effects: fusion and aggregator, over complete sub-grids of one encoder and its objectives."""

from typing import Any

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.inference.factorial import effects
from reports.tables.model import Table, listing
from reports.text import MISSING, number

NOTE = (
    "Effects on weighted F1 in points, paired by seed, over sub-grids in which every fusion meets every aggregator "
    "(same encoder, same objectives). Main effect: mean over the other factor. Interaction: how much more the first "
    "fusion gains on the second under the first aggregator than under the second. Estimates, 95 % intervals and raw p: "
    "description beside the declared comparisons."
)


def factorial(evidence: Evidence) -> Table:
    """A row an effect; sentences name what could not be estimated, and which cells are missing."""
    comparison = evidence.comparison
    estimated, gaps = effects(evidence)
    origin = {"dataset": comparison.dataset, "data": comparison.data_origin.kind}
    columns = ("grid", "kind", "effect", "n", "estimate", "low", "high", "sd", "p")
    rows: list[dict[str, Any]] = [
        origin
        | {
            "grid": e.grid,
            "kind": e.kind,
            "effect": e.name,
            "n": e.comparison.n,
            "estimate": e.comparison.mean,
            "low": e.comparison.interval.low,
            "high": e.comparison.interval.high,
            "sd": e.comparison.sd,
            "p": e.comparison.p,
            "not_estimable": "",
        }
        for e in estimated
    ]
    rows += [origin | dict.fromkeys(columns, None) | {"n": 0, "not_estimable": gap} for gap in gaps]
    listings = [
        listing(
            grid,
            ("effect", "", "n", "estimate", "95 % CI", "p"),
            tuple(
                (
                    e.kind, e.name, str(e.comparison.n),
                    ("+" if e.comparison.mean > 0 else "") + number(e.comparison.mean, 2),
                    f"[{number(e.comparison.interval.low, 2)}, {number(e.comparison.interval.high, 2)}]"
                    if e.comparison.n > 1 else MISSING,
                    number(e.comparison.p, 3, tiny=True),
                )
                for e in estimated if e.grid == grid
            ),
        )
        for grid in dict.fromkeys(e.grid for e in estimated)
    ]  # fmt: skip
    return Table(
        name="factorial",
        title="Fusion × aggregator",
        note=NOTE,
        data=comparison.data_origin.short,
        dataset=comparison.dataset,
        sentences=tuple(gaps),
        listings=tuple(listings),
        frame=pd.DataFrame(rows),
    )
