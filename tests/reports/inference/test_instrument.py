"""What was planted against what was found: numbers, direction, and what is missing."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from reports.inference.instrument import Check, check_instrument
from reports.statistics import Verdict
from tests.reports.inference.preregistrations import BASE, SMALL, WIDE, declare, inferred
from tests.reports.inference.simulated import CEILING, NOTHING, PLANTED, corpus
from tests.reports.synthetic_imports import write_import


def checked(store: Path) -> Check:
    (check,) = check_instrument(*inferred(store))
    return check


@pytest.mark.parametrize("first", ["css", "linear"])
def test_the_planted_effect_is_the_ceilings_difference_and_the_found_one_that_of_the_runs(tmp_path: Path, first: str):
    """Whichever of the two was declared to be the first."""
    differences = 0.05 + SMALL
    store = corpus(tmp_path / "store", {"css": BASE + differences, "linear": BASE, "adam": BASE + 0.3})
    declare(store, ("meld-sim", first, "linear" if first == "css" else "css"))
    check = checked(store)
    assert check.planted is not None
    assert (check.planted.points, check.planted.se) == pytest.approx((7.0, 0.25))
    gain = check.gain
    assert gain is not None
    low, high = stats.ttest_1samp(100 * differences, 0).confidence_interval(0.95)
    assert (gain.label, gain.n, gain.exploratory) == ("css − linear", 10, False)
    assert (gain.mean, *gain.interval) == pytest.approx((5.0, low, high))
    assert (gain.verdict, gain.direction) == (Verdict.SUPPORTED, 1)
    assert check.shortfall == pytest.approx(68 - 100 * BASE.mean())
    assert check.missing == ""
    assert check.basis is gain


@pytest.mark.parametrize(
    ("gain", "verdict", "direction"),
    [
        (-0.05 + SMALL, Verdict.CONTRADICTED, -1),
        (0.002 + SMALL / 10, Verdict.WITHIN_MARGIN, 1),
        (-0.002 + SMALL / 10, Verdict.WITHIN_MARGIN, -1),
        (0.0001 + SMALL, Verdict.SHOWN_EQUAL, 0),
        (0.01 + WIDE, Verdict.UNDERPOWERED, 0),
    ],
)
def test_a_direction_is_that_of_a_shown_difference(tmp_path: Path, gain, verdict: Verdict, direction: int):
    gain = checked(corpus(tmp_path / "store", {"css": BASE + gain, "linear": BASE})).gain
    assert gain is not None
    assert (gain.verdict, gain.direction, gain.exploratory) == (verdict, direction, True)


def test_so_many_seeds_see_the_detectable_difference_with_probability_four_fifths(tmp_path: Path):
    store = corpus(tmp_path / "store", {"css": BASE + WIDE, "linear": BASE})
    gain = checked(store).gain
    assert gain is not None
    assert gain.sd == pytest.approx(100 * WIDE.std(ddof=1))
    level = inferred(store)[1].contrasts[0].level
    critical = stats.t.isf(level / 2, 9)
    assert stats.nct.sf(critical, 9, gain.detectable * 10**0.5 / gain.sd) == pytest.approx(0.8, abs=1e-3)


def test_seeds_of_a_session_count_as_one_for_what_can_be_seen(tmp_path: Path):
    gain = checked(corpus(tmp_path / "store", {"css": BASE + WIDE, "linear": BASE}, dataset="iemocap-sim")).gain
    assert gain is not None
    level = inferred(tmp_path / "store")[1].contrasts[0].level
    critical = stats.t.isf(level / 2, 3)  # four sessions
    assert stats.nct.sf(critical, 3, gain.detectable * 10**0.5 / gain.sd) == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(
    ("methods", "missing"),
    [
        (("css", "adam"), "linear, which only adds modalities"),
        (("css-released", "linear"), "released/linear, which only adds modalities"),
        (("linear",), "css, which can multiply modalities"),
    ],
)
def test_a_missing_method_is_named(tmp_path: Path, methods: tuple[str, ...], missing: str):
    check = checked(corpus(tmp_path / "store", dict.fromkeys(methods, BASE)))
    assert check.gain is None
    assert check.missing.startswith(f"{missing}, has no runs here: add {missing.partition(',')[0]} to --methods")
    assert np.isnan(check.shortfall)


def test_the_additive_method_is_the_one_of_the_references_encoder(tmp_path: Path):
    scores = {"css-released": BASE + 0.05 + SMALL, "linear": BASE - 0.3, "released/linear": BASE}
    gain = checked(corpus(tmp_path / "store", scores)).gain
    assert gain is not None
    assert gain.label == "css-released − released/linear"
    assert gain.mean == pytest.approx(5.0)


def test_methods_without_a_common_seed_are_not_compared(tmp_path: Path, edit_json):
    store = corpus(tmp_path / "store", {"css": BASE[:2], "linear": BASE[:1]})
    for path in store.glob("runs/*/spec.json"):
        if '"label": "css"' in path.read_text() and '"seed": 0' in path.read_text():
            (path.parent / "result.json").unlink()
    check = checked(store)
    assert check.gain is None
    assert check.missing == "no seed that both have"
    assert check.basis is None


@pytest.mark.parametrize("seeds", [1, 2, 7])
def test_few_seeds_have_estimates_and_no_verdict(tmp_path: Path, seeds: int):
    gain = (0.05 + SMALL)[:seeds]
    check = checked(corpus(tmp_path / "store", {"css": BASE[:seeds] + gain, "linear": BASE[:seeds]}))
    assert check.gain is not None
    assert (check.gain.verdict, check.gain.direction, check.gain.needed) == (None, 0, 8)
    assert check.gain.mean == pytest.approx(100 * gain.mean())
    assert np.isfinite(check.gain.interval).all() == (seeds > 1)
    assert np.isnan(check.gain.detectable)
    assert not check.verdicts


def test_runs_that_learned_nothing_say_nothing_of_what_can_be_seen(tmp_path: Path):
    check = checked(corpus(tmp_path / "store", {"css": BASE + 0.05 + SMALL, "linear": BASE * 0}))
    assert check.gain is not None
    assert check.gain.verdict is Verdict.NOT_TESTABLE
    assert check.gain.direction == 0
    assert np.isnan(check.gain.detectable)


def test_where_nothing_is_planted_the_largest_difference_is_told(tmp_path: Path):
    scores = {
        "css": BASE, "adam": BASE + 0.03 + SMALL, "concat": BASE + SMALL, "tensor": BASE - 0.04 + WIDE,
        "concat+pgm": BASE - 0.002 + SMALL / 10,
    }  # fmt: skip
    check = checked(corpus(tmp_path / "store", scores, NOTHING))
    assert check.planted is not None
    assert (check.planted.points, check.planted.se) == (0, 0)
    assert check.gain is None
    assert check.missing == ""  # without anything planted no method is missing
    assert check.largest is not None
    assert check.largest.label == "css − tensor"
    low, high = stats.ttest_1samp(100 * (0.04 - WIDE), 0).confidence_interval(0.95)
    assert (check.largest.mean, *check.largest.interval) == pytest.approx((4.0, low, high))
    assert check.comparisons == 4
    assert check.verdicts == {
        Verdict.CONTRADICTED: 1, Verdict.SHOWN_EQUAL: 1, Verdict.UNDERPOWERED: 1, Verdict.WITHIN_MARGIN: 1,
    }  # fmt: skip
    assert check.basis is check.largest


def test_the_better_method_comes_first_in_the_largest_difference(tmp_path: Path):
    check = checked(corpus(tmp_path / "store", {"css": BASE, "adam": BASE + 0.03 + SMALL}, NOTHING))
    assert check.largest is not None
    assert (check.largest.label, check.largest.verdict) == ("adam − css", Verdict.SUPPORTED)
    assert check.largest.mean == pytest.approx(3.0)


@pytest.mark.parametrize("ceiling", [None, CEILING])
def test_runs_whose_manifest_does_not_say_what_was_planted_are_told_apart(tmp_path: Path, ceiling):
    check = checked(corpus(tmp_path / "store", {"css": BASE + 0.05, "linear": BASE}, ceiling))
    assert check.planted is None
    assert check.gain is None
    assert check.largest is not None


def test_real_data_and_imported_methods_are_in_no_check(tmp_path: Path):
    store = corpus(tmp_path / "store", {"css": BASE, "linear": BASE + SMALL}, NOTHING)
    corpus(store, {"css": BASE, "linear": BASE}, None, dataset="meld")
    for paired in (True, False):
        write_import(store, list(100 * BASE + 20), f"paired {paired}", "meld-sim", "validation", paired)
    check = checked(store)
    assert check.dataset == "meld-sim"
    assert check.comparisons == 1
    assert check.largest is not None
    assert {check.largest.first, check.largest.second} == {"css", "linear"}


def test_every_simulated_corpus_has_its_check(tmp_path: Path):
    store = corpus(tmp_path / "store", {"css": BASE + 0.05 + SMALL, "linear": BASE})
    corpus(store, {"css": BASE, "linear": BASE}, NOTHING, dataset="iemocap-sim")
    planted = {c.dataset: c.planted.points for c in check_instrument(*inferred(store)) if c.planted is not None}
    assert planted == {"iemocap-sim": 0, "meld-sim": pytest.approx(100 * (PLANTED["weighted_f1"] - 0.68))}
