import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.statistics import paired_comparison
from reports.statistics.effects import d_z_interval
from reports.statistics.sign_flips import sign_flip_test

SCORES = st.lists(st.tuples(*[st.integers(-500, 500)] * 2), min_size=2, max_size=9).map(
    lambda pairs: np.array(pairs, dtype=float).T / 10
)
# Student's hours of sleep gained under two drugs (Biometrika 6, 1908; R's `sleep`): t = 4.0621, p = .002833.
SLEEP = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SLEEP_2 = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def brute_force_p(differences):
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product([1, -1], repeat=len(differences))]
    return np.mean(np.array(sums) >= abs(differences.sum()) - 1e-9)


def test_students_own_example():
    found = paired_comparison(SLEEP_2, SLEEP)
    assert found.mean == pytest.approx(1.58)
    assert found.p_t == pytest.approx(0.002833, abs=1e-6)
    assert found.interval == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    oracle = stats.ttest_rel(SLEEP_2, SLEEP)
    assert found.p_t == pytest.approx(oracle.pvalue)
    assert found.interval_90 == pytest.approx(tuple(oracle.confidence_interval(0.90)))
    assert found.d_z == pytest.approx(oracle.statistic / 10**0.5)
    assert found.improvement == pytest.approx(0.95)  # nine gains and a tie


def test_darwins_maize_has_fishers_p():
    # Fisher, The Design of Experiments, section 21: 1,726 of the 32,768 flips reach the observed sum of 314 eighths.
    eighths = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)
    assert eighths.sum() == 314
    assert sign_flip_test(eighths).p == 1726 / 32768


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_exact_p_is_that_of_all_flips(n):
    differences = np.random.default_rng(n).normal(0.5, 1, n)
    found = sign_flip_test(differences)
    assert found.p == brute_force_p(differences)
    assert (found.exact, found.mc_se, found.floor) == (True, 0.0, min(1.0, 2 / 2**n))
    if n > 1:
        oracle = stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
        )
        assert found.p == pytest.approx(oracle.pvalue)


def test_sums_that_are_equal_on_paper_tie():
    # 0.1 + 0.2 - 0.3 is not 0 in floating point
    differences = np.array([0.3, -0.1, -0.2, 0.1 + 0.2, 0.3])
    assert sign_flip_test(differences).p == sign_flip_test(np.round(differences * 10)).p


def test_beyond_twenty_seeds_random_flips_agree_with_the_normal_limit_and_never_give_zero():
    differences = np.random.default_rng(1).normal(0.3, 1, 24)
    found = sign_flip_test(differences, resamples=20_000)
    assert not found.exact
    z = differences.sum() / np.sqrt((differences**2).sum())
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.01 + 4 * found.mc_se)
    assert found.mc_se == pytest.approx(math.sqrt(found.p * (1 - found.p) / 20_001))
    assert sign_flip_test(np.ones(40), resamples=99).p == 0.01


@given(SCORES)
@settings(max_examples=25)
def test_p_does_not_depend_on_who_is_first_on_a_shift_or_on_the_unit(scores):
    a, b = scores
    found = paired_comparison(a, b, resamples=50)
    other = paired_comparison(b, a, resamples=50)
    moved = paired_comparison(3 * a + 7, 3 * b + 7, resamples=50)
    assert found.p == other.p == moved.p == brute_force_p(a - b)
    assert found.flip.floor <= found.p <= 1
    assert found.mean == -other.mean
    assert found.interval == pytest.approx((-other.interval.high, -other.interval.low))
    assert found.improvement == pytest.approx(1 - other.improvement)
    assert moved.mean == pytest.approx(3 * found.mean)


@given(SCORES)
@settings(max_examples=25)
def test_the_rank_test_is_scipys(scores):
    a, b = scores
    expected = 1.0 if (a == b).all() else stats.wilcoxon(a - b).pvalue
    assert paired_comparison(a, b, resamples=50).p_wilcoxon == pytest.approx(expected)


def test_the_bca_interval_is_scipys_and_warns_below_twenty_seeds():
    differences = np.random.default_rng(3).exponential(size=12)
    found = paired_comparison(differences, np.zeros(12), resamples=9_999)
    oracle = stats.bootstrap((differences,), np.mean, rng=np.random.default_rng(9)).confidence_interval
    assert found.bca == pytest.approx(tuple(oracle), abs=0.06)
    assert "below 20" in found.bca_warning
    assert not paired_comparison(np.arange(20.0), np.zeros(20)).bca_warning


@pytest.mark.parametrize(("d_z", "n"), [(0.0, 10), (0.8, 20), (-1.5, 8), (3.0, 5), (12.0, 3)])
def test_the_limits_of_d_z_have_the_observed_t_as_their_quantile(d_z, n):
    low, high = d_z_interval(d_z, n)
    t = d_z * n**0.5
    assert stats.nct.cdf(t, n - 1, low * n**0.5) == pytest.approx(0.975, abs=1e-5)
    assert stats.nct.cdf(t, n - 1, high * n**0.5) == pytest.approx(0.025, abs=1e-5)


def test_the_probability_of_improvement_has_a_wilson_interval():
    found = paired_comparison([1, 1, 1, 1, 1, 1, 1, -1, -1, -1], np.zeros(10))
    oracle = stats.binomtest(7, 10).proportion_ci(method="wilson")
    assert found.improvement == 0.7
    assert found.improvement_interval == pytest.approx((oracle.low, oracle.high))


def test_no_difference_at_all_is_no_evidence():
    found = paired_comparison([0.7, 0.8, 0.9], [0.7, 0.8, 0.9])
    assert (found.p, found.p_t, found.p_wilcoxon, found.d_z, found.sd) == (1.0, 1.0, 1.0, 0.0, 0.0)
    assert tuple(found.interval) == (0.0, 0.0)
    assert math.isnan(found.bca.low)


def test_equal_differences_have_no_spread_although_floats_differ():
    found = paired_comparison([0.3, 0.4, 0.7], [0.1, 0.2, 0.5])
    assert found.sd == 0.0
    assert (found.p, found.p_t, found.d_z) == (0.25, 0.0, math.inf)
    assert math.isnan(found.d_z_interval.low)


def test_one_seed_has_a_difference_and_nothing_else():
    found = paired_comparison({4: 0.5}, {4: 0.25, 5: 1.0})
    assert (found.n, found.mean, found.dropped, found.p) == (1, 0.25, (5,), 1.0)
    for value in (found.sd, found.p_t, found.d_z, *found.interval, *found.interval_90, *found.d_z_interval, *found.bca):
        assert math.isnan(value)


def test_no_common_seed_gives_no_number():
    found = paired_comparison({1: 0.5}, {2: 0.25})
    assert (found.n, found.dropped) == (0, (1, 2))
    for value in (found.mean, found.sd, found.p, found.p_t, found.p_wilcoxon, found.improvement):
        assert math.isnan(value)


def test_a_notebook_shows_the_numbers_that_decide():
    comparison = paired_comparison(SLEEP_2, SLEEP)
    shown = comparison._repr_html_()
    assert "<td>mean difference</td><td>1.580</td>" in shown
    assert f"[{comparison.interval.low:.3f}, {comparison.interval.high:.3f}]" in shown
    assert f"<td>{comparison.p:.4f}</td>" in shown
    assert "nan" not in paired_comparison(SLEEP[:1], SLEEP_2[:1])._repr_html_()
