import itertools

import numpy as np
import pytest
from scipy import stats

from reports.statistics import adjust_family, intraclass_correlation, paired_comparison
from reports.statistics.family import joint_flip_test


def by_seed(values, seeds=None):
    return dict(zip(seeds or range(len(values)), values, strict=True))


def grouped(values, seeds=None, sessions=4):
    found = by_seed(values, seeds)
    return paired_comparison(found, dict.fromkeys(found, 0.0), sessions=sessions, resamples=50)


def means(values, seeds, sessions=4):
    groups = np.asarray(seeds) % sessions
    return np.array([np.asarray(values)[groups == g].mean() for g in np.unique(groups)])


def brute_force_p(values, seeds):
    """Share of all flips of single seeds whose |t| of the session means is at least the observed one."""
    signs = np.array(list(itertools.product((1, -1), repeat=len(values))))
    t = np.array([abs(stats.ttest_1samp(means(s * values, seeds), 0).statistic) for s in signs])
    return (t >= t[0] - 1e-9).mean()


@pytest.mark.parametrize("seeds", [list(range(8)), list(range(10)), [0, 1, 2, 3, 5, 6, 9, 13]])
def test_the_interval_is_students_of_the_session_means(seeds):
    values = np.random.default_rng(len(seeds)).normal(0.4, 1, len(seeds))
    found, oracle = grouped(values, seeds), stats.ttest_1samp(means(values, seeds), 0)
    assert found.mean == pytest.approx(means(values, seeds).mean())
    assert found.interval == pytest.approx(tuple(oracle.confidence_interval(0.95)))
    assert found.interval_90 == pytest.approx(tuple(oracle.confidence_interval(0.90)))
    assert found.p_t == pytest.approx(oracle.pvalue)
    assert found.degrees == len(means(values, seeds)) - 1
    assert found.sd == pytest.approx(values.std(ddof=1))  # as description: that of the seeds
    assert found.p == pytest.approx(brute_force_p(values, seeds))


def test_sessions_weigh_the_same_however_many_seeds_they_have():
    assert grouped([1.0, 0, 0, 0, 1.0, 1.0], [0, 1, 2, 3, 4, 8]).mean == 0.25


def test_one_session_has_no_spread_and_one_seed_neither():
    for seeds in ([0, 4, 8], [2]):
        found = grouped([0.1] * len(seeds), seeds)
        assert np.isnan([found.se, *found.interval, found.p_t]).all()


def test_a_family_of_columns_with_and_without_sessions_is_that_of_all_flips():
    rng = np.random.default_rng(3)
    values = rng.normal(0.5, 1, (8, 2))
    comparisons = [grouped(values[:, 0]), grouped(values[:, 1], sessions=0)]
    found = adjust_family(comparisons)
    signs = np.array(list(itertools.product((1, -1), repeat=8)))

    def scores(x):
        t = np.array(
            [stats.ttest_1samp(means(x[:, 0], range(8)), 0).statistic, stats.ttest_1samp(x[:, 1], 0).statistic]
        )
        degrees = np.array([3, 7])
        return degrees * ((8 * degrees + 1) / (8 * degrees + 3)) ** 2 * np.log1p(t**2 / degrees)

    all_scores = np.array([scores(s[:, None] * values) for s in signs])
    expected = [(all_scores.max(axis=1) >= own - 1e-9).mean() for own in scores(values)]
    assert found.adjusted == pytest.approx(expected)
    assert found.p == pytest.approx([c.p for c in comparisons])
    assert found.t[0] == pytest.approx(stats.ttest_1samp(means(values[:, 0], range(8)), 0).statistic)


def test_flips_that_cancel_in_every_session_are_no_evidence():
    values = np.full((8, 1), 0.1)
    groups = (np.arange(8) % 4)[:, None]
    # t is infinite where all sessions have one mean: the identity and its mirror; a mean of 0 has none
    assert joint_flip_test(values, groups=groups).p == pytest.approx(2 / 2**8)


def test_random_flips_agree_with_all_of_them():
    values = np.random.default_rng(7).normal(0.4, 1, size=(12, 3))
    groups = np.tile((np.arange(12) % 4)[:, None], 3)
    exact, drawn = (joint_flip_test(values, groups=groups, exact_work=work) for work in (np.inf, 0))
    assert (np.abs(exact.adjusted - drawn.adjusted) <= 5 * drawn.mc_se + 1e-3).all()
    many = grouped(np.random.default_rng(1).normal(0.3, 1, 24))
    assert not many.flip.exact
    assert 0 < many.p < 1


def test_the_correlation_is_that_of_the_variance_components():
    rng = np.random.default_rng(0)
    groups = np.arange(40) % 4
    found = [
        intraclass_correlation(rng.normal(size=4)[groups] * 0.3**0.5 + rng.normal(size=40) * 0.7**0.5, groups)
        for _ in range(3_000)
    ]
    assert np.median(found) == pytest.approx(0.24, abs=0.05)  # of .3: the estimate from 4 sessions is skewed
    assert intraclass_correlation(np.repeat([1.0, 2.0], 3), np.repeat([0, 1], 3)) == 1.0
    one_way = np.array([2.0, 4.0, 3.0, 7.0])
    f = stats.f_oneway(one_way[:2], one_way[2:]).statistic
    assert intraclass_correlation(one_way, np.array([0, 0, 1, 1])) == pytest.approx((f - 1) / (f + 1))
    assert np.isnan(intraclass_correlation(np.arange(4.0), np.arange(4)))


def test_the_p_of_equality_is_at_most_the_level_just_where_the_90_interval_is_inside():
    for values in (np.random.default_rng(i).normal(0.1, 0.6, 12) for i in range(40)):
        for found in (grouped(values), grouped(values, sessions=0)):
            assert (found.p_equal(0.5) <= 0.05) == found.interval_90.inside(0.5)
    low, high = (
        stats.ttest_1samp(values, at, alternative=side).pvalue for at, side in ((-0.5, "greater"), (0.5, "less"))
    )
    assert grouped(values, sessions=0).p_equal(0.5) == pytest.approx(max(low, high))
