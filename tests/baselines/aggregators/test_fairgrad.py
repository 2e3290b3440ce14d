"""FairGrad's weights against the equation that defines them, a least-squares solver and the problem they come from."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from baselines.aggregators.equal import EqualWeights
from baselines.aggregators.fairgrad import FairGrad
from tests.baselines.aggregators.jacobians import gradients, weights_of


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0, 10.0])
@pytest.mark.parametrize("K", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_weights_are_those_of_a_least_squares_solver(seed, K, alpha):
    J = gradients(seed, K, d=8)
    M = (J @ J.T / J.square().sum()).numpy()
    solved = least_squares(lambda w: M @ w - w ** (-1 / alpha), np.ones(K) / K, bounds=(0, np.inf), xtol=1e-15)
    weights = weights_of(FairGrad(alpha), J)
    torch.testing.assert_close(weights, torch.from_numpy(solved.x / solved.x.sum()), atol=1e-5, rtol=0)


@given(
    seed=st.integers(0, 10**6),
    K=st.integers(1, 4),
    alpha=st.floats(0.5, 3),
    spread=st.floats(0, 2.5),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_the_published_scale_solves_the_published_equation(seed, K, alpha, spread, scale):
    draws = np.random.default_rng(seed)
    J = torch.from_numpy(scale * draws.normal(size=(K, 6)) * 10 ** draws.uniform(-spread, spread, (K, 1)))
    weights = weights_of(FairGrad(alpha, raw_scale=True), J)
    torch.testing.assert_close(J @ J.T @ weights * weights ** (1 / alpha), torch.ones_like(weights), atol=1e-3, rtol=0)


@pytest.mark.parametrize("alpha", [0.5, 2.0, 6.0])
@pytest.mark.parametrize("seed", range(5))
def test_no_other_update_of_that_length_is_fairer(seed, alpha):
    """The maximum of Σ ⟨d, g_i⟩^(1−α)/(1−α) over a ball, from which the paper derives the equation."""

    def utility(d):
        rates = d @ J.T
        return torch.where((rates > 0).all(-1), (rates.clamp_min(0) ** (1 - alpha)).sum(-1) / (1 - alpha), -torch.inf)

    J = gradients(seed)
    update = weights_of(FairGrad(alpha), J) @ J
    generator = torch.Generator().manual_seed(seed)
    others = update + 0.1 * update.norm() * torch.randn(4000, 5, generator=generator, dtype=torch.float64)
    others *= update.norm() / others.norm(dim=1, keepdim=True)
    assert utility(update) >= utility(others).max()


def test_the_larger_alpha_the_better_the_worst_objective_does():
    J = torch.tensor([[1.0, 0.0], [0.0, 0.2]], dtype=torch.float64)
    updates = [weights_of(a, J) @ J for a in (EqualWeights(), FairGrad(0.5), FairGrad(2.0), FairGrad(10.0))]
    worst = [float((J @ d / d.norm()).min()) for d in updates]
    assert worst == sorted(worst)
    assert worst[-1] > 4 * worst[0]


def test_lengths_apart_by_a_hundred_thousand_are_solved():
    J = torch.diag(torch.tensor([1.0, 1e-3, 1e-5], dtype=torch.float64)) @ torch.nn.functional.normalize(gradients(0))
    weights = weights_of(FairGrad(raw_scale=True), J)
    torch.testing.assert_close(J @ J.T @ weights * weights.sqrt(), torch.ones_like(weights))


def test_opposite_gradients_leave_no_update():
    J = torch.tensor([[1.0, 0.0], [-2.0, 0.0]], dtype=torch.float64)
    weights = weights_of(FairGrad(), J)
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 1 / 3], dtype=torch.float64), atol=1e-6, rtol=0)


def test_an_objective_without_gradient_has_no_weight_and_none_at_all_no_step():
    J = gradients(1)
    J[1] = 0
    weights = weights_of(FairGrad(), J)
    assert weights[1] == 0
    torch.testing.assert_close(weights[[0, 2]], weights_of(FairGrad(), J[[0, 2]]))
    assert not weights_of(FairGrad(), torch.zeros(3, 5)).any()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_is_not_hidden(bad):
    M = torch.eye(3)
    M[0, 1] = M[1, 0] = bad
    assert FairGrad()(M).isnan().all()


@pytest.mark.parametrize("alpha", [0.0, 0.4, 11.0])
def test_an_impossible_alpha_is_refused(alpha):
    with pytest.raises(ValueError, match=r"alpha is .*; it has to be between 0.5 and 10"):
        FairGrad(alpha)
