"""Families declared for synthetic stores, and what is inferred from them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reports.evidence.comparisons import compare
from reports.evidence.evidence import Evidence, collect
from reports.inference.contrasts import Inference, infer
from reports.inference.looks import take_look
from reports.reading.preregistration import read_preregistrations
from reports.reading.runs import read_store

BASE = np.array([0.60, 0.63, 0.61, 0.65, 0.62, 0.64, 0.66, 0.59, 0.67, 0.60])
SMALL = np.array([1, -1, 2, -2, 1, -1, 2, -2, 1, -1]) / 1000
WIDE = np.array([5, -5, 4, -4, 5, -5, 4, -4, 3, -3]) / 100

EARLY, LATE = "2025-12-31T00:00:00+00:00", "2026-06-01T00:00:00+00:00"  # the runs of the fixtures: January 2026


def evidence_of(store: Path) -> list[Evidence]:
    return [collect(c) for c in compare(read_store(store).runs)[0]]


def declare(
    store: Path,
    *pairs: tuple[str, str, str],
    at: str = EARLY,
    seeds: Sequence[int] | None = None,
    margin: float = 0.5,
    looks: Sequence[int] = (),
) -> Path:
    """Write a family as docs/run-format.md says; by default with the seeds of the store's runs, and without looks."""
    if seeds is None:
        seeds = sorted({run.seed for run in read_store(store).runs})
    by_name = {(r.dataset, r.label): r for r in read_store(store).runs}
    budgets = {r.dataset: r.budget for r in by_name.values()}

    def side(dataset: str, label: str) -> dict[str, str]:
        run = by_name.get((dataset, label))
        return {"label": label, "group": run.group if run else "0" * 16}

    content: dict[str, Any] = {
        "declared": at, "format": 1, "metric": "weighted_f1", "margin": margin, "alpha": 0.05, "seeds": list(seeds),
        "comparisons": [
            {"dataset": d, "budget": budgets[d], "a": side(d, a), "b": side(d, b)} for d, a, b in pairs
        ],
    }  # fmt: skip
    if looks:
        content |= {"format": 2, "looks": list(looks), "spending": "pocock"}
    (store / "preregistrations").mkdir(exist_ok=True)
    return write_declared(store, content)


def write_declared(store: Path, content: dict[str, Any]) -> Path:
    """Write what is declared to the file that has its hash for a name."""
    declared = {name: value for name, value in content.items() if name != "declared"}
    name = hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()[:16]
    path = store / "preregistrations" / f"{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def inferred(store: Path) -> tuple[list[Evidence], Inference]:
    evidence = evidence_of(store)
    return evidence, infer(evidence, read_preregistrations(store), read_store(store).failed)


def follow(store: Path, path: Path, most: int = 100) -> list[dict[str, Any]]:
    """Take and write down the looks of a declared family, until it is over or so many are taken."""
    looks: list[dict[str, Any]] = []
    while len(looks) < most and (look := take_look(store, path.stem)) is not None:
        looks.append(look)
        folder = store / "looks" / path.stem
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{look['seeds']}.json").write_text(json.dumps(look), encoding="utf-8")
    return looks


def set_f1(store: Path, edit_json: Callable[..., None], scores: dict[tuple[str, str], Sequence[float | None]]) -> None:
    """Give the selected weighted F1 of runs, by data set and method in the order of seeds."""
    for run in read_store(store).runs:
        if (run.dataset, run.label) in scores:
            value = scores[run.dataset, run.label][run.seed]
            selected = dict(run.result["selected"]) | {"weighted_f1": value}
            edit_json(run.folder / "result.json", selected=selected)
