"""A store of all that commands read, made in a moment: untrained runs, plans, a look, a study, a lock, a report."""

import json
import shutil
from pathlib import Path
from typing import Any

import reports
from benchmark.base.files import write_json
from benchmark.experiment.spec import RunSpec
from benchmark.store.checksums import with_checksums
from benchmark.store.looks import look_file
from benchmark.workflows.grid import plan_grid
from benchmark.workflows.lock import write_lock
from tests.reports import synthetic_runs
from tests.reports.tuning.synthetic_studies import LR, trial, write_study

CHOICES: dict[str, Any] = {"preset": "smoke", "datasets": "meld-sim", "methods": "adam,css", "device": "cpu"}
WORDS = ("--preset", "smoke", "--datasets", "meld-sim", "--methods", "adam,css", "--device", "cpu")
"""The grid of the store's runs, four unless there are more seeds, as Python and as the command line have it."""
STUDY = "meld-sim/css/smoke"


def make_small_store(root: Path, seeds: int = 2) -> Path:
    """Write the store, with a lock ``paper.json`` in it, and return its folder."""
    (root / "runs").mkdir(parents=True)
    grid = plan_grid(root, **CHOICES, seeds=seeds)
    followed = plan_grid(root, **CHOICES, until_decided=True, looks="2").preregistration
    assert grid.preregistration is not None
    assert followed is not None
    for spec in grid.specs:
        write_untrained(root, spec)
    _write_study(root)
    for plan in (grid.preregistration, followed):
        plan.declare(root)
    look = look_file(root, followed.name, 2)
    look.parent.mkdir(parents=True)
    write_json(look, reports.take_look(root, followed.name))
    write_lock(root / "paper.json", grid)
    reports.build(root, root / "report")
    return root


def _write_study(root: Path) -> None:
    """Write a study of one trial, whose runs are no longer in the store."""
    before = set((root / "runs").iterdir())
    write_study(root, STUDY, [trial(0, {"lr": 1e-3}, [0.5])], {"lr": LR}, dataset="meld-sim", preset="smoke")
    for folder in set((root / "runs").iterdir()) - before:
        shutil.rmtree(folder)


def write_untrained(root: Path, spec: RunSpec, created: str = "2026-01-02T03:04:05+00:00") -> Path:
    """Write a run as reports read it, under the specification and the key that its grid has."""
    made = synthetic_runs.write_run(
        root, spec.dataset, spec.method.label, spec.seed, epochs=2, fingerprint=spec.provenance.data, created=created
    )
    folder = made.rename(root / "runs" / spec.key)
    write_json(folder / "spec.json", spec.record())
    result = json.loads((folder / "result.json").read_text())
    write_json(folder / "result.json", with_checksums(folder, result))
    return folder
