"""Random loss weighting: the distribution of its draws, and that they are its own."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from baselines.aggregators.random_weights import RandomWeights


def draw(aggregator, steps, K):
    return torch.stack([aggregator(None, torch.ones(K, dtype=torch.float64)) for _ in range(steps)])


@pytest.mark.parametrize("K", [2, 3])
def test_the_logarithm_of_two_weights_ratio_is_the_difference_of_two_normal_draws(K):
    weights = draw(RandomWeights(seed=1), 2000, K)
    ratio = (weights[:, 0] / weights[:, 1]).log() / math.sqrt(2)
    assert kstest(ratio.numpy(), "norm").pvalue > 1e-3
    torch.testing.assert_close(weights.mean(0), torch.full((K,), 1 / K, dtype=torch.float64), atol=0.02, rtol=0)


def test_steps_are_independent():
    first = draw(RandomWeights(seed=2), 2000, 3)[:, 0]
    assert abs(torch.corrcoef(torch.stack((first[1:], first[:-1])))[0, 1]) < 0.1


@given(seed=st.integers(0, 10**6), K=st.integers(1, 6))
def test_weights_are_positive_sum_to_one_and_are_those_of_the_seed(seed, K):
    weights, again = (draw(RandomWeights(seed), 3, K) for _ in range(2))
    assert torch.equal(weights, again)
    assert (weights > 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(3, dtype=torch.float64))


def test_one_objective_has_all_weight():
    assert draw(RandomWeights(), 2, 1).tolist() == [[1.0], [1.0]]


def test_state_dict_carries_the_draws():
    aggregator, restored = RandomWeights(seed=3), RandomWeights()
    draw(aggregator, 4, 3)
    restored.load_state_dict({name: t.clone() for name, t in aggregator.state_dict().items()})
    assert torch.equal(draw(restored, 4, 3), draw(aggregator, 4, 3))
