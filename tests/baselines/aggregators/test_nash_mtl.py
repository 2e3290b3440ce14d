"""Nash-MTL's weights against the bargaining problem, a conic solver and what Nash's axioms say."""

import clarabel
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from baselines.aggregators.nash_mtl import NashMTL
from tests.baselines.aggregators.jacobians import gradients, weights_of


def bargained(J):
    """argmax Σ log ⟨d, g_i⟩ over ‖d‖ ≤ 1, by clarabel: d and t with (t_i, 1, ⟨d, g_i⟩) in the exponential cone."""
    K, n = J.shape
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    rows, b, cones = [np.zeros((1, n + K)), np.hstack([-np.eye(n), np.zeros((n, K))])], [np.ones(1), np.zeros(n)], []
    cones.append(clarabel.SecondOrderConeT(n + 1))
    for i in range(K):
        block = np.zeros((3, n + K))
        block[0, n + i] = -1
        block[2, :n] = -J[i].numpy()
        rows.append(block)
        b.append(np.array([0.0, 1.0, 0.0]))
        cones.append(clarabel.ExponentialConeT())
    A, P = sparse.csc_matrix(np.vstack(rows)), sparse.csc_matrix((n + K, n + K))
    objective = np.concatenate([np.zeros(n), -np.ones(K)])
    solution = clarabel.DefaultSolver(P, objective, A, np.concatenate(b), cones, settings).solve()
    return torch.tensor(solution.x[:n], dtype=torch.float64)


@pytest.mark.parametrize("K", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(10))
def test_the_update_is_the_bargaining_solution(seed, K):
    J = gradients(seed, K, d=6)
    update = weights_of(NashMTL(), J) @ J
    torch.testing.assert_close(update / update.norm(), bargained(J), atol=1e-4, rtol=0)


def test_two_objectives_meet_half_way():
    """For two, γ_1/γ_2 = ‖g_2‖/‖g_1‖: the bisector of both gradients, whatever their angle."""
    for seed in range(10):
        J = gradients(seed, 2)
        inverse = 1 / J.norm(dim=1)
        torch.testing.assert_close(weights_of(NashMTL(), J), inverse / inverse.sum())


@given(seed=st.integers(0, 10**6), K=st.integers(1, 5), exponents=st.lists(st.floats(-3, 3), min_size=5, max_size=5))
def test_a_longer_gradient_changes_no_update(seed, K, exponents):
    """Nash's axiom of invariance to each player's scale."""
    J = gradients(seed, K, d=7)
    longer = 10 ** torch.tensor(exponents[:K], dtype=torch.float64)
    plain, scaled = (weights_of(NashMTL(raw_scale=True), x) for x in (J, longer[:, None] * J))
    torch.testing.assert_close(scaled * longer, plain, rtol=1e-5, atol=0)


@given(seed=st.integers(0, 10**6), K=st.integers(1, 5))
def test_the_published_update_has_length_root_k(seed, K):
    J = gradients(seed, K, d=7)
    update = weights_of(NashMTL(raw_scale=True), J) @ J
    assert update.norm().item() == pytest.approx(K**0.5, rel=1e-5)


def test_orthogonal_gradients_weigh_as_the_inverse_of_their_lengths():
    J = torch.diag(torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64))
    torch.testing.assert_close(weights_of(NashMTL(raw_scale=True), J), torch.tensor([1, 0.5, 0.25]).double())
