import itertools

import numpy as np
import pytest
from scipy import stats

from reports.statistics import rank_methods


def test_chances_are_those_of_all_resamples():
    scores = np.array([[3.0, 1.0, 2.5], [2.0, 2.0, 2.1], [0.0, 2.2, 2.0]])
    drawn = np.array([scores[:, list(d)].mean(axis=1).round(9) for d in itertools.product(range(3), repeat=3)])
    expected = stats.rankdata(-drawn, axis=1)
    found = rank_methods(scores, resamples=20_000)
    np.testing.assert_allclose([r.mean for r in found], expected.mean(axis=0), atol=0.03)
    best = drawn == drawn.max(axis=1, keepdims=True)
    chance = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose([r.best for r in found], chance, atol=0.015)
    assert [r.rank for r in found] == [1, 2, 3]


def test_ties_share_rank_and_chance():
    same = np.array([0.1, 0.2, 0.3])
    found = rank_methods(np.array([same, same[::-1] * 0, same]), resamples=100)
    assert [(r.rank, r.best) for r in found] == [(1.5, 0.5), (3.0, 0.0), (1.5, 0.5)]
    assert tuple(found[1].interval) == (3.0, 3.0)


def test_chances_to_be_best_add_up_to_one():
    found = rank_methods(np.random.default_rng(0).normal(size=(6, 10)), resamples=500)
    assert sum(r.best for r in found) == pytest.approx(1)
    assert np.mean([r.mean for r in found]) == pytest.approx(3.5)
    assert all(1 <= r.interval.low <= r.interval.high <= 6 for r in found)


def test_means_that_are_equal_on_paper_tie():
    rng = np.random.default_rng(0)
    for _ in range(20):  # which orders of a sum differ in the last bit depends on the machine
        row = rng.random(7)
        assert [r.rank for r in rank_methods(np.array([row, rng.permutation(row)]), resamples=1)] == [1.5, 1.5]


def test_of_seeds_in_groups_the_groups_are_drawn_and_weigh_the_same():
    """Five seeds in three groups are as three seeds with the group means: the same draws, ranks and chances."""
    scores = np.array([[3.0, 1.0, 2.5, 2.0, 1.5], [2.0, 2.0, 2.1, 2.4, 1.6], [0.0, 2.2, 2.0, 0.4, 2.6]])
    groups = (4, 0, 1, 4, 0)
    together = np.array([[row[[1, 4]].mean(), row[2], row[[0, 3]].mean()] for row in scores])
    assert rank_methods(scores, groups) == rank_methods(together)
    assert rank_methods(scores, groups) != rank_methods(scores)
