"""The controls' statistics against simulation and textbook cases; part of the ordinary tests."""

import numpy as np
import pytest
from scipy import stats

from tests.controls.inference import (
    equivalence_p,
    equivalence_power,
    over_conversations,
    over_runs,
    seeds_needed,
    upper_sd,
)


def test_the_error_over_conversations_is_that_of_repeated_sampling():
    """Values that agree within a conversation: the naive error is too small by far, the clustered one is right."""
    rng, means, errors, naive = np.random.default_rng(1), [], [], []
    for _ in range(400):
        lengths = rng.integers(1, 30, 60)
        values = np.repeat(rng.standard_normal(60), lengths) + 0.1 * rng.standard_normal(lengths.sum())
        mean, se = over_conversations(values, np.repeat(np.arange(60), lengths))
        means.append(mean)
        errors.append(se)
        naive.append(stats.sem(values))
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.1)
    assert np.mean(naive) < 0.4 * np.std(means)


def test_conversations_of_one_utterance_give_the_ordinary_error():
    values = np.random.default_rng(0).standard_normal(50)
    assert over_conversations(values, np.arange(50)) == pytest.approx((values.mean(), stats.sem(values)))


def test_the_interval_over_runs_is_students():
    found = over_runs([1.0, 2.0, 4.0])
    expected = stats.t.interval(0.95, 2, np.mean([1, 2, 4]), stats.sem([1, 2, 4]))
    assert (found.low, found.high) == pytest.approx(expected)


def test_equivalence_is_the_90_percent_interval_inside_the_margin():
    rng = np.random.default_rng(0)
    for _ in range(200):
        x = rng.normal(rng.normal(0, 0.7), 0.6, 6)
        inside = over_runs(x, 0.9)
        assert (equivalence_p(x, 1.0) < 0.05) == (inside.low > -1 and inside.high < 1)


def test_the_power_is_that_of_the_test_and_its_size_is_alpha():
    rng = np.random.default_rng(3)
    passed = np.mean([equivalence_p(rng.normal(0, 0.8, 8), 1.0) <= 0.05 for _ in range(2000)])
    assert equivalence_power(8, 0.8, 1.0) == pytest.approx(passed, abs=0.04)
    size = np.mean([equivalence_p(rng.normal(1, 0.8, 8), 1.0) <= 0.05 for _ in range(2000)])
    assert size < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_more_spread_needs_more_seeds():
    needed = [seeds_needed(sd, 1.0) for sd in (0.1, 0.6, 1.0, 9.0)]
    assert needed == sorted(needed)
    assert (needed[0], needed[-1]) == (5, 40)
    assert equivalence_power(needed[2], 1.0, 1.0) >= 0.9 > equivalence_power(needed[2] - 1, 1.0, 1.0)


def test_the_upper_sd_exceeds_the_true_one_as_often_as_it_says():
    rng = np.random.default_rng(0)
    assert np.mean([upper_sd(rng.normal(0, 1, 4)) > 1 for _ in range(2000)]) == pytest.approx(0.8, abs=0.03)
