import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.statistics import Verdict, conjunction, judge, not_testable, paired_comparison
from reports.statistics.effects import Interval
from reports.statistics.power import power, sd_limit
from reports.statistics.sign_flips import FlipTest
from reports.statistics.verdicts import Judgement, seeds_to_test

BASE = paired_comparison(np.arange(10.0), np.zeros(10))


def comparison(n=10, mean=1.0, interval_90=(0.6, 1.4), sd=0.7, p=0.01):
    return replace(
        BASE, seeds=tuple(range(n)), mean=mean, sd=sd, interval_90=Interval(*interval_90), flip=FlipTest(p, 0, 0, True)
    )


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


def part(verdict, alone=None):
    return Judgement(verdict, alone or verdict, "", {})


@pytest.mark.parametrize("others", list(itertools.product(Verdict, repeat=2)))
def test_a_conjunction_is_contradicted_by_one_part_and_supported_by_all(others):
    found = conjunction([part(v) for v in (Verdict.SUPPORTED, *others)])
    if Verdict.CONTRADICTED in others:
        assert found is Verdict.CONTRADICTED
    elif set(others) == {Verdict.SUPPORTED}:
        assert found is Verdict.SUPPORTED
    else:
        assert found in set(others) - {Verdict.SUPPORTED}


def test_the_parts_of_a_conjunction_need_no_adjustment():
    weak = part(Verdict.UNDERPOWERED, alone=Verdict.SUPPORTED)
    assert conjunction([weak, part(Verdict.SUPPORTED)]) is Verdict.SUPPORTED
    assert conjunction([weak, part(Verdict.UNDERPOWERED)]) is Verdict.UNDERPOWERED
    assert conjunction([weak, not_testable("x", "no runs")]) is Verdict.NOT_TESTABLE
    # opposite direction by its raw p alone: no support, and no contradiction either
    against = part(Verdict.NO_DIFFERENCE_SHOWN, alone=Verdict.CONTRADICTED)
    assert conjunction([weak, against]) is Verdict.UNDERPOWERED


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
    assert few.sentence == (
        "css − adam: +0.24 F1, n = 5; the smallest possible p is 0.0625, a test needs 8 seeds: too few seeds."
    )
    assert not_testable("(a)", "no predictions of the baselines").sentence == (
        "(a): no predictions of the baselines: not testable."
    )


@pytest.mark.parametrize(("alpha", "n"), [(0.05, 8), (2 / 2**9, 9), (0.005, 9), (0.001, 11)])
def test_the_number_of_seeds_with_which_a_test_can_reject(alpha, n):
    assert seeds_to_test(alpha) == n
    assert 2 / 2**n <= alpha


@pytest.mark.parametrize(("claim", "margin"), [(0, 0.5), (1, 0.0), (1, math.nan)])
def test_a_claim_needs_a_direction_and_a_margin(claim, margin):
    with pytest.raises(ValueError, match="margin positive"):
        judge(BASE, 0.01, label="x", margin=margin, claim=claim)


def test_a_conjunction_needs_parts():
    with pytest.raises(ValueError, match="without parts"):
        conjunction([])
