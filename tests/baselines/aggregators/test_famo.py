"""FAMO's weights against autograd and torch's Adam on the paper's objective, and another implementation."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from baselines.aggregators.famo import FAMO


def losses_of(seed, steps, K):
    draws = torch.Generator().manual_seed(seed)
    return 0.05 + 3 * torch.rand(steps, K, generator=draws, dtype=torch.float64)


def run(aggregator, losses):
    return torch.stack([aggregator(None, L) for L in losses])


@given(st.integers(0, 10**6), st.integers(1, 4), st.floats(0, 1), st.floats(0, 1))
def test_weights_follow_adam_on_the_papers_objective(seed, K, rate, decay):
    losses = losses_of(seed, 8, K)
    xi = torch.zeros(K, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([xi], lr=rate, weight_decay=decay)
    weights = run(FAMO(rate, decay), losses)
    for t, L in enumerate(losses):
        if t:
            adam.zero_grad()
            (xi.softmax(0) @ ((losses[t - 1] + 1e-8).log() - (L + 1e-8).log())).backward()
            adam.step()
        values = L.clone().requires_grad_()
        (slope,) = torch.autograd.grad(xi.detach().softmax(0) @ (values + 1e-8).log(), values)
        torch.testing.assert_close(weights[t], slope / slope.sum(), rtol=1e-7, atol=1e-9)


def test_they_are_torchjds_where_its_second_losses_are_the_next_ones():
    theirs = pytest.importorskip("torchjd.scalarization").FAMO(3)
    losses = losses_of(0, 10, 3)
    for L, expected in zip(losses, run(FAMO(), losses), strict=True):
        if theirs._prev_losses is not None:
            theirs.update(L)
        values = L.clone().requires_grad_()
        (slope,) = torch.autograd.grad(theirs(values), values)
        torch.testing.assert_close(expected, slope, rtol=1e-4, atol=1e-5)  # its logits are single precision


def test_it_begins_with_the_inverse_of_the_losses():
    torch.testing.assert_close(FAMO()(None, torch.tensor([0.5, 1.0, 2.0])), torch.tensor([4 / 7, 2 / 7, 1 / 7]))


def test_a_loss_that_falls_more_slowly_gains_weight_over_its_inverse():
    aggregator = FAMO()
    for t in range(50):
        aggregator(None, torch.tensor([0.9**t, 0.99**t]))
    assert aggregator.logits.diff() > 0.5


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_step_whose_losses_are_not_finite_is_passed_over(bad):
    losses = losses_of(1, 6, 3)
    spoilt, clean = FAMO(), FAMO()
    run(clean, losses[:3])
    run(spoilt, losses[:3])
    spoilt(None, torch.tensor([1.0, bad, 1.0], dtype=torch.float64))
    assert torch.equal(run(spoilt, losses[3:]), run(clean, losses[3:]))


def test_one_objective_has_all_weight_and_a_loss_of_zero_is_finite():
    torch.testing.assert_close(run(FAMO(), losses_of(2, 3, 1)), torch.ones(3, 1, dtype=torch.float64))
    assert run(FAMO(), torch.tensor([[0.0, 1.0], [0.0, 0.5], [0.0, 0.0]])).isfinite().all()


@pytest.mark.parametrize(("option", "value"), [("rate", -0.1), ("rate", 1.5), ("decay", 2.0)])
def test_an_impossible_option_is_refused(option, value):
    with pytest.raises(ValueError, match=rf"{option} is .*; it has to be between 0 and 1"):
        FAMO(**{option: value})
