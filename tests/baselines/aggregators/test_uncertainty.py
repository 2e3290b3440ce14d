"""Uncertainty weights against autograd on the paper's objective, and where they come to rest."""

import math

import pytest
import torch

from baselines.aggregators.uncertainty import UncertaintyWeights


def losses(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.5])
def test_weights_follow_gradient_descent_on_the_papers_objective(rate):
    aggregator = UncertaintyWeights(rate=rate, raw_scale=True)
    s = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        L = 3 * torch.rand(3, generator=generator, dtype=torch.float64)
        objective = (0.5 * torch.exp(-s) * L + 0.5 * s).sum()
        (slope,) = torch.autograd.grad(objective, s)
        (expected,) = torch.autograd.grad(
            (0.5 * torch.exp(-s) * (weighted := L.clone().requires_grad_())).sum(), weighted
        )
        torch.testing.assert_close(aggregator(None, L), expected)
        s = (s - rate * slope).detach().requires_grad_()
    torch.testing.assert_close(aggregator.log_variance, s.detach())


def test_at_rest_each_objective_weighs_as_the_inverse_of_its_loss():
    aggregator = UncertaintyWeights(rate=0.5)
    for _ in range(200):
        weights = aggregator(None, losses(0.5, 1.0, 4.0))
    torch.testing.assert_close(weights, losses(2, 1, 0.25) / 3.25)
    torch.testing.assert_close(aggregator.log_variance.exp(), losses(0.5, 1.0, 4.0))


def test_it_begins_with_equal_weights_and_at_rate_0_keeps_them():
    aggregator = UncertaintyWeights(rate=0.0)
    for _ in range(3):
        assert aggregator(None, losses(0.1, 5.0, 2.0)).tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_not_remembered(bad):
    aggregator = UncertaintyWeights(rate=0.5)
    aggregator(None, losses(0.5, bad, 2.0))
    assert aggregator.log_variance[1] == 0
    assert aggregator.log_variance[0] < 0 < aggregator.log_variance[2]


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ValueError, match=r"rate is .*; it has to be between 0 and 1"):
        UncertaintyWeights(rate=rate)
