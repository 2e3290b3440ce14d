"""Looks after those of an earlier plan: what they are about, and what of the error is theirs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.base.errors import UserError
from benchmark.experiment.preregistration import Preregistration
from benchmark.store.store import Store
from benchmark.workflows.late_looks import continued


def comparison(rival: str) -> dict[str, Any]:
    sides = {side: {"label": label, "group": f"{label}-group"} for side, label in (("a", "css"), ("b", rival))}
    return {"dataset": "meld", "budget": "b", **sides}


FIRST = Preregistration(
    [comparison("adam"), comparison("concat")], list(range(30)), 0.5, looks=(8, 12, 30), spending="pocock"
)
LATER = replace(FIRST, seeds=list(range(60)), looks=(40, 60))


def take(store: Store, plan: Preregistration, seeds: int, spent: float, *decisions: str | None) -> None:
    """Write a look down, without runs."""
    plan.declare(store.root)
    folder = store.root / "looks" / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    standings = [{**c, "decision": end} for c, end in zip(plan.comparisons, decisions, strict=True)]
    content = {"seeds": seeds, "spent": spent, "comparisons": standings}
    (folder / f"{seeds}.json").write_text(json.dumps(content))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The first plan was looked at twice and left one comparison open."""
    store = Store(tmp_path)
    take(store, FIRST, 8, 0.01, None, None)
    take(store, FIRST, 12, 0.02, "rejected", None)
    return store


def test_a_plan_alone_is_itself(tmp_path: Path) -> None:
    assert continued(FIRST, Store(tmp_path)) == FIRST


def test_a_plan_that_goes_on_is_itself(store: Store) -> None:
    assert continued(FIRST, store) == FIRST


def test_later_looks_are_at_what_is_open_with_the_error_that_is_left(store: Store) -> None:
    later = continued(LATER, store)
    assert later.comparisons == [comparison("concat")]
    assert later.alpha == pytest.approx(0.03)
    assert later.continues == FIRST.name
    assert later.looks == (40, 60)
    later.declare(store.root)
    assert continued(LATER, store) == later
    with pytest.raises(UserError, match="these looks were given up for later ones"):
        continued(FIRST, store)


def test_later_looks_may_be_followed_by_still_later_ones(store: Store) -> None:
    later = continued(LATER, store)
    take(store, later, 40, 0.012, None)
    last = continued(replace(LATER, seeds=list(range(90)), looks=(70, 90)), store)
    assert last.alpha == pytest.approx(0.03 - 0.012)
    assert last.continues == later.name


def test_other_comparisons_and_margins_are_other_plans(store: Store) -> None:
    for other in (replace(LATER, margin=1.0), replace(LATER, comparisons=[comparison("tensor")])):
        assert continued(other, store) == other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"looks": (10, 60)}, "further looks have to come after it"),
        ({"seeds": list(range(1, 61))}, "on the same seeds and more"),
    ],
)
def test_looks_that_are_not_later_are_refused(store: Store, change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        continued(replace(LATER, **change), store)


@pytest.mark.parametrize(
    ("spent", "decisions", "message"),
    [
        (0.0495, ("rejected", None), "nothing is left for further looks"),
        (0.03, ("futile", "rejected"), "all of them are decided"),
    ],
)
def test_without_error_or_anything_open_there_are_no_later_looks(
    store: Store, spent: float, decisions: tuple[str | None, str | None], message: str
) -> None:
    take(store, FIRST, 30, spent, *decisions)
    with pytest.raises(UserError, match=message):
        continued(LATER, store)


def test_a_plan_without_a_look_is_gone_on_with(tmp_path: Path) -> None:
    FIRST.declare(tmp_path)
    with pytest.raises(UserError, match="none was taken yet: go on with these --looks"):
        continued(LATER, Store(tmp_path))
