"""What a table is: a frame with a row a method (or a method and something else), and how its columns are shown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence
from reports.statistics import Summary, summarize

PARTS = ("mean", "sd", "low", "high", "n")


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


@dataclass(frozen=True)
class Table:
    """A table: its file name, its title, how to read it, how its frame is made and which blocks of it are shown."""

    name: str
    title: str
    note: str
    frame: Callable[[Evidence], pd.DataFrame]
    blocks: tuple[Block, ...]


def summary(evidence: Evidence, method: str, measure: str) -> Summary:
    """A measure over a method's runs."""
    return summarize(evidence.values(method, measure).to_numpy(dtype=float))


def summary_frame(
    evidence: Evidence, names: Sequence[str], more: Callable[[str], dict[str, float]] = lambda method: {}
) -> pd.DataFrame:
    """A row a method: `<measure>_{mean,sd,low,high,n}` of every measure, then the plain columns of `more`."""
    rows: list[dict[str, Any]] = []
    for method in (*evidence.comparison.methods, *evidence.comparison.imported):
        row = _head(evidence, method.label) | {"protocol": method.runs[0].protocol, "n": len(method.runs)}
        for name in names:
            row |= _parts(name, summary(evidence, method.label, name))
        rows.append(row | more(method.label))
    return pd.DataFrame(rows)


def summary_frame_by(evidence: Evidence, runs: pd.DataFrame, key: str, names: Sequence[str]) -> pd.DataFrame:
    """As `summary_frame`, with a row a method and value of `key`, from a frame with a row a run and value of it."""
    rows: list[dict[str, Any]] = []
    groups = runs.groupby(["method", key], sort=False) if len(runs) else ()
    for (method, value), found in groups:
        row = _head(evidence, str(method)) | {key: value, "n": len(found)}
        for name in names:
            row |= _parts(name, summarize(found[name].to_numpy(dtype=float)))
        rows.append(row)
    columns = [
        "dataset",
        "data",
        "protocol",
        "method",
        key,
        "n",
        *(f"{name}_{part}" for name in names for part in PARTS),
    ]
    return pd.DataFrame(rows, columns=columns)


def finite_columns(block: Block, frame: pd.DataFrame) -> Block:
    """The block without column groups that no row has a value for."""

    def known(columns: Iterable[Column]) -> bool:
        names = [c.measure if c.form == "value" else f"{c.measure}_mean" for c in columns]
        return bool(np.isfinite(frame[names].to_numpy(dtype=float)).any())

    groups = {c.group for c in block.columns}
    kept = {group for group in groups if known(c for c in block.columns if c.group == group)}
    return replace(block, columns=tuple(c for c in block.columns if c.group in kept))


def _head(evidence: Evidence, method: str) -> dict[str, Any]:
    return {
        "dataset": evidence.comparison.dataset,
        "data": evidence.comparison.data_origin.kind,
        "protocol": evidence.comparison.runs[0].protocol,
        "method": method,
    }


def _parts(name: str, found: Summary) -> dict[str, float]:
    return {f"{name}_{part}": getattr(found, part) for part in PARTS}
