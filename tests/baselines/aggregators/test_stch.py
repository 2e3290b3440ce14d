"""Smooth Tchebycheff weights against derivatives of the published scalarization."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from baselines.aggregators.stch import SmoothTchebycheff

LOSSES = st.lists(st.floats(0, 5), min_size=1, max_size=5).map(lambda x: torch.tensor(x, dtype=torch.float64))


def scalarized(losses, mu):
    """Lin et al. (2024), equation 6, with equal preferences and ideal losses of 0."""
    return mu * torch.logsumexp(losses / len(losses) / mu, 0)


@given(LOSSES, st.floats(0.05, 5))
def test_weights_are_the_scalarizations_finite_differences(losses, mu):
    step = 1e-6 * torch.eye(len(losses), dtype=torch.float64)
    slope = torch.stack([(scalarized(losses + h, mu) - scalarized(losses - h, mu)) / 2e-6 for h in step])
    weights = SmoothTchebycheff(mu)(None, losses)
    torch.testing.assert_close(weights, slope / slope.sum(), atol=1e-6, rtol=0)


def test_the_scalarization_is_torchjds():
    scalarization = pytest.importorskip("torchjd.scalarization")
    losses = torch.tensor([0.3, 1.1, 2.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(scalarization.STCH(mu=0.2)(losses), losses)
    torch.testing.assert_close(SmoothTchebycheff(0.2)(None, losses.detach()), slope / slope.sum())


@given(LOSSES, st.floats(0.05, 5), st.floats(0, 3))
def test_larger_losses_weigh_more_and_a_common_shift_changes_nothing(losses, mu, shift):
    weights = SmoothTchebycheff(mu)(None, losses)
    assert (weights[losses.argsort()].diff() >= 0).all()
    assert weights.sum().item() == pytest.approx(1)
    torch.testing.assert_close(SmoothTchebycheff(mu)(None, losses + shift), weights, atol=1e-9, rtol=1e-9)


def test_mu_goes_from_the_largest_loss_to_all_alike():
    losses = torch.tensor([1.0, 2.0, 1.5])
    torch.testing.assert_close(SmoothTchebycheff(1e-3)(None, losses), torch.tensor([0.0, 1.0, 0.0]))
    torch.testing.assert_close(SmoothTchebycheff(1e6)(None, losses), torch.full((3,), 1 / 3))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_not_hidden(bad):
    assert SmoothTchebycheff()(None, torch.tensor([1.0, bad, 2.0])).isnan().all()


@pytest.mark.parametrize("mu", [0.0, -1.0, math.nan])
def test_an_impossible_mu_is_refused(mu):
    with pytest.raises(ValueError, match=r"mu is .*; it has to be positive"):
        SmoothTchebycheff(mu)
