import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.base.errors import UserError
from benchmark.data.datasets import dataset
from benchmark.experiment.grid import expand
from benchmark.experiment.preregistration import Preregistration, Side, plan
from benchmark.experiment.presets import load_preset

METHODS = ["adam", "css", "concat+pgm"]


def pairs(methods: list[str] = METHODS, contrasts: str | None = None, corpora: tuple[str, ...] = ("meld-sim",)) -> Any:
    chosen, preset = [dataset(name, None) for name in corpora], load_preset("smoke")
    return plan(methods, contrasts, lambda text: expand(preset, chosen, [text], [0]))


def labels(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(c["dataset"], c["a"]["label"], c["b"]["label"]) for c in found]


def test_by_default_css_is_compared_with_each_other_method_on_each_data_set():
    expected = [(d, "css", other) for d in ("iemocap-sim", "meld-sim") for other in ("adam", "concat+pgm")]
    assert sorted(labels(pairs(corpora=("iemocap-sim", "meld-sim")))) == expected


def test_without_css_the_first_method_is_the_reference_and_aliases_are_no_rivals():
    assert labels(pairs(["concat", "tensor", "tensor+equal"])) == [("meld-sim", "concat", "tensor")]
    assert pairs(["css", "spf+pgm"]) == []


def test_methods_and_budgets_are_named_as_run_folders_name_them():
    (spec,) = expand(load_preset("smoke"), [dataset("meld-sim", None)], ["adam"], [3])
    assert pairs()[0]["b"] == {"label": "adam", "group": spec.group}
    assert pairs()[0]["budget"] == spec.budget


def test_contrasts_are_read_in_their_order():
    found = pairs(contrasts="css:adam, concat+pgm:spf+equal")
    assert labels(found) == [("meld-sim", "css", "adam"), ("meld-sim", "concat+pgm", "adam")]


@pytest.mark.parametrize(
    ("contrasts", "message"),
    [
        ("css-adam", "write A:B"),
        ("css:", "write A:B"),
        ("css:tensor", r"'tensor', which is not in the grid \(adam, css, concat\+pgm\)"),
        ("css:spf+pgm", "with itself"),
        (",", "names nothing"),
        ("css:nonsense", "unknown"),
    ],
)
def test_contrasts_that_cannot_be(contrasts: str, message: str):
    with pytest.raises(UserError, match=message):
        pairs(contrasts=contrasts)


IMPORTS = {"SDT": [Side("meld-sim", "theirs", "g1", "SDT")], "M3NET": [Side("meld-sim", "theirs", "g2", "M3NET")]}


def test_contrasts_may_name_what_was_imported_on_the_same_data():
    corpora = ("iemocap-sim", "meld-sim")
    chosen, preset = [dataset(name, None) for name in corpora], load_preset("smoke")
    found = plan(METHODS, "css:SDT,SDT:adam", lambda text: expand(preset, chosen, [text], [0]), IMPORTS)
    assert labels(found) == [("meld-sim", "css", "SDT"), ("meld-sim", "SDT", "adam")]
    (ours,) = {c["budget"] for c in pairs()}
    assert {c["budget"] for c in found} == {ours}
    assert found[0]["b"] == {"label": "SDT", "group": "g1"}
    (theirs,) = plan(METHODS, "SDT:M3NET", lambda text: expand(preset, chosen, [text], [0]), IMPORTS)
    assert (theirs["budget"], theirs["a"]["group"], theirs["b"]["group"]) == (ours, "g1", "g2")


def test_a_family_is_declared_once(tmp_path: Path):
    path = Preregistration(pairs(), [1, 0], 0.5).declare(tmp_path)
    assert path is not None
    content = json.loads(path.read_text(encoding="utf-8"))
    assert (content["margin"], content["seeds"], content["metric"]) == (0.5, [0, 1], "weighted_f1")
    before = path.read_bytes()
    assert Preregistration(pairs(), [0, 1], 0.5).declare(tmp_path) is None
    assert path.read_bytes() == before
    for other in ((pairs(), [0, 1], 1.0), (pairs(), [0, 1, 2], 0.5), (pairs(contrasts="css:adam"), [0, 1], 0.5)):
        assert Preregistration(*other).declare(tmp_path) is not None
    assert len(list((tmp_path / "preregistrations").iterdir())) == 4


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan"), float("inf")])
def test_a_margin_is_a_positive_number(tmp_path: Path, margin: float):
    with pytest.raises(UserError, match="--margin must be a positive number of F1 points"):
        Preregistration(pairs(), [0], margin).declare(tmp_path)


def test_looks_are_declared_with_the_order_of_seeds_and_make_another_family(tmp_path: Path):
    followed = Preregistration(pairs(), [5, 3, 4], 0.5, looks=(2, 3), spending="pocock")
    path = followed.declare(tmp_path)
    assert path is not None
    assert path.stem == followed.name
    content = json.loads(path.read_text(encoding="utf-8"))
    assert (content["format"], content["looks"], content["spending"]) == (2, [2, 3], "pocock")
    assert content["seeds"] == [5, 3, 4]
    for other in ({"seeds": [3, 4, 5]}, {"looks": (3,)}, {"spending": "obrien-fleming"}, {"looks": None}):
        assert replace(followed, **other).name != followed.name
