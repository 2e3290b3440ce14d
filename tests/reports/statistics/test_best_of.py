from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import expected_best_of
from reports.statistics.best_of import probability_best


def by_enumeration(validation, score):
    """Mean over all subsets of k trials of the mean score of those that are best on validation."""
    expected = []
    for k in range(1, len(validation) + 1):
        chosen = []
        for subset in combinations(range(len(validation)), k):
            best = max(validation[i] for i in subset)
            chosen.append(np.mean([score[i] for i in subset if validation[i] == best]))
        expected.append(np.mean(chosen))
    return np.array(expected)


# few distinct values, so that ties are common
SCORES = st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=8)


@given(SCORES)
@settings(deadline=None)
def test_the_expected_score_of_the_chosen_trial_is_that_of_enumeration(pairs):
    validation, score = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    np.testing.assert_allclose(expected_best_of(validation, score), by_enumeration(validation, score), atol=1e-12)
    np.testing.assert_allclose(expected_best_of(validation), by_enumeration(validation, validation), atol=1e-12)


def test_equals_on_validation_are_chosen_alike():
    assert expected_best_of(np.array([0.5, 0.5]), np.array([0.0, 1.0])).tolist() == [0.5, 0.5]


def test_the_ends_are_the_mean_and_the_maximum():
    values = np.random.default_rng(0).random(500)
    found = expected_best_of(values)
    assert found[0] == pytest.approx(values.mean())
    assert found[-1] == pytest.approx(values.max())
    assert (np.diff(found) > 0).all()


def test_evenly_spaced_scores_have_a_closed_form():
    n = 1000  # the expected maximum of k of 1 … n is k (n + 1) / (k + 1)
    k = np.arange(1, n + 1)
    np.testing.assert_allclose(expected_best_of(np.arange(1.0, n + 1)), k * (n + 1) / (k + 1), rtol=1e-11)


def test_probabilities_sum_to_one():
    np.testing.assert_allclose(probability_best(300).sum(axis=1), 1.0, rtol=1e-12)
    assert probability_best(1).tolist() == [[1.0]]
