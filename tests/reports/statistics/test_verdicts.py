import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.statistics import (
    Verdict,
    judge,
    judge_unpaired,
    not_testable,
    overruled,
    paired_comparison,
    unpaired_comparison,
)
from reports.statistics.effects import Interval
from reports.statistics.power import power, sd_limit
from reports.statistics.sign_flips import FlipTest
from reports.statistics.verdicts import pointing, seeds_to_test

BASE = paired_comparison(np.arange(10.0), np.zeros(10))


def comparison(n=10, mean=1.0, interval_90=(0.6, 1.4), sd=0.7, p=0.01):
    return replace(
        BASE, seeds=tuple(range(n)), mean=mean, sd=sd, se=sd / n**0.5 if n else math.nan, degrees=n - 1,
        interval_90=Interval(*interval_90), flip=FlipTest(p, 0, 0, True),
    )  # fmt: skip


def verdict(p_adjusted, claim=1, alpha=0.05, level=None, **numbers):
    return judge(
        comparison(**numbers), p_adjusted, label="a − b", margin=0.5, claim=claim, alpha=alpha, level=level
    ).verdict


@pytest.mark.parametrize(
    ("expected", "p", "numbers"),
    [
        (Verdict.TOO_FEW_SEEDS, 0.001, {"n": 7}),
        (Verdict.TOO_FEW_SEEDS, 0.004, {"n": 8, "alpha": 0.005}),  # 2/2⁸ = .0078
        (Verdict.SUPPORTED, 0.05, {"n": 8}),
        (Verdict.SUPPORTED, 0.01, {}),
        (Verdict.CONTRADICTED, 0.01, {"mean": -1.0, "interval_90": (-1.4, -0.6)}),
        (Verdict.SUPPORTED, 0.01, {"mean": -1.0, "interval_90": (-1.4, -0.6), "claim": -1}),
        (Verdict.WITHIN_MARGIN, 0.01, {"mean": 0.3, "interval_90": (0.15, 0.45)}),
        (Verdict.SUPPORTED, 0.01, {"mean": 0.3, "interval_90": (0.1, 0.5)}),  # the interval is open
        (Verdict.SHOWN_EQUAL, 0.4, {"mean": 0.1, "interval_90": (-0.3, 0.49)}),
        (Verdict.UNDERPOWERED, 0.051, {"interval_90": (-0.5, 0.3), "sd": 0.6}),
        (Verdict.NO_DIFFERENCE_SHOWN, 0.051, {"interval_90": (-0.5, 0.3), "sd": 0.3}),
        (Verdict.UNDERPOWERED, 0.051, {"interval_90": (-0.5, 0.3), "sd": 0.3, "level": 1e-4}),
        (Verdict.NOT_TESTABLE, math.nan, {}),
        (Verdict.NOT_TESTABLE, math.nan, {"n": 0}),
        (Verdict.TOO_FEW_SEEDS, math.nan, {"n": 1}),
    ],
)
def test_each_rule(expected, p, numbers):
    assert verdict(p, **numbers) is expected


@given(
    n=st.integers(0, 30),
    p=st.floats(0, 1),
    mean=st.floats(-2, 2).filter(bool),
    half=st.floats(0, 2),
    sd=st.floats(0.01, 2),
)
def test_exactly_one_verdict_applies(n, p, mean, half, sd):
    """The four rules as conditions that have to exclude each other and leave no gap."""
    low, high = mean - half, mean + half
    able = n > 1 and power(0.5, sd_limit(sd, n), n) >= 0.8
    few, rejects, within = n < 8, p <= 0.05, low > -0.5 and high < 0.5
    conditions = {
        Verdict.NOT_TESTABLE: n == 0,
        Verdict.TOO_FEW_SEEDS: n > 0 and few,
        Verdict.WITHIN_MARGIN: not few and rejects and within,
        Verdict.SUPPORTED: not few and rejects and not within and mean > 0,
        Verdict.CONTRADICTED: not few and rejects and not within and mean < 0,
        Verdict.SHOWN_EQUAL: not few and not rejects and within,
        Verdict.UNDERPOWERED: not few and not rejects and not within and not able,
        Verdict.NO_DIFFERENCE_SHOWN: not few and not rejects and not within and able,
    }
    assert [v for v, holds in conditions.items() if holds] == [
        verdict(p, n=n, mean=mean, interval_90=(low, high), sd=sd)
    ]


def test_what_a_part_would_be_alone_is_judged_by_its_raw_p():
    found = judge(comparison(p=0.03), 0.2, label="x", margin=0.5)
    assert found.verdict is Verdict.UNDERPOWERED
    assert found.alone is Verdict.SUPPORTED


def test_the_sentence_says_the_numbers():
    found = judge(comparison(interval_90=(-0.2, 1.1), mean=-0.42), 0.31, label="css − adam", margin=0.5)
    assert found.sentence == (
        "css − adam: −0.42 F1 [2.33, 6.67], p_adj = 0.31, n = 10; power to see 0.5 F1 is 0.35 (80 % upper limit of "
        "the sd: 0.91); 14 to 28 seeds are needed: underpowered."
    )
    assert found.numbers["power"] == pytest.approx(power(0.5, sd_limit(0.7, 10), 10))
    few = judge(comparison(n=5, mean=0.24), 0.06, label="css − adam", margin=0.5)
    assert few.sentence == ("css − adam: +0.24 F1 [2.33, 6.67], n = 5; points to a positive difference: too few seeds.")
    assert (few.shown, few.points) == ("points to a positive difference",) * 2
    assert (found.shown, found.points) == ("underpowered", "")
    assert not_testable("(a)", "no predictions of the baselines").sentence == (
        "(a): no predictions of the baselines: not testable."
    )


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.1, 3.0, "points to a positive difference"),
        (-3.0, -0.1, "points to a negative difference"),
        (-0.4, 0.3, "points to a difference within the margin"),
        (0.1, 0.4, "points to a difference within the margin"),
        (-0.6, 0.3, "open: the interval holds 0"),
        (math.nan, math.nan, "one seed, no interval"),
    ],
)
def test_with_too_few_seeds_the_interval_says_what_the_estimate_points_to(low: float, high: float, said: str):
    assert pointing(Interval(low, high), 0.5) == said


@pytest.mark.parametrize(("alpha", "n"), [(0.05, 8), (2 / 2**9, 9), (0.005, 9), (0.001, 11)])
def test_the_number_of_seeds_with_which_a_test_can_reject(alpha, n):
    assert seeds_to_test(alpha) == n
    assert 2 / 2**n <= alpha


@pytest.mark.parametrize(("claim", "margin"), [(0, 0.5), (1, 0.0), (1, math.nan)])
def test_a_claim_needs_a_direction_and_a_margin(claim, margin):
    with pytest.raises(ValueError, match="margin positive"):
        judge(BASE, 0.01, label="x", margin=margin, claim=claim)


@pytest.mark.parametrize("n", [2, 8, 12])
def test_scores_that_are_the_same_in_every_seed_are_nothing_to_compare(n):
    found = judge(paired_comparison(np.arange(n) / 3, np.arange(n) / 3), 1.0, label="a − b", margin=0.5)
    assert found.verdict is found.alone is Verdict.NOT_TESTABLE
    assert found.sentence == (
        f"a − b: +0.00 F1, n = {n}; the two score the same in every seed, so there is nothing to compare: not testable."
    )
    unpaired = judge_unpaired(unpaired_comparison(np.ones(n), np.ones(8)), 1.0, label="a − b", margin=0.5)
    assert unpaired.verdict is Verdict.NOT_TESTABLE
    assert "nothing to compare" in unpaired.sentence


def test_an_overruled_judgement_keeps_its_numbers_and_says_why():
    judged = judge(comparison(), 0.01, label="a − b", margin=0.5)
    found = overruled(judged, "a − b", Verdict.NOT_TESTABLE, "6 of 8 runs of b diverged")
    assert (found.verdict, found.alone, found.numbers) == (Verdict.NOT_TESTABLE, Verdict.NOT_TESTABLE, judged.numbers)
    assert found.sentence == "a − b: 6 of 8 runs of b diverged: not testable."


def test_power_of_seeds_in_sessions_is_that_of_the_sessions():
    rng = np.random.default_rng(4)
    a = {seed: float(x) for seed, x in enumerate(rng.normal(0.2, 1, 12))}
    grouped = paired_comparison(a, dict.fromkeys(a, 0.0), sessions=4)
    found = judge(grouped, 0.4, label="a − b", margin=0.5)
    spread = sd_limit(grouped.se * 12**0.5, 4)
    assert found.numbers["power"] == pytest.approx(power(0.5, spread, 12, degrees=3))
    assert "at least" in found.sentence
