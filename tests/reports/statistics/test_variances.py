import itertools
import math

import numpy as np
import pytest
from scipy import stats

from reports.statistics import Verdict, compare_variances, judge_variances
from reports.statistics.variances import log_ratio_interval, pitman_morgan, seeds_for_sd_ratio


def scores(n, ratio, seed=0, correlation=0.5):
    rng = np.random.default_rng(seed)
    a, b = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], size=n).T
    return 70 + ratio * a, 68 + b


@pytest.mark.parametrize("n", [3, 8])
def test_the_p_is_that_of_all_swaps_of_distances_within_seeds(n):
    a, b = scores(n, 0.3)
    distances = np.abs(a - np.median(a)), np.abs(b - np.median(b))
    observed = abs(sum(distances[0] - distances[1]))
    reached = []
    for swap in itertools.product([False, True], repeat=n):
        first, second = np.where(swap, distances[::-1], distances)
        reached.append(abs(sum(first) - sum(second)) >= observed - 1e-12)
    assert compare_variances(a, b).p == np.mean(reached)


def test_location_and_unit_do_not_matter_and_exchange_changes_the_sign():
    a, b = scores(12, 0.5)
    found, other = compare_variances(a, b), compare_variances(10 * b + 3, 10 * a - 100)
    assert found.p == other.p
    assert found.log_ratio == pytest.approx(-other.log_ratio)
    assert found.interval == pytest.approx((-other.interval.high, -other.interval.low))
    assert found.p_pitman_morgan == pytest.approx(pitman_morgan(b, a))
    assert found.log_ratio == pytest.approx(math.log(stats.tvar(a) / stats.tvar(b)))


def test_pitman_morgan_is_the_f_like_t_of_the_ratio_and_the_correlation():
    a, b = scores(15, 0.6, seed=3)
    F, r, n = stats.tvar(a) / stats.tvar(b), stats.pearsonr(a, b).statistic, 15
    t = (F - 1) * (n - 2) ** 0.5 / (4 * F * (1 - r**2)) ** 0.5
    assert pitman_morgan(a, b) == pytest.approx(2 * stats.t.sf(abs(t), n - 2))


def test_the_interval_is_the_jackknife_written_out():
    a, b = scores(9, 0.6, seed=4)

    def theta(i):
        return math.log(stats.tvar(np.delete(a, i)) / stats.tvar(np.delete(b, i)))

    full = math.log(stats.tvar(a) / stats.tvar(b))
    pseudo = [9 * full - 8 * theta(i) for i in range(9)]
    oracle = stats.ttest_1samp(pseudo, 0).confidence_interval(0.95)
    assert log_ratio_interval(a, b, np.arange(9)) == pytest.approx((oracle.low, oracle.high))


def test_seeds_of_a_session_are_left_out_together():
    a, b = scores(12, 0.6, seed=4)
    session = np.arange(12) % 4

    def theta(kept):
        return math.log(stats.tvar(a[kept]) / stats.tvar(b[kept]))

    pseudo = [4 * theta(session >= 0) - 3 * theta(session != s) for s in range(4)]
    oracle = stats.ttest_1samp(pseudo, 0).confidence_interval(0.95)
    by_session = compare_variances(a, b, sessions=4)
    assert by_session.interval == pytest.approx((oracle.low, oracle.high))
    distances = np.abs(a - np.median(a)) - np.abs(b - np.median(b))
    reached = [abs(t_of_means(np.array(signs) * distances, session)) for signs in itertools.product([-1, 1], repeat=12)]
    assert by_session.p == pytest.approx(np.mean(np.array(reached) >= abs(t_of_means(distances, session)) - 1e-9))


def test_sessions_of_other_sizes_have_weights_and_two_are_too_few():
    a, b = scores(7, 0.6, seed=4)
    session = np.arange(7) % 3  # three, two and two seeds
    full = math.log(stats.tvar(a) / stats.tvar(b))
    h = np.array([7 / 3, 7 / 2, 7 / 2])
    theta = np.array([math.log(stats.tvar(a[session != s]) / stats.tvar(b[session != s])) for s in range(3)])
    mean = 3 * full - ((1 - 1 / h) * theta).sum()
    variance = ((h * full - (h - 1) * theta - mean) ** 2 / (h - 1)).sum() / 3
    half = stats.t.ppf(0.975, 2) * variance**0.5
    assert log_ratio_interval(a, b, session) == pytest.approx((mean - half, mean + half))
    assert math.isnan(compare_variances(a, b, sessions=2).interval.low)


def test_many_seeds_of_few_sessions_are_not_many():
    a, b = scores(60, 1.0, seed=1)
    assert judge_variances(compare_variances(a, b), label="x").verdict is Verdict.NO_DIFFERENCE_SHOWN
    assert judge_variances(compare_variances(a, b, sessions=4), label="x").verdict is Verdict.UNDERPOWERED


def t_of_means(values, session):
    return stats.ttest_1samp([values[session == s].mean() for s in np.unique(session)], 0).statistic


def test_values_without_spread_give_no_ratio():
    found = compare_variances([0.5] * 8, np.arange(8.0))
    assert math.isnan(found.log_ratio)
    assert math.isnan(found.interval.low)
    assert math.isnan(pitman_morgan(np.arange(8.0), np.arange(8.0)))
    assert judge_variances(found, label="x").verdict is Verdict.NOT_TESTABLE
    lonely = np.r_[1.0, np.zeros(7)]  # without its first seed it has none
    assert math.isnan(compare_variances(lonely, np.arange(8.0)).interval.low)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_seeds_are_not_an_error(n):
    found = compare_variances(np.arange(n), 2.0 * np.arange(n))
    assert found.n == n
    assert math.isnan(found.interval.low)
    wanted = Verdict.TOO_FEW_SEEDS if n else Verdict.NOT_TESTABLE
    assert judge_variances(found, label="x").verdict is wanted


def test_seeds_are_paired_and_dropped_ones_named():
    found = compare_variances({1: 1.0, 2: 2.0, 3: 4.0}, {2: 1.0, 3: 2.0, 4: 0.0})
    assert (found.seeds, found.dropped) == ((2, 3), (1, 4))


def test_the_verdict_below_fifty_seeds_is_underpowered_unless_the_interval_excludes_zero():
    alike = compare_variances(*scores(20, 1.0, seed=1))
    assert judge_variances(alike, label="x").verdict is Verdict.UNDERPOWERED
    assert "about 63 seeds" in judge_variances(alike, label="x").sentence
    assert (
        judge_variances(compare_variances(*scores(60, 1.0, seed=1)), label="x").verdict is Verdict.NO_DIFFERENCE_SHOWN
    )
    calmer = compare_variances(*scores(20, 0.2))
    assert calmer.interval.high < 0
    assert judge_variances(calmer, label="x").verdict is Verdict.SUPPORTED
    assert judge_variances(calmer, label="x", claim=1).verdict is Verdict.CONTRADICTED
    assert judge_variances(compare_variances(*scores(7, 0.01)), label="x").verdict is Verdict.TOO_FEW_SEEDS


def test_a_small_p_alone_does_not_decide_below_fifty_seeds():
    for seed in range(400):
        found = compare_variances(*scores(20, 0.6, seed=seed, correlation=0.0))
        if found.p <= 0.05 and not found.interval.excludes(0.0):
            assert judge_variances(found, label="x").verdict is Verdict.UNDERPOWERED
            return
    pytest.fail("no such case")


def test_a_third_less_spread_takes_about_sixty_seeds():
    assert 55 <= seeds_for_sd_ratio() <= 65
    rejected = [pitman_morgan(*scores(seeds_for_sd_ratio(), 0.7, seed, 0.0)) <= 0.05 for seed in range(1_000)]
    assert np.mean(rejected) == pytest.approx(0.8, abs=0.04)
