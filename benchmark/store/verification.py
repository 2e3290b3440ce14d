"""Two folders of one run, made at different times: where they first differ, and what differed around them."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.base.words import counted

_BY_STEP_OR_EPOCH = ("conflict", "steps", "history")  # in the order of their making: a probe is before its step
_Difference = tuple[int, float, str]  # epoch, step, what
_SCORED = ("selected", "last", "peak_test", "validation")
_SCORES = ("accuracy", "weighted_f1", "macro_f1")


@dataclass(frozen=True)
class Comparison:
    """What a run executed again says of the one in the store.

    Attributes:
        first: the first epoch and quantity that differ, or None where every bit is the same.
        environment: what differs in versions, hardware, source and data between the two, a line each.
        score: the score that differs most, its name and its two values (fractions); None where all are equal.
    """

    first: str | None
    environment: tuple[str, ...]
    score: tuple[str, float, float] | None

    def passes(self, tolerance: float | None) -> bool:
        """Whether the bits are the same or, given a tolerance, no score differs by more than that."""
        if self.first is None or tolerance is None:
            return self.first is None
        return self.score is None or abs(self.score[1] - self.score[2]) <= tolerance


def compare(stored: Path, again: Path) -> Comparison:
    """Compare two folders of finished runs; raises OSError or ValueError where a file cannot be read."""
    results = _json(stored / "result.json"), _json(again / "result.json")
    manifests = _json(stored / "manifest.json"), _json(again / "manifest.json")
    differing = [pair for pair in _scores(*results) if pair[1] != pair[2]]
    return Comparison(
        first=_first_in_tables(stored, again) or _first_in_results(*results),
        environment=tuple(_environment(*manifests)),
        score=max(differing, key=lambda pair: abs(pair[1] - pair[2]), default=None),
    )


def _first_in_tables(stored: Path, again: Path) -> str | None:
    """The earliest epoch at which a table differs, and there the first quantity."""
    tables = {
        name: tuple(pq.read_table(folder / f"{name}.parquet") for folder in (stored, again))
        for name in (*_BY_STEP_OR_EPOCH, "test_predictions", "predictions")
    }
    for name, pair in tables.items():
        if shape := _shape(name, *pair):
            return shape
    unequal = [difference for name in _BY_STEP_OR_EPOCH for difference in _differences(name, *tables[name])]
    unequal += _prediction_differences(*tables["test_predictions"])
    if unequal:
        return min(unequal, key=lambda difference: difference[:2])[2]  # the first table of equals
    before, now = tables["predictions"]
    for column in before.column_names:
        if count := int(_unequal(_column(before, column), _column(now, column)).sum()):
            return f"at the selected epoch: {column} of {count} of {len(before)} test utterances"
    return None


def _shape(name: str, stored: pa.Table, again: pa.Table) -> str | None:
    if stored.column_names != again.column_names:
        return f"{name}.parquet has other columns: {', '.join(set(stored.column_names) ^ set(again.column_names))}"
    if len(stored) != len(again):
        return f"{name}.parquet has {counted(len(stored), 'row')} in the store and {len(again)} now"
    return None


def _differences(name: str, stored: pa.Table, again: pa.Table) -> Iterator[_Difference]:
    """The first difference of a table with a column of epochs: the earliest row, and in it the first column."""
    columns = stored.column_names
    unequal = np.stack([_unequal(_column(stored, column), _column(again, column)) for column in columns])
    rows = np.flatnonzero(unequal.any(axis=0))
    if not len(rows):
        return
    row = rows[0]
    column = columns[np.flatnonzero(unequal[:, row])[0]]
    epoch, before, now = (_column(t, c)[row] for t, c in ((stored, "epoch"), (stored, column), (again, column)))
    values = f"{column} is {now} now, {before} in the store ({name}.parquet)"
    if "step" in columns:
        step = _column(stored, "step")[row]
        yield int(epoch), int(step), f"epoch {epoch}, step {step}: {values}"
    else:
        yield int(epoch), math.inf, f"epoch {epoch}: {values}"


def _prediction_differences(stored: pa.Table, again: pa.Table) -> Iterator[_Difference]:
    for column in stored.column_names:
        if count := int(_unequal(_column(stored, column), _column(again, column)).sum()):
            extent = f"{count} of {len(stored)} test utterances"
            if column.startswith("epoch_"):
                epoch = int(column.removeprefix("epoch_"))
                yield epoch, math.inf, f"epoch {epoch}: predicted classes of {extent}"
            else:
                yield 0, 0, f"the {column} of {extent}"


def _first_in_results(stored: Mapping[str, Any], again: Mapping[str, Any]) -> str | None:
    """What no table shows: the weights after the last epoch, and scores that are not those of the predictions."""
    for name, digest in stored["digests"].items():
        if digest != again["digests"][name]:
            return f"after the last epoch: {name} ({again['digests'][name][:12]} now, {digest[:12]} in the store)"
    for name in stored:
        if name in _SCORED and stored[name] != again[name]:
            return f"{name} of result.json, though made from the same predictions"
    return None


def _scores(stored: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    for part in _SCORED:
        for name in _SCORES:
            if name in (stored[part] or ()):  # a run without validation data has no selected part
                yield f"{part} {name}", stored[part][name], again[part][name]


def _environment(stored: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[str]:
    def parts(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        flat = dict(chain(manifest["versions"].items(), manifest["hardware"].items()))
        return flat | {"source": manifest["source"][:12], "data": manifest["data"]["fingerprint"][:12]}

    before, now = parts(stored), parts(again)
    for name in before.keys() & now.keys():  # runs of earlier versions do not say everything
        if before[name] != now[name]:
            yield f"{name}: {before[name]} in the store, {now[name]} now"


def _column(table: pa.Table, name: str) -> npt.NDArray[Any]:
    return table[name].to_numpy()


def _unequal(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where two columns differ; NaN is itself."""
    if a.dtype != b.dtype:
        return np.ones(len(a), dtype=bool)
    return (a != b) & ~((a != a) & (b != b))


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
