"""Which declarations are in force, from the files of a store."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmark.experiment.preregistration import Preregistration
from reports.inference.claims import check_claims
from reports.inference.plans import in_force
from reports.reading.preregistration import read_preregistrations
from reports.statistics import Verdict
from tests.reports.inference.preregistrations import BASE, SMALL, declare, inferred, set_f1

PAIR = ("meld", "css", "adam")
DAYS = [f"2025-12-{day:02}T00:00:00+00:00" for day in (1, 2, 3)]  # before the runs of the fixtures


@pytest.fixture
def two(tmp_path: Path, add_run) -> Path:
    """meld: css and adam, one run each: enough to declare."""
    for label in ("css", "adam", "concat"):
        add_run(tmp_path / "store", "meld", label, 0, epochs=2)
    return tmp_path / "store"


def plans(store: Path) -> list[list[int]]:
    return [sorted(plan.seeds) for plan in in_force(read_preregistrations(store))]


def test_a_look_that_could_reject_nothing_is_extended(two: Path):
    declare(two, PAIR, at=DAYS[0], seeds=range(5))
    declare(two, PAIR, at=DAYS[1], seeds=range(12))
    (plan,) = in_force(read_preregistrations(two))
    assert sorted(plan.seeds) == list(range(12))
    assert {seed: time.day for seed, time in plan.seeds.items()} == {s: 1 if s < 5 else 2 for s in range(12)}


def test_new_seeds_alone_extend_too(two: Path):
    declare(two, PAIR, at=DAYS[0], seeds=range(5))
    declare(two, PAIR, at=DAYS[1], seeds=range(5, 12))
    assert plans(two) == [list(range(12))]


def test_after_the_first_look_with_a_possible_rejection_nothing_extends(two: Path):
    """2/2⁶ = .031 is below .05, 2/2⁵ = .0625 is not."""
    for seeds, at in ((6, DAYS[0]), (12, DAYS[1])):
        declare(two, PAIR, at=at, seeds=range(seeds))
    assert plans(two) == [list(range(6)), list(range(12))]


def test_an_extension_is_extended_until_it_can_reject(two: Path):
    for seeds, at in zip((3, 5, 12), DAYS, strict=True):
        declare(two, PAIR, at=at, seeds=range(seeds))
    assert plans(two) == [list(range(12))]


@pytest.mark.parametrize(
    ("pairs", "margin"), [([PAIR], 1.0), ([("meld", "css", "concat")], 0.5), ([PAIR, ("meld", "css", "concat")], 0.5)]
)
def test_another_margin_or_choice_of_comparisons_is_another_plan(two: Path, pairs, margin: float):
    declare(two, PAIR, at=DAYS[0], seeds=range(5))
    declare(two, *pairs, at=DAYS[1], seeds=range(12), margin=margin)
    assert plans(two) == [list(range(5)), list(range(12))]


def test_what_cssbench_declares_twice_is_one_plan(two: Path):
    """`--preset quick` and then more seeds, with the function that the command uses."""
    declare(two, PAIR)
    (path,) = two.glob("preregistrations/*")
    comparisons = json.loads(path.read_text(encoding="utf-8"))["comparisons"]
    path.unlink()
    assert Preregistration(comparisons, range(5), 0.5).declare(two) is not None
    assert Preregistration(comparisons, range(12), 0.5).declare(two) is not None
    assert Preregistration(comparisons, range(12), 0.5).declare(two) is None
    assert plans(two) == [list(range(12))]


def test_quick_and_then_more_seeds_is_confirmatory(tmp_path: Path, add_run, edit_json):
    store = tmp_path / "store"
    for label, seed in product(("css", "adam"), range(10)):
        add_run(store, "meld", label, seed, epochs=2, created=f"2026-01-{2 if seed < 5 else 9:02}T00:00:00+00:00")
    set_f1(store, edit_json, {("meld", "css"): list(BASE + 0.03 + SMALL), ("meld", "adam"): list(BASE)})
    declare(store, PAIR, at="2026-01-01T00:00:00+00:00", seeds=range(5))
    declare(store, PAIR, at="2026-01-08T00:00:00+00:00", seeds=range(10))
    _, inference = inferred(store)
    (contrast,) = inference.contrasts
    assert (contrast.remark, contrast.judgement.verdict) == ("", Verdict.SUPPORTED)
    assert "extended on 2026-01-08 00:00 UTC" in inference.declarations["meld"]
    assert contrast.standing.counts == "10 / 10 / 0"


def test_runs_begun_before_the_extension_that_names_them_are_exploratory(tmp_path: Path, add_run):
    store = tmp_path / "store"
    for label, seed in product(("css", "adam"), range(10)):
        add_run(store, "meld", label, seed, epochs=2, created="2026-01-02T00:00:00+00:00")
    declare(store, PAIR, at="2026-01-01T00:00:00+00:00", seeds=range(5))
    declare(store, PAIR, at="2026-01-08T00:00:00+00:00", seeds=range(10))
    assert inferred(store)[1].contrasts[0].remark == "declared after 10 of its 20 runs were begun"


@pytest.fixture
def three(tmp_path: Path, add_run, edit_json) -> Path:
    """meld: css, adam and two rivals × 10 seeds; css − adam has raw p .03 and more than .05 in the family of three."""
    store = tmp_path / "store"
    for label, seed in product(("css", "adam", "concat", "tensor"), range(10)):
        add_run(store, "meld", label, seed, epochs=2)
    rng = np.random.default_rng(2)
    gain = np.array([3, 2, 1, 2, 3, -1, 2, -1, 2, 0.2]) / 100
    scores = {"css": [0.6] * 10, "adam": list(0.6 - gain)}
    scores |= {label: list(0.6 - 0.03 * rng.normal(size=10)) for label in ("concat", "tensor")}
    set_f1(store, edit_json, {("meld", label): values for label, values in scores.items()})
    return store


@pytest.mark.parametrize("how", ["declared", "undeclared", "late", "the other way round"])
def test_a_claim_is_judged_no_more_leniently_where_it_was_not_declared(three: Path, how: str):
    rivals = ("adam", "concat", "tensor")
    pairs = [("meld", b, "css") if how == "the other way round" else ("meld", "css", b) for b in rivals]
    if how != "undeclared":
        declare(three, *pairs, at="2026-06-01T00:00:00+00:00" if how == "late" else DAYS[0])
    evidence, inference = inferred(three)
    claim = next(claim for claim in check_claims(evidence, inference) if claim.id == "b2")
    (part,) = claim.parts
    contrast = inference.find("meld", "css", "adam")
    assert contrast is not None
    assert part.judgement.numbers["p"] < 0.05 < part.judgement.numbers["p_adjusted"]
    assert part.judgement.numbers["p_adjusted"] == contrast.p_adjusted
    assert part.judgement.verdict is Verdict.UNDERPOWERED
    exploratory = how in ("undeclared", "late")
    assert part.exploratory == claim.exploratory(["meld"]) == exploratory
    assert ("Exploratory" in claim.words("meld")) == exploratory


def test_each_data_set_has_its_own_margin(tmp_path: Path, add_run, edit_json):
    store = tmp_path / "store"
    scores = {}
    for dataset, label, seed in product(("meld", "meld-sim"), ("css", "adam"), range(8)):
        add_run(store, dataset, label, seed, epochs=2)
        scores[dataset, label] = list(BASE[:8] + (0.012 + SMALL[:8] / 10 if label == "css" else 0))
    set_f1(store, edit_json, scores)
    declare(store, ("meld", "css", "adam"), margin=3.0)
    declare(store, ("meld-sim", "css", "adam"), margin=0.5)
    evidence, inference = inferred(store)
    claim = next(claim for claim in check_claims(evidence, inference) if claim.id == "b2")
    found = {part.dataset: part.judgement for part in claim.parts}
    assert {name: judgement.numbers["margin"] for name, judgement in found.items()} == {"meld": 3.0, "meld-sim": 0.5}
    assert found["meld"].verdict is Verdict.WITHIN_MARGIN
    assert found["meld-sim"].verdict is Verdict.SUPPORTED
