"""Tables of means over seeds: which columns of a frame are shown, and how."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence
from reports.tables.model import Heading, Listing, Table
from reports.text import MISSING, UNAVAILABLE, number


@dataclass(frozen=True)
class Column:
    """How one measure is shown: `mean ± sd`, `mean`, `interval` (95 % CI of the mean), or a plain `value` of a row."""

    measure: str
    header: str
    form: Literal["mean ± sd", "interval", "mean", "value"] = "mean ± sd"
    scale: float = 1.0
    digits: int = 2
    group: str = ""


@dataclass(frozen=True)
class Block:
    """Columns that are shown side by side, after those that name the row."""

    title: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ("method",)


def summary_table(
    evidence: Evidence,
    frame: pd.DataFrame,
    blocks: Sequence[Block],
    *,
    name: str,
    title: str,
    note: str,
) -> Table:
    """A table of a frame of summaries; a block without a known number is left out."""
    comparison = evidence.comparison
    listings = [block_listing(finite_columns(block, frame), frame) for block in blocks]
    return Table(
        name=name,
        title=title,
        note=note,
        data=comparison.data_origin.short,
        dataset=comparison.name,
        sentences=(),
        listings=tuple(listing for listing in listings if listing is not None),
        frame=frame,
    )


def block_listing(block: Block, frame: pd.DataFrame) -> Listing | None:
    """The block's rows as text: what names the row, the number of seeds, then a cell a column; None without columns."""
    if not block.columns:
        return None
    header = (
        *(Heading(key, "name") for key in block.keys),
        Heading("n", "number"),
        *(Heading(column.header, "number", column.group) for column in block.columns),
    )
    rows = (
        (*(str(row[key]) for key in block.keys), str(row["n"]), *(_shown(column, row) for column in block.columns))
        for _, row in frame.iterrows()
    )
    return Listing(block.title, header, tuple(rows))


def finite_columns(block: Block, frame: pd.DataFrame) -> Block:
    """The block without column groups that no row has a value for."""

    def known(columns: Iterable[Column]) -> bool:
        names = [c.measure if c.form == "value" else f"{c.measure}_mean" for c in columns]
        return bool(np.isfinite(frame[names].to_numpy(dtype=float)).any())

    groups = {c.group: [other for other in block.columns if other.group == c.group] for c in block.columns}
    kept = [group for group, columns in groups.items() if known(columns)]
    return Block(block.title, tuple(c for c in block.columns if c.group in kept), block.keys)


def cell(column: Column, row: "pd.Series[float]") -> str:
    """One cell: `71.2 ± 0.4`, `[70.7, 71.7]`, or a number; a dash where there is none."""

    def part(name: str) -> str:
        return number(float(row[name]) * column.scale, column.digits, tiny=column.form == "value")

    if column.form == "value":
        return part(column.measure)
    mean, sd = part(f"{column.measure}_mean"), part(f"{column.measure}_sd")
    if column.form == "interval":
        low, high = part(f"{column.measure}_low"), part(f"{column.measure}_high")
        return MISSING if low == MISSING else f"[{low}, {high}]"
    return mean if column.form == "mean" or sd == MISSING else f"{mean} ± {sd}"


def _shown(column: Column, row: "pd.Series[float]") -> str:
    text = cell(column, row)
    return UNAVAILABLE if text == MISSING and str(row.get("protocol")) == "imported" else text
