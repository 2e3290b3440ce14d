import math

import numpy as np
import pytest
from scipy import stats

from reports.measures import stability
from reports.statistics import mean_known, share_below, smallest_p, summarize, variance_over_runs


def test_the_interval_is_the_one_of_scipys_t_test():
    values = np.array([0.71, 0.69, 0.74, 0.70, 0.72])
    summary = summarize(values)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (summary.low, summary.high) == pytest.approx((oracle.low, oracle.high))
    assert summary.sd == pytest.approx(stats.tstd(values))
    assert summary.variance == pytest.approx(stats.tvar(values))
    assert summary.range == pytest.approx(0.05)
    assert summary.n == 5


def test_one_run_has_a_mean_and_no_spread():
    summary = summarize(np.array([0.7]))
    assert (summary.n, summary.mean) == (1, 0.7)
    for value in (summary.sd, summary.variance, summary.range, summary.low, summary.high):
        assert math.isnan(value)


def test_unknown_values_are_left_out_and_n_says_so():
    summary = summarize(np.array([1.0, np.nan, 3.0]))
    assert (summary.n, summary.mean) == (2, 2.0)
    assert summarize(np.array([np.nan])).n == 0
    assert math.isnan(mean_known(np.array([np.nan])))


def test_a_share_counts_known_values_strictly_below():
    assert share_below(np.array([-0.2, -0.1, 0.1, np.nan]), -0.1) == pytest.approx(1 / 3)
    assert math.isnan(share_below(np.array([np.nan]), 0.0))


def test_variance_over_runs_averages_the_epochs_variances():
    curves = np.array([[1.0, 2.0], [3.0, 2.0], [5.0, 5.0]])
    assert variance_over_runs(curves) == pytest.approx((4.0 + 3.0) / 2)
    assert math.isnan(variance_over_runs(curves[:1]))


@pytest.mark.parametrize(("n", "p"), [(0, 1.0), (1, 1.0), (5, 0.0625), (8, 2 / 256)])
def test_the_smallest_p_halves_with_every_seed(n: int, p: float):
    assert smallest_p(n) == p


def test_the_residual_is_log_loss_minus_a_median_over_one_epoch_to_either_side():
    loss = np.exp(np.random.default_rng(0).normal(size=40))
    log = np.log(loss)
    expected = [log[t] - np.median(log[max(0, t - 5) : t + 6]) for t in range(40)]
    np.testing.assert_allclose(stability.loss_residual(loss, 5), expected)


def test_volatility_ignores_the_trend_and_the_early_steps():
    rng = np.random.default_rng(1)
    noise = 0.05 * rng.normal(size=4000)
    noise[:2000] *= 10
    residual = stability.loss_residual(np.exp(1 - np.arange(4000) / 2000 + noise), 50)
    assert stability.volatility(residual) == pytest.approx(0.05, rel=0.1)


def test_volatility_is_unknown_when_a_late_loss_is_not_finite():
    loss = np.ones(40)
    loss[-3] = np.inf
    assert math.isnan(stability.volatility(stability.loss_residual(loss, 5)))


def test_spikes_are_upward_jumps_after_the_first_tenth():
    rng = np.random.default_rng(2)
    log = 0.01 * rng.normal(size=400)
    log[[10, 200, 300]] += 1  # the first is in the warm-up
    log[350] -= 1
    assert stability.spikes(stability.loss_residual(np.exp(log), 20)) == 2
    assert math.isnan(stability.spikes(stability.loss_residual(np.full(200, np.nan), 20)))


def test_late_sd_uses_the_last_quarter_of_the_epochs():
    scores = np.array([0.0, 0.9, 0.1, 0.5, 0.6, 0.2, 0.50, 0.54])
    assert stability.late_sd(scores) == pytest.approx(np.std([0.50, 0.54], ddof=1))
    assert math.isnan(stability.late_sd(np.array([0.5])))


def test_a_quantile_leaves_out_what_is_not_finite():
    assert stability.quantile(np.array([1.0, 3.0, np.nan, np.inf]), 0.5) == 2.0
    assert math.isnan(stability.quantile(np.array([np.nan]), 0.5))


def test_majority_f1_is_sklearns_for_a_constant_answer():
    metrics = pytest.importorskip("sklearn.metrics")
    labels = np.repeat([0, 1, 2], [5, 9, 2])
    confusion = np.diag([5.0, 9.0, 2.0])
    oracle = metrics.f1_score(labels, np.ones_like(labels), average="weighted", zero_division=0)
    assert stability.majority_f1(confusion) == pytest.approx(oracle)
