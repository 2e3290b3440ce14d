"""How many seeds a followed family is going to take, by the spread of runs that are there."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import reports
from tests.reports.inference.preregistrations import declare, set_f1

PAIRS = [("meld", "css", "adam"), ("meld", "css", "concat")]


@pytest.fixture
def store(tmp_path: Path, add_run, edit_json) -> Path:
    """meld: css, adam and concat × 4 seeds, whose differences have an sd of about half a point and of 4 points."""
    for label, seed in product(("css", "adam", "concat"), range(4)):
        add_run(tmp_path / "store", "meld", label, seed, epochs=2)
    rng = np.random.default_rng(0)
    css = 0.6 + 0.01 * rng.normal(size=4)
    near, far = css + 0.005 * rng.normal(size=4), css + 0.04 * np.array([1, -1, 1, -1])
    set_f1(tmp_path / "store", edit_json, {PAIRS[0][:2]: list(css), ("meld", "adam"): list(near),
                                          ("meld", "concat"): list(far)})  # fmt: skip
    return tmp_path / "store"


def expected(store: Path, *pairs: tuple[str, str, str], margin: float) -> dict[str, float] | None:
    """By label; of a plan that has not been declared."""
    path = declare(store, *pairs, looks=(8, 12, 20), seeds=range(20), margin=margin)
    content = json.loads(path.read_text())
    path.unlink()
    found = reports.expected_seeds(store, content)
    labels = {c[side]["group"]: c[side]["label"] for c in content["comparisons"] for side in "ab"}
    return found and {labels[group]: seeds for group, seeds in found.items()}


def test_clear_differences_take_the_first_look_and_a_reference_as_long_as_its_last_rival(store: Path) -> None:
    found = expected(store, *PAIRS, margin=3.0)
    assert found is not None
    assert found["adam"] == 8
    assert 8 < found["concat"] <= found["css"] <= 20


def test_without_enough_runs_nothing_is_to_be_expected(store: Path) -> None:
    assert expected(store, *PAIRS, ("meld", "css", "tensor"), margin=3.0) is None
