import numpy as np
import pytest
from scipy import stats

from reports.statistics import smallest_p
from reports.statistics.power import (
    attained_level,
    detectable_difference,
    equivalence_power,
    power,
    sd_limit,
    seeds_for_difference,
    seeds_for_equivalence,
)


def test_power_is_the_tabled_one_of_the_paired_t_test():
    # Cohen, Statistical Power Analysis (1988): two-sided .05, one sample, d = .5, n = 34: .80 (G*Power .8078).
    assert power(0.5, 1.0, 34) == pytest.approx(0.8078, abs=5e-4)
    assert power(0.5, 1.0, 33) == pytest.approx(1 - stats.nct.cdf(2.036933, 32, 0.5 * 33**0.5), abs=1e-4)
    assert power(0.0, 1.0, 12) == pytest.approx(0.05, abs=1e-6)


def test_the_seeds_needed_are_the_smallest_number_with_power():
    needed = seeds_for_difference(0.5, 1.0, n=10)
    assert needed.at_sd == 34  # G*Power, d_z = .5
    assert power(0.5, 1.0, 34) >= 0.8 > power(0.5, 1.0, 33)
    for seeds, confidence in ((needed.low, 0.2), (needed.high, 0.8)):
        spread = sd_limit(1.0, 10, confidence)
        assert power(0.5, spread, seeds) >= 0.8 > power(0.5, spread, seeds - 1)
    assert needed.low < needed.at_sd < needed.high
    assert seeds_for_difference(0.001, 1.0, n=10).at_sd is None


def test_the_detectable_difference_is_the_one_with_power():
    assert detectable_difference(1.0, 34) == pytest.approx(0.5, abs=0.01)  # G*Power, d_z = .5
    for sd, n, level, degrees in ((1.3, 8, 0.01, None), (0.2, 20, 0.05, None), (2.0, 12, 0.005, 3)):
        delta = detectable_difference(sd, n, level, degrees)
        free, shift = (n - 1 if degrees is None else degrees), delta * n**0.5 / sd
        critical = stats.t.isf(level / 2, free)
        assert stats.nct.sf(critical, free, shift) == pytest.approx(0.8, abs=1e-4)  # the other tail is empty
    x = np.random.default_rng(3).normal(detectable_difference(1.0, 10), 1, size=(20_000, 10))
    assert (stats.ttest_1samp(x, 0, axis=1).pvalue <= 0.05).mean() == pytest.approx(0.8, abs=0.01)


def test_what_cannot_be_detected_is_said():
    assert np.isnan([detectable_difference(1.0, 1), detectable_difference(np.nan, 8)]).all()
    assert detectable_difference(1.0, 8, level=0.0) == np.inf
    assert detectable_difference(0.0, 8) == 0.0


def test_a_stricter_level_needs_more_seeds():
    assert seeds_for_difference(0.5, 1.0, 10, level=0.005).at_sd > seeds_for_difference(0.5, 1.0, 10).at_sd
    assert power(0.5, 1.0, 20, level=0.0) == 0.0


def test_the_limit_of_the_sd_covers_as_often_as_it_says():
    sds = np.random.default_rng(0).normal(size=(20_000, 8)).std(axis=1, ddof=1)
    assert (sd_limit(1.0, 8) * sds >= 1).mean() == pytest.approx(0.8, abs=0.01)
    assert (sd_limit(1.0, 8, 0.2) * sds >= 1).mean() == pytest.approx(0.2, abs=0.01)


def test_equivalence_power_is_the_share_of_intervals_within_the_margin():
    rng = np.random.default_rng(1)
    for n, delta in ((8, 1.0), (20, 0.5), (10, 0.4)):
        x = rng.normal(size=(20_000, n))
        half = stats.t.isf(0.05, n - 1) * x.std(axis=1, ddof=1) / n**0.5
        share = (np.abs(x.mean(axis=1)) + half < delta).mean()
        assert equivalence_power(delta, 1.0, n) == pytest.approx(share, abs=0.012)
    assert equivalence_power(0.5, 1.0, seeds_for_equivalence(0.5, 1.0, 10).at_sd) >= 0.8


def test_a_spread_of_zero_shows_everything_and_an_unknown_one_nothing():
    assert power(0.5, 0.0, 8) == equivalence_power(0.5, 0.0, 8) == 1.0
    assert np.isnan([power(0.5, np.nan, 1), equivalence_power(0.5, np.nan, 1), sd_limit(0.0, 1)]).all()


@pytest.mark.parametrize(("n", "level"), [(5, 0.0), (6, 1 / 32), (8, 6 / 128), (10, 25 / 512)])
def test_the_flip_test_attains_a_multiple_of_its_floor(n, level):
    assert attained_level(n) == level


@pytest.mark.parametrize("n", [1023, 1024, 1025, 1100, 10_000])
def test_thousands_of_seeds_attain_the_level_and_have_a_floor_above_zero(n):
    assert attained_level(n) == 0.05
    assert 0 < smallest_p(n) < 1e-300


@pytest.mark.parametrize(("n", "d_z"), [(8, 1.0), (10, 1.0), (12, 0.6)])
def test_the_flip_test_has_the_power_of_the_t_test_at_its_attained_level(n, d_z):
    from reports.statistics.family import joint_flip_test

    x = np.random.default_rng(2).normal(d_z, 1, size=(n, 4_000))
    share = (joint_flip_test(x).p <= 0.05).mean()
    assert share == pytest.approx(power(d_z, 1.0, n, attained_level(n)), abs=0.025)
