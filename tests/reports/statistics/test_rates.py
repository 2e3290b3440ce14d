from itertools import product

import numpy as np
import pytest
from scipy import stats

from reports.statistics import Verdict, judge_rates, rate_comparison
from reports.statistics.rates import Share, difference_interval, share_of


def rates(only_a, only_b, both, neither):
    events = [(1, 0)] * only_a + [(0, 1)] * only_b + [(1, 1)] * both + [(0, 0)] * neither
    return rate_comparison(*np.array(events, dtype=float).reshape(-1, 2).T)


def judged(comparison, margin=10.0):
    return judge_rates(comparison, comparison.difference.p, label="css − b, diverged runs", margin=margin)


@pytest.mark.parametrize(("n", "bound"), [(8, 31), (12, 22), (60, 5)])
def test_no_event_on_either_side_is_too_few_and_shows_nothing_equal(n, bound):
    found = judged(rates(0, 0, 0, n))
    assert found.verdict is found.alone is Verdict.TOO_FEW_EVENTS
    assert (
        f"0 of {n} against 0 of {n}; without an event in {n} runs the true share may be up to {bound} %"
        in found.sentence
    )
    assert Share(0, n).upper(0.95) == pytest.approx(1 - 0.05 ** (1 / n))


def test_few_seeds_and_none_come_first():
    assert judged(rates(0, 0, 0, 7)).verdict is Verdict.TOO_FEW_SEEDS
    assert judged(rates(0, 0, 0, 0)).verdict is Verdict.NOT_TESTABLE


def test_p_is_that_of_the_exact_mcnemar_test():
    for only_a, only_b in ((0, 6), (1, 7), (3, 3)):
        p = rates(only_a, only_b, 1, 2).difference.p
        assert p == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)


def test_the_same_events_on_both_sides_are_no_equality_of_a_few_seeds():
    found = judged(rates(0, 0, 2, 8))
    assert found.verdict is Verdict.UNDERPOWERED
    assert found.numbers["low_90"] < -10
    assert judged(rates(0, 0, 2, 58)).verdict is Verdict.SHOWN_EQUAL


def test_fewer_events_support_and_more_contradict():
    assert judged(rates(0, 8, 0, 2)).verdict is Verdict.SUPPORTED
    assert judged(rates(8, 0, 0, 2)).verdict is Verdict.CONTRADICTED


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize(("p_a", "p_b"), [(0.0, 0.0), (0.05, 0.05), (0.3, 0.1), (0.5, 0.5), (0.02, 0.4)])
def test_the_interval_covers_at_least_as_often_as_it_says(confidence, p_a, p_b):
    """All outcomes of 12 seeds with their multinomial probability."""
    n, covered = 12, 0.0
    for a, b in product(range(n + 1), repeat=2):
        if a + b <= n:
            low, high = difference_interval(Share(a, n), Share(b, n), confidence)
            chance = stats.multinomial.pmf([a, b, n - a - b], n, [p_a, p_b, 1 - p_a - p_b])
            covered += chance * (low <= 100 * (p_a - p_b) <= high)
    assert covered >= confidence


def by_session(x, y):
    return rate_comparison(np.array(x, dtype=float), np.array(y, dtype=float), sessions=4)


def test_limits_of_whole_counts_are_clopper_and_pearsons():
    for events, runs in ((0, 8), (3, 8), (8, 8)):
        exact = stats.binomtest(events, runs).proportion_ci(0.95, method="exact")
        assert tuple(Share(events, runs).limits(0.95)) == pytest.approx((exact.low, exact.high))
        for side, limit in (("less", Share(events, runs).upper(0.8)), ("greater", Share(events, runs).lower(0.8))):
            exact = stats.binomtest(events, runs, alternative=side).proportion_ci(0.8, method="exact")
            assert limit == pytest.approx(exact.high if side == "less" else exact.low)


def test_runs_that_share_sessions_count_by_the_spread_of_the_sessions():
    apart, together = np.tile([1, 0, 0, 0], 5).astype(bool), np.repeat([1, 0, 0, 0], 5).astype(bool)
    groups = tuple(np.arange(20) % 4)
    fewer = (stats.t.ppf(0.975, 19) / stats.t.ppf(0.975, 3)) ** 2  # Korn & Graubard, by hand
    assert share_of(apart, groups).runs == pytest.approx(fewer * (3 / 16) / (1 / 16))  # all events in one session
    assert share_of(together, groups).runs == pytest.approx(fewer * 20)  # as many in every session
    assert share_of(np.zeros(20, dtype=bool), groups) == Share(0.0, 4)
    assert share_of(apart) == Share(5.0, 20)


def test_without_an_event_a_session_counts_once():
    found = judged(by_session([0] * 8, [0] * 8))
    assert found.verdict is Verdict.TOO_FEW_EVENTS
    assert "without an event in 8 runs of 4 held-out sessions the true share may be up to 53 %" in found.sentence


def test_events_in_half_of_the_sessions_are_no_difference_though_as_many_independent_ones_would_be():
    x, y = np.tile([0, 0, 1, 1], 8), np.tile([1, 1, 1, 1], 8)
    y[:2] = 0  # not the same in all sessions
    alone, shared = (rate_comparison(x.astype(float), y.astype(float), sessions=sessions) for sessions in (0, 4))
    assert alone.difference.p < 0.001
    assert judged(alone).verdict is Verdict.SUPPORTED
    assert shared.difference.p > 0.05
    assert "(by session)" in judged(shared).sentence
    assert shared.difference.interval.low < alone.difference.interval.low
    assert shared.difference.interval.high > 0


def test_an_event_in_every_run_of_one_side_alone_is_a_difference_whatever_sessions_share():
    found = by_session([0] * 8, [1] * 8)
    assert judged(found).verdict is Verdict.SUPPORTED
    assert found.difference.p == pytest.approx(2 / 2**8)
