"""Which rule chooses the epoch is declared before the runs; changed after others were there, it is an afterthought."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmark.base.errors import UserError
from benchmark.experiment.preregistration import Preregistration
from benchmark.store.store import Store
from benchmark.workflows.grid import Grid, plan_grid
from benchmark.workflows.lock import read_lock, write_lock
from benchmark.workflows.selection import with_rules
from reports.evidence.comparisons import compare
from reports.evidence.evidence import collect
from reports.inference.contrasts import infer
from reports.reading.preregistration import read_preregistrations
from reports.reading.runs import read_store
from tests.benchmark.small_store import write_untrained

CHOICES: dict[str, Any] = {
    "preset": "smoke", "datasets": "meld-sim", "methods": "css,adam", "seeds": 6, "device": "cpu",
}  # fmt: skip
LATER = "2099-01-01T00:00:00+00:00"
"""When the runs were begun: after whatever is declared here."""


def planned(root: Path, rule: str, **choices: Any) -> Grid:
    return with_rules(plan_grid(root, **CHOICES | choices, selection=rule), Store(root))


def declared(grid: Grid) -> Preregistration:
    assert grid.preregistration is not None
    return grid.preregistration


def rules(grid: Grid) -> list[dict[str, Any]]:
    return list(declared(grid).content.get("rules", []))


def make(root: Path, grid: Grid, created: str = LATER) -> None:
    """Declare the plan, then write its runs, untrained."""
    declared(grid).declare(root)
    for spec in grid.specs:
        if not (root / "runs" / spec.key).exists():
            write_untrained(root, spec, created=created)


def remarks(root: Path) -> set[str]:
    evidence = [collect(comparison) for comparison in compare(read_store(root).runs)[0]]
    inference = infer(evidence, read_preregistrations(root), read_store(root).failed)
    return {contrast.remark for contrast in inference.contrasts}


def test_nothing_is_declared_of_the_usual_rule(tmp_path: Path) -> None:
    grid = planned(tmp_path, "best")
    assert "rules" not in declared(grid).content
    assert declared(grid).name == declared(plan_grid(tmp_path, **CHOICES)).name  # type: ignore[arg-type]


def test_another_rule_is_declared_and_counts_where_no_run_was_there(tmp_path: Path) -> None:
    grid = planned(tmp_path, "smoothed")
    assert rules(grid) == [{"dataset": "meld-sim", "selection": "smoothed", "changed_from": []}]
    make(tmp_path, grid)
    assert remarks(tmp_path) == {""}


@pytest.mark.parametrize(("first", "then"), [("best", "smoothed"), ("smoothed", "last"), ("last", "best")])
def test_a_rule_that_was_changed_after_runs_were_there_makes_its_comparisons_exploratory(
    tmp_path: Path, first: str, then: str
) -> None:
    make(tmp_path, planned(tmp_path, first), created="2098-01-01T00:00:00+00:00")
    grid = planned(tmp_path, then)
    assert rules(grid) == [{"dataset": "meld-sim", "selection": then, "changed_from": [first]}]
    declared(grid).declare(tmp_path)
    for spec in grid.specs:
        write_untrained(tmp_path, spec, created=LATER)
    assert remarks(tmp_path) == {f"the rule for the epoch was changed to {then} after runs under {first} were there"}


def test_what_was_declared_first_stands(tmp_path: Path) -> None:
    make(tmp_path, planned(tmp_path, "smoothed"))
    for spec in planned(tmp_path, "best").specs:
        write_untrained(tmp_path, spec)
    again, more = planned(tmp_path, "smoothed"), planned(tmp_path, "smoothed", seeds=7)
    assert declared(again).declare(tmp_path) is None
    assert rules(more) == rules(again) == [{"dataset": "meld-sim", "selection": "smoothed", "changed_from": []}]


def test_runs_of_other_settings_and_unfinished_ones_change_no_rule(tmp_path: Path) -> None:
    make(tmp_path, planned(tmp_path, "best", epochs=5))
    for spec in planned(tmp_path, "best").specs:
        folder = write_untrained(tmp_path, spec)
        (folder / "result.json").unlink()
    assert rules(planned(tmp_path, "smoothed")) == [
        {"dataset": "meld-sim", "selection": "smoothed", "changed_from": []}
    ]


def test_a_lock_carries_the_rule(tmp_path: Path) -> None:
    make(tmp_path, planned(tmp_path, "best"))
    write_lock(tmp_path / "grid.lock", plan_grid(tmp_path, **CHOICES, selection="smoothed"))
    assert {run["training"]["selection"] for run in json.loads((tmp_path / "grid.lock").read_text())["runs"]} == {
        "smoothed"
    }
    unlocked = with_rules(read_lock(tmp_path / "grid.lock", None), Store(tmp_path))
    assert asdict(declared(unlocked)) == asdict(declared(planned(tmp_path, "smoothed")))


def test_the_published_protocol_has_no_rule(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="selection last chooses an epoch on validation data, and --protocol published"):
        plan_grid(tmp_path, **CHOICES | {"protocol": "published"}, selection="last")
