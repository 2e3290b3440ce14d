"""MGDA's weights against an interior-point solver on the gradients themselves."""

import clarabel
import numpy as np
import pytest
import torch
from scipy import sparse

from baselines.aggregators.mgda import MGDA
from tests.baselines.aggregators.jacobians import gradients, weights_of


def solved(J):
    """argmin ½ ‖Jᵀγ‖² over the simplex, by clarabel."""
    K = len(J)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    A = sparse.csc_matrix(np.vstack([np.ones((1, K)), -np.eye(K)]))
    b = np.concatenate([[1.0], np.zeros(K)])
    cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(K)]
    P = sparse.triu((J @ J.T).numpy()).tocsc()
    return torch.tensor(clarabel.DefaultSolver(P, np.zeros(K), A, b, cones, settings).solve().x, dtype=torch.float64)


@pytest.mark.parametrize("K", [2, 3, 4])
@pytest.mark.parametrize("seed", range(10))
def test_weights_are_those_of_the_min_norm_point_of_the_raw_gradients(seed, K):
    J = gradients(seed, K, d=6)
    torch.testing.assert_close(weights_of(MGDA(), J), solved(J), atol=1e-5, rtol=0)


def test_a_gradient_of_length_zero_takes_everything():
    J = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.3, 2.0]])
    torch.testing.assert_close(weights_of(MGDA(), J), torch.tensor([0.0, 1.0, 0.0]))


def test_what_is_not_finite_is_not_hidden():
    M = torch.eye(3)
    M[1, 1] = torch.inf
    assert MGDA()(M, torch.zeros(3)).isnan().all()
