"""The table of every run that is shown, and what a reader of the page can open of one."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence
from reports.measures.runs import HISTORY_COLUMNS
from reports.reading.runs import SELECTING, Run
from reports.tables.model import Heading, Listing, Table
from reports.text import MISSING, number

NOTE = (
    "Scores at the selected epoch, or as imported, in %. Every run trains its whole budget; its folder is runs/KEY in "
    "the store. A key is the hash of all that determines the run, and `cssbench verify KEY` makes the run again and "
    "compares its bits."
)
HEADER = (
    Heading("method", "name"),
    Heading("data set"),
    Heading("seed", "number"),
    Heading("weighted F1", "number"),
    Heading("accuracy", "number"),
    Heading("selected epoch", "number"),
    Heading("validation F1", "number"),
    Heading("peak test, never a result", "number"),
    Heading("training, s", "number"),
    Heading("remarks"),
    Heading("key"),
)
DIGITS = 5
"""Significant digits of a curve's values on the page."""


def every_run(evidence: Sequence[Evidence]) -> Table:
    """A row a run, of all data sets."""
    rows = [_row(e, run, label) for e in evidence for run, label in _runs(e)]
    cells = tuple(
        (
            row["method"], row["dataset"], str(row["seed"]),
            *(number(row[name], 1) for name in ("weighted_f1", "accuracy")),
            MISSING if np.isnan(row["epoch"]) else f"{row['epoch']:.0f}",
            *(number(row[name], 1) for name in ("validation_weighted_f1", "peak_test_weighted_f1", "train_seconds")),
            row["remarks"], row["key"],
        )
        for row in rows
    )  # fmt: skip
    return Table(
        name="runs",
        title="Every run",
        note=NOTE,
        data="",
        dataset="",
        sentences=(),
        listings=(Listing("", HEADER, cells, ids=tuple(f"run-{row['key']}" for row in rows), closed=True),),
        frame=pd.DataFrame(rows),
    )


def details(evidence: Sequence[Evidence]) -> str:
    """What the page shows of a run that a reader opens, as JSON that may stand inside a page.

    By key: its curves by epoch, its confusion counts, its settings, where it was made, and what makes it again.
    """
    of_runs = {run.key: _details(e, run, label) for e in evidence for run, label in _runs(e)}
    return json.dumps(of_runs, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _runs(evidence: Evidence) -> list[tuple[Run, str]]:
    comparison = evidence.comparison
    return [(part, method.label) for method in comparison.shown for run in method.runs for part in run.parts]


def _row(evidence: Evidence, run: Run, label: str) -> dict[str, Any]:
    imported = run.protocol == "imported"
    where = "imported" if imported else "selected" if evidence.comparison.validated else "last"

    def percent(*names: str) -> float:
        return 100 * run.number(*names) if run.result.get(names[0]) is not None else float("nan")

    remarks = [] if not run.result.get("diverged") else ["diverged"]
    remarks += [f"test session {run.fold}"] if run.fold else []
    remarks += [f"{run.protocol} protocol"] if run.protocol not in SELECTING else []
    return {
        "dataset": evidence.comparison.dataset,
        "data": evidence.comparison.data_origin.kind,
        "method": label,
        "seed": run.seed,
        "weighted_f1": percent(where, "weighted_f1"),
        "accuracy": percent(where, "accuracy"),
        "epoch": run.number("selected" if imported else where, "epoch"),
        "validation_weighted_f1": percent("validation", "weighted_f1"),
        "peak_test_weighted_f1": percent("peak_test", "weighted_f1"),
        "train_seconds": float("nan") if imported else run.number("timings", "train"),
        "remarks": ", ".join(remarks),
        "key": run.key,
    }


def _details(evidence: Evidence, run: Run, label: str) -> dict[str, Any]:
    where = next((name for name in ("imported", "selected", "last") if run.result.get(name)), "last")
    confusion = run.confusion(where) if "confusion" in run.result[where] else None
    git = run.manifest.get("git")
    return {
        "method": label,
        "dataset": evidence.comparison.name,
        "seed": run.seed,
        "classes": evidence.comparison.classes,
        "confusion": None if confusion is None else confusion.astype(int).tolist(),
        "curves": _curves(evidence, run, label),
        "facts": {
            "key": run.key,
            "method": run.spec["method"],
            **({"test session": run.fold, "validation session": run.spec["fold"]["validation"]} if run.fold else {}),
            "training": _settings(run.spec.get("training") or {}),
            "data": run.manifest["data"]["description"],
            "data fingerprint": run.manifest["data"]["fingerprint"],
            "source": run.manifest["source"] or MISSING,
            "git commit": "not in git" if git is None else git["commit"] + (" and changes" if git["dirty"] else ""),
            "versions": _settings(run.manifest["versions"]),
            "hardware": _settings(run.manifest["hardware"]),
            "made": run.manifest["created"],
        },
        "again": "" if run.protocol == "imported" else f"cssbench verify {run.key} --store STORE",
    }


def _curves(evidence: Evidence, run: Run, label: str) -> dict[str, list[float | None]]:
    """Validation F1 in % and losses in nats by epoch; empty for a run without a history."""
    if run.fold:
        mine = run.frame("history", HISTORY_COLUMNS)  # the evidence has the mean over folds
    else:
        history = evidence.history_of(label)
        mine = history[history["seed"] == run.seed]
    if mine.empty:
        return {}
    scales = {
        "validation weighted F1, %": ("validation_weighted_f1", 100.0),
        "training loss, fused, nats": ("train_loss_fused", 1.0),
        "validation loss, nats": ("validation_loss", 1.0),
    }
    return {
        name: [float(f"{scale * value:.{DIGITS}g}") if np.isfinite(value) else None for value in mine[column]]
        for name, (column, scale) in scales.items()
        if run.protocol != "imported" or column == "validation_weighted_f1"
    }


def _settings(values: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None).replace("_", " ")
