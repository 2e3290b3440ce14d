"""min_norm_weights against an interior-point solver, and what PGM does with gradients that have no direction."""

import clarabel
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import nnls

from css import ParetoGradientModulator, min_norm_weights
from css.modulator import _shortest_solution


def solve_qp(P, q, A, b, cones):
    """Argmin ½xᵀPx + qᵀx with b − Ax in the cones, by clarabel."""
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-13
    solution = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(P)), q, sparse.csc_matrix(A), b, cones, settings
    ).solve()
    assert solution.status in (clarabel.SolverStatus.Solved, clarabel.SolverStatus.AlmostSolved)
    return np.array(solution.x)


def simplex_qp(Q):
    """Oracle of the weights: argmin ½γᵀQγ over the simplex."""
    K = len(Q)
    A, b = np.vstack((np.ones(K), -np.eye(K))), np.append(1.0, np.zeros(K))
    return solve_qp(Q, np.zeros(K), A, b, [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(K)])


def nearest_optimum(J):
    """Oracle of ties: the γ nearest to uniform among those of the simplex with Jᵀγ at the min-norm point."""
    K = len(J)
    equal = np.vstack((np.ones(K), J.T))
    ray, _ = nnls(equal, np.eye(len(equal))[0])  # its direction is the min-norm point's (Lawson & Hanson, ch. 23)
    left, singular, right = np.linalg.svd(equal)
    rank = np.sum(singular > 1e-9)  # leave out redundant rows
    target = (left.T @ equal @ ray / ray.sum())[:rank] / singular[:rank]
    A, b = np.vstack((right[:rank], -np.eye(K))), np.append(target, np.zeros(K))
    return solve_qp(np.eye(K), -np.ones(K) / K, A, b, [clarabel.ZeroConeT(rank), clarabel.NonnegativeConeT(K)])


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradients(kind, seed, K, count):
    """Gradients [count, K, d] of one kind of difficulty."""
    J = normal(seed, count, K, 8)
    if kind == "singular":
        J = J[..., : K - 1]
    elif kind == "rank-1":
        J = J[..., :1]
    elif kind == "near-parallel":
        J = J[:, :1] + 10 ** (-6 * torch.linspace(0, 1, count, dtype=J.dtype))[:, None, None] * J
    elif kind == "opposite":
        J = torch.cat((J[:, :-1], -J[:, :1] * (1 + 1e-3 * J[:, 1:2, :1])), 1)
    elif kind == "duplicates":
        J = torch.cat((J[:, :-1], J[:, :1]), 1)
    elif kind == "badly scaled":
        J = J * 10 ** (3 * normal(seed + 1, count, K, 1).clamp(-2, 2))
    return J


KINDS = ("random", "singular", "rank-1", "near-parallel", "opposite", "duplicates", "badly scaled")


def alone(M, allowed=None):
    """Weights of each problem solved by itself, which three gradients on a CPU are in plain numbers."""
    chosen = [None] * len(M) if allowed is None else allowed
    return torch.stack([min_norm_weights(*problem) for problem in zip(M, chosen, strict=True)])


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_value_and_unique_weights_are_those_of_an_interior_point_solver(kind, K):
    count = 400 if K == 3 else 50  # 3500 problems in all
    J = gradients(kind, seed=KINDS.index(kind), K=K, count=count)
    M = J @ J.mT
    raw_scale = 10 ** (24 * torch.rand(count, 1, 1, generator=torch.Generator().manual_seed(K), dtype=M.dtype) - 12)
    weights = torch.stack([min_norm_weights(M * raw_scale), alone(M * raw_scale)], 1)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(count, 2, dtype=M.dtype))

    M = (M / M.diagonal(dim1=-2, dim2=-1).amax(-1)[:, None, None]).numpy()
    directions = np.linalg.svd(np.ones((1, K)))[2][1:]  # orthonormal basis of the simplex's directions
    unique = 0
    for Q, γs in zip(M, weights.numpy(), strict=True):
        expected = simplex_qp(Q)
        for γ in γs:
            assert γ @ Q @ γ / 2 <= expected @ Q @ expected / 2 + 3e-10
        if np.linalg.eigvalsh(directions @ Q @ directions.T)[0] > 1e-2:
            unique += 1
            np.testing.assert_allclose(γs, np.stack([expected, expected]), atol=2e-5)
    assert kind != "random" or unique > 0.9 * count


@pytest.mark.parametrize("K", [2, 3, 4])
def test_among_many_optima_the_nearest_to_uniform_is_returned(K):
    """Gradients of small integers in the plane tie exactly and often."""
    J = torch.randint(-2, 3, (300, K, 2), generator=torch.Generator().manual_seed(K)).double()
    M = J @ J.mT
    weights = torch.stack([min_norm_weights(M), alone(M)], 1).numpy()
    for gradient, γs in zip(J.numpy(), weights, strict=True):
        np.testing.assert_allclose(γs, np.stack([nearest_optimum(gradient)] * 2), atol=1e-5)


@pytest.mark.parametrize("kind", ["random", "singular", "near-parallel"])
def test_a_problem_by_itself_has_the_weights_that_it_has_in_a_batch(kind):
    J = gradients(kind, seed=7, K=3, count=96)
    allowed = (torch.arange(96)[:, None] >> torch.arange(3) & 1).bool()  # every choice of the three, the empty one too
    torch.testing.assert_close(alone(J @ J.mT, allowed), min_norm_weights(J @ J.mT, allowed), rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("J", "expected"),
    [
        ([[0, 0], [0, 0], [0, 0]], [1 / 3, 1 / 3, 1 / 3]),
        ([[1, 2], [1, 2], [1, 2]], [1 / 3, 1 / 3, 1 / 3]),
        ([[1, 0], [2, 0], [3, 0]], [1, 0, 0]),
        ([[1, 0], [1, 0], [3, 0]], [1 / 2, 1 / 2, 0]),
        ([[1, 0], [1, 0], [0, 1]], [1 / 4, 1 / 4, 1 / 2]),  # a duplicate shares its twin's weight
        ([[1, 0], [-1, 0], [0, 0]], [1 / 3, 1 / 3, 1 / 3]),
        ([[1, 0], [-1, 0], [0, 1]], [1 / 2, 1 / 2, 0]),
        ([[2, 0], [-1, 0], [-1, 0]], [1 / 3, 1 / 3, 1 / 3]),
        ([[3, 0], [-1, 0], [-1, 0]], [1 / 4, 3 / 8, 3 / 8]),
        ([[1, 0], [0, 1], [-5, -5]], [5 / 11, 5 / 11, 1 / 11]),
        ([[1, 0], [0, 2], [3, 3]], [4 / 5, 1 / 5, 0]),
    ],
)
def test_closed_forms(J, expected):
    J = torch.tensor(J, dtype=torch.float64)
    torch.testing.assert_close(min_norm_weights(J @ J.T), torch.tensor(expected, dtype=J.dtype), rtol=0, atol=1e-12)


@given(seed=st.integers(0, 2**31), integers=st.booleans(), order=st.permutations(range(4)))
def test_weights_follow_a_permutation_of_the_objectives(seed, integers, order):
    J = normal(seed, 4, 3)
    J = J.round() if integers else J  # with ties, and without
    M = J @ J.T
    torch.testing.assert_close(min_norm_weights(M[order][:, order]), min_norm_weights(M)[order], rtol=0, atol=1e-8)


def test_a_batch_is_solved_entry_by_entry():
    J = normal(0, 2, 5, 3, 4)
    M = J @ J.mT
    alone = torch.stack([torch.stack([min_norm_weights(m) for m in row]) for row in M])
    torch.testing.assert_close(min_norm_weights(M), alone)


@pytest.mark.parametrize(
    "eigenvalues", [(0, 0), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, -2), (1, 1e-11), (-1e-11, 1e-12), (1e-6, -1e-8)]
)
def test_the_written_out_solution_of_three_objectives_is_that_of_the_pseudo_inverse(eigenvalues):
    rotation = np.linalg.qr(normal(0, 20, 2, 2).numpy())[0]
    A = rotation * np.array(eigenvalues) @ rotation.swapaxes(-1, -2)
    kept = [1 / x if abs(x) > 1e-10 else 0 for x in eigenvalues]
    b = normal(1, 20, 2).numpy()
    expected = ((rotation * np.array(kept) @ rotation.swapaxes(-1, -2)) @ b[..., None])[..., 0]
    actual = _shortest_solution(torch.from_numpy(A), torch.from_numpy(b))
    np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-6, atol=1e-12)


def test_slightly_indefinite_rounding_does_not_mislead_it():
    """Three nearly parallel float32 gradients: the Gramian is that of equal ones, plus rounding of either sign."""
    noise = normal(0, 200, 3, 3) * 1e-7
    weights = min_norm_weights(torch.ones(200, 3, 3, dtype=torch.float64) + noise + noise.mT)
    assert weights.isfinite().all()
    Q = torch.ones(3, 3, dtype=torch.float64)
    torch.testing.assert_close((weights @ Q * weights).sum(-1), torch.ones(200, dtype=Q.dtype), rtol=0, atol=1e-12)


def test_forbidden_objectives_get_nothing_and_their_entries_are_not_read():
    M = torch.full((3, 3), torch.nan)
    M[:2, :2] = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    weights = min_norm_weights(M, torch.tensor([True, True, False]))
    torch.testing.assert_close(weights, torch.tensor([0.75, 0.25, 0.0]))
    assert min_norm_weights(M, torch.zeros(3, dtype=torch.bool)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("K", [1, 2, 3, 10])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_size_are_those_of_the_gramian(K, dtype):
    weights = min_norm_weights(torch.eye(K, dtype=dtype))
    torch.testing.assert_close(weights, torch.full((K,), 1 / K, dtype=dtype))


def test_too_many_objectives_are_refused():
    with pytest.raises(ValueError, match=r"11 objectives; use at most 10"):
        min_norm_weights(torch.eye(11))


def test_weights_carry_no_gradient():
    M = torch.eye(3, requires_grad=True)
    assert not min_norm_weights(M).requires_grad
    assert not ParetoGradientModulator()(M, torch.zeros(3)).requires_grad


# --- ParetoGradientModulator


def cosines(M):
    norm = M.diagonal(dim1=-2, dim2=-1).sqrt()
    return M / norm.unsqueeze(-1) / norm.unsqueeze(-2)


def test_pgm_solves_the_normalised_problem():
    J = normal(0, 3, 6) * torch.tensor([[1.0], [1e3], [1e-3]])
    M = J @ J.T
    weights = ParetoGradientModulator()(M, torch.zeros(3, dtype=M.dtype))
    np.testing.assert_allclose(weights.numpy(), simplex_qp(cosines(M).numpy()), atol=1e-8)
    assert (weights - min_norm_weights(M)).abs().max() > 0.1


@given(seed=st.integers(0, 2**31), scale=st.floats(-6, 6))
def test_pgm_ignores_the_length_of_each_gradient(seed, scale):
    J = normal(seed, 3, 4)
    scaled = J * torch.tensor([[10.0**scale], [1.0], [1.0]], dtype=J.dtype)
    pgm = ParetoGradientModulator()
    torch.testing.assert_close(pgm(scaled @ scaled.T), pgm(J @ J.T), rtol=0, atol=1e-6)


@given(seed=st.integers(0, 2**31))
def test_pgm_of_two_objectives_is_equal_weights(seed):
    J = normal(seed, 2, 3) * torch.tensor([[1.0], [100.0]])
    weights = ParetoGradientModulator()(J @ J.T, torch.zeros(2, dtype=J.dtype))
    torch.testing.assert_close(weights, torch.full((2,), 0.5, dtype=J.dtype))


BROKEN = [
    ("zero", 0.0, 0.0),
    ("vanished", 1e-17, 1e-9),
    ("nan", torch.nan, torch.nan),
    ("inf", torch.inf, torch.inf),
    ("inf with nan off the diagonal", torch.inf, torch.nan),
    ("nan with finite entries off the diagonal", torch.nan, 5.0),
]


@pytest.mark.parametrize(("diagonal", "other"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
@pytest.mark.parametrize("broken", [0, 1, 2])
def test_an_objective_without_direction_gets_zero_and_the_rest_is_solved(broken, diagonal, other):
    M = torch.ones(3, 3)
    M[broken, :] = M[:, broken] = other
    M[broken, broken] = diagonal
    pgm = ParetoGradientModulator()
    weights = pgm(M, torch.zeros(3))
    expected = torch.full((3,), 0.5)
    expected[broken] = 0
    torch.testing.assert_close(weights, expected)
    assert pgm.masked.tolist() == [int(i == broken) for i in range(3)]
    assert pgm.skipped.item() == 0


@pytest.mark.parametrize(("length", "kept"), [(0.9e-8, False), (1.1e-8, True)])
def test_the_vanishing_threshold_is_one_in_a_hundred_million(length, kept):
    J = torch.eye(3, dtype=torch.float64) * torch.tensor([1.0, 1.0, length], dtype=torch.float64)
    weights = ParetoGradientModulator()(J @ J.T)
    assert bool(weights[2] > 0) is kept


def test_a_lone_objective_gets_everything():
    M = torch.diag(torch.tensor([torch.nan, 2.0, 0.0]))
    assert ParetoGradientModulator()(M, torch.zeros(3)).tolist() == [0, 1, 0]


@pytest.mark.parametrize("value", [0.0, torch.nan, torch.inf])
def test_nothing_left_is_all_zero_and_counted(value):
    pgm = ParetoGradientModulator()
    assert pgm(torch.full((3, 3), value), torch.zeros(3)).tolist() == [0, 0, 0]
    assert pgm.masked.tolist() == [1, 1, 1]
    assert pgm.skipped.item() == 1


@pytest.mark.parametrize("scale", [1e-24, 1e24])
def test_float32_gramians_of_any_scale_are_normalised(scale):
    M = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]]) * scale
    torch.testing.assert_close(ParetoGradientModulator()(M, torch.zeros(3)), torch.full((3,), 1 / 3))


def test_counts_travel_in_the_state_dict():
    pgm = ParetoGradientModulator()
    for value in (torch.nan, 1.0, 0.0):
        pgm(torch.diag(torch.tensor([1.0, 1.0, value])), torch.zeros(3))
    pgm(torch.zeros(3, 3), torch.zeros(3))
    restored = ParetoGradientModulator()
    restored.load_state_dict(pgm.state_dict())
    assert restored.masked.tolist() == [1, 1, 3]
    assert restored.skipped.item() == 1
    assert restored.masked.dtype == restored.skipped.dtype == torch.int64


def test_pgm_declares_what_the_trainer_reads():
    assert ParetoGradientModulator.needs_gramian
    assert ParetoGradientModulator.weights_everything
    assert not ParetoGradientModulator.non_conflicting


def slopes(J, weights):
    """Inner products of Σ γ_i g_i with each g_j: negative means that objective j rises to first order."""
    return (weights.unsqueeze(-2) @ J @ J.mT).squeeze(-2)


def test_pgm_is_no_common_descent_direction_but_its_normalised_variant_is():
    J = torch.tensor([[1.0, 0.0], [-0.8, 0.6], [0.0, 1.0]], dtype=torch.float64) * torch.tensor([[1.0], [9.0], [1.0]])
    weights = ParetoGradientModulator()(J @ J.T)
    assert slopes(J, weights).min() < -0.5
    unit = J / J.norm(dim=-1, keepdim=True)
    assert slopes(unit, weights).min() >= 0


def test_share_of_draws_in_which_pgm_raises_an_objective():
    """About 38 % of Gaussian gradients in ten dimensions with log-normal lengths, as many as under equal weights."""
    J = normal(0, 4000, 3, 10) * normal(1, 4000, 3, 1).exp()
    weights = min_norm_weights(cosines(J @ J.mT))

    def rising(gradient, γ):
        return (slopes(gradient, γ) < -1e-9).any(-1).double().mean().item()

    pgm, equal = rising(J, weights), rising(J, torch.full_like(weights, 1 / 3))
    assert pgm == pytest.approx(0.38, abs=0.05)
    assert abs(pgm - equal) < 0.05
    unit = J / J.norm(dim=-1, keepdim=True)
    assert rising(unit, weights) == 0
