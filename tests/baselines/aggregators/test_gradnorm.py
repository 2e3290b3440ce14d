"""GradNorm's weights against autograd on the published loss of gradient lengths, and where they come to rest."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from baselines.aggregators.gradnorm import GradNorm
from tests.baselines.aggregators.jacobians import gradients


def losses_of(seed, K):
    return 0.1 + 3 * torch.rand(K, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(0, 10**6), st.integers(1, 4), st.floats(0, 3), st.floats(0, 0.5))
def test_weights_descend_the_published_loss(seed, K, alpha, rate):
    """Chen et al. (2018), equations 1 and 2, with weights that sum to K, and the derivative over Σ‖g_i‖."""
    aggregator = GradNorm(alpha, rate)
    w = torch.ones(K, dtype=torch.float64, requires_grad=True)
    first = losses_of(seed, K)
    for t in range(6):
        J, L = gradients(seed + t, K), losses_of(seed + t, K)
        torch.testing.assert_close(aggregator(J @ J.T, L), w.detach() / K)
        lengths = w * J.norm(dim=1)  # that of w_i g_i, with its one-sided derivative at w_i = 0
        ratio = (L / first) / (L / first).mean()
        target = (lengths.mean() * ratio**alpha).detach()
        mismatch = (lengths - target).abs().sum()
        (slope,) = torch.autograd.grad(mismatch, w)
        with torch.no_grad():
            w = (w - rate * K * slope / J.norm(dim=1).sum()).clamp_min(0)
            w = w * K / w.sum()
        w.requires_grad_()


def test_with_alpha_0_it_comes_to_rest_where_weighted_gradients_have_one_length():
    aggregator = GradNorm(alpha=0.0, rate=0.001)
    J = torch.diag(torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64))
    for _ in range(3000):
        weights = aggregator(J @ J.T, torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(weights, torch.tensor([4 / 7, 2 / 7, 1 / 7]).double(), atol=3e-3, rtol=0)


def test_an_objective_that_learns_more_slowly_gains_weight():
    aggregator = GradNorm()
    M = torch.eye(3, dtype=torch.float64)
    for t in range(10):
        weights = aggregator(M, torch.tensor([1.0, 0.9**t, 0.9**t], dtype=torch.float64))
    assert weights[0] > weights[1]


@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from([1e-6, 1.0, 1e5]))
def test_weights_stay_on_the_simplex_and_the_unit_of_the_losses_changes_none(seed, K, unit):
    plain, scaled = GradNorm(rate=0.5), GradNorm(rate=0.5)
    for t in range(8):
        J, L = gradients(seed + t, K), losses_of(seed + t, K)
        weights = plain(J @ J.T, L)
        torch.testing.assert_close(scaled(unit**2 * J @ J.T, unit * L), weights, rtol=1e-6, atol=1e-9)
        assert (weights >= 0).all()
        assert weights.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_not_hidden_and_not_learned_from(bad):
    aggregator = GradNorm()
    J = gradients(0)
    for t in range(3):
        aggregator(J @ J.T, losses_of(t, 3))
    before = {name: t.clone() for name, t in aggregator.state_dict().items()}
    assert aggregator(torch.full((3, 3), bad, dtype=torch.float64), losses_of(4, 3)).isnan().all()
    assert aggregator(J @ J.T, torch.tensor([1.0, bad, 1.0]).double()).isfinite().all()
    assert all(torch.equal(t, before[name]) for name, t in aggregator.state_dict().items())
    assert before["weights"].std() > 0


def test_gradients_and_first_losses_of_zero_change_nothing():
    aggregator = GradNorm()
    for losses in (torch.tensor([0.0, 1.0, 1.0]), torch.ones(3)):
        assert aggregator(torch.eye(3), losses).tolist() == pytest.approx([1 / 3] * 3)
    resting = GradNorm()
    for _ in range(3):
        assert resting(torch.zeros(3, 3), torch.ones(3)).tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(("option", "value"), [("alpha", -0.1), ("rate", 0.6)])
def test_an_impossible_option_is_refused(option, value):
    with pytest.raises(ValueError, match=rf"{option} is .*; it has to be between 0 and"):
        GradNorm(**{option: value})
