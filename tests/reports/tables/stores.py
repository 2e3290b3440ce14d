"""What the tables of a store are made from."""

import json
from pathlib import Path

import pandas as pd

from reports.evidence.comparisons import compare
from reports.evidence.evidence import Evidence, collect
from reports.reading.runs import read_store
from reports.tables.accuracy import accuracy
from reports.tables.conflict import conflict
from reports.tables.conflict_blocks import conflict_blocks
from reports.tables.cost import cost
from reports.tables.directions import directions
from reports.tables.stability import stability

SUMMARIES = (accuracy, stability, conflict, conflict_blocks, directions, cost)
"""The tables of means over seeds."""


def evidence_of(store: Path, dataset: str) -> Evidence:
    comparisons, _ = compare(read_store(store).runs)
    return collect(next(c for c in comparisons if c.dataset == dataset))


def folders(store: Path, dataset: str, label: str) -> list[Path]:
    runs = [run for run in read_store(store).runs if (run.dataset, run.label) == (dataset, label)]
    return [run.folder for run in sorted(runs, key=lambda run: run.seed)]


def results(store: Path, dataset: str, label: str) -> list[dict]:
    return [json.loads((f / "result.json").read_text(encoding="utf-8")) for f in folders(store, dataset, label)]


def row(frame: pd.DataFrame, method: str) -> pd.Series:
    return frame.set_index("method").loc[method]
