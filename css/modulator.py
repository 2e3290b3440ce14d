"""Pareto Gradient Modulator (Lyu et al., AAAI 2026) and the exact min-norm point of a simplex it rests on."""

from functools import cache
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from css.interfaces import OBJECTIVES, Aggregator
from css.slsqp import slsqp_weights
from css.triangle import INFEASIBLE, TIE, triangle_weights

MAX_OBJECTIVES = 10
"""Above it the 2^K − 1 faces of the simplex are too many to enumerate."""
VANISHED = 1e-8
"""An objective whose gradient is at most this fraction of the longest one has no direction to speak of."""
RELEASED_EPSILON = 1e-8
"""What the released implementation adds to a gradient's length before it divides by it."""


@cache
def _faces(objectives: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Supports s [F, K] (0/1) of the F = 2^K − 1 faces, and of each a frame [F, K, K].

    A frame's last column is the face's centre s/|s|, the others an orthonormal basis of its directions (zero-padded).
    """
    bits = torch.arange(1, 2**objectives).unsqueeze(-1) >> torch.arange(objectives)
    support = (bits & 1).double()
    centre = support / support.sum(-1, keepdim=True)
    projector = support.diag_embed() - support.unsqueeze(-1) * centre.unsqueeze(-2)
    eigenvalue, eigenvector = torch.linalg.eigh(projector)  # eigenvalues 0 or 1, ascending; the first is always 0
    basis = eigenvector[..., 1:] * eigenvalue[:, None, 1:].round()
    return support.to(device), torch.cat((basis, centre.unsqueeze(-1)), -1).to(device)


def _shortest_solution(A: Float[Tensor, "*batch d d"], b: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """A⁺b of symmetric A [..., d, d], eigenvalues within TIE of 0 taken as 0.

    2 × 2, the case of three objectives, is written out: the ``eigh`` inside ``pinv`` waits for a CUDA device.
    """
    if A.shape[-1] != 2:
        return (torch.linalg.pinv(A, atol=TIE, rtol=0.0, hermitian=True) @ b.unsqueeze(-1)).squeeze(-1)
    p, q, r = A[..., :1, 0], A[..., :1, 1], A[..., 1:, 1]
    mean = (p + r) / 2
    radius = torch.hypot((p - r) / 2, q).copysign(mean)
    large, small = mean + radius, mean - radius  # eigenvalues by modulus
    Ab = (A @ b.unsqueeze(-1)).squeeze(-1)
    full = ((large + small) * b - Ab) / (large * small)  # adj(A) b / det A
    single = (Ab - small * b) / ((large - small) * large)  # large's eigenprojection of b / large
    return torch.where(small.abs() > TIE, full, torch.where(large.abs() > TIE, single, 0))


@torch.no_grad()
def min_norm_weights(
    gramian: Float[Tensor, "*batch K K"], allowed: Bool[Tensor, "*batch K"] | None = None
) -> Float[Tensor, "*batch K"]:
    """argmin ½ γᵀQγ over the simplex {γ ≥ 0, Σγ = 1}: the min-norm point of the convex hull of K gradients, exactly.

    The problem is that of MGDA (Désidéri 2012). Where several γ reach the minimum to within 1e-10 (of the Gramian
    scaled by its largest diagonal entry), the one nearest to uniform is returned; on the simplex that is the shortest.

    Every face of the simplex is solved. With s its 0/1 support, u = s/|s| its centre and B an orthonormal basis of its
    directions, the minimisers on its affine hull are u + Bx, (BᵀQB) x = −BᵀQu, and γ_s = u − B (BᵀQB)⁺ BᵀQu is the
    shortest of them, since u ⟂ B. The answer is among these candidates. Let γ° be the optimum nearest to uniform and s
    the face whose relative interior holds it. Near γ° the whole affine hull of s is feasible, so γ° minimises on it;
    and were γ_s shorter, γ° could move towards γ_s, staying feasible and optimal, and get nearer to uniform. Hence
    γ° = γ_s: discard the candidates outside the simplex, keep those of the best value, take the shortest. The argument
    needs no positive definite Q.

    A single Gramian of three gradients on a CPU is solved in plain numbers, to the same up to rounding.

    Args:
        gramian: symmetric Q [..., K, K], finite wherever it is allowed. Rounding may leave it slightly indefinite.
        allowed: [..., K]; False holds γ_i at 0 and ignores row and column i. Default: all True.

    Returns:
        γ [..., K] in the Gramian's dtype (computed in float64), all zero where nothing is allowed. No gradient flows.

    Raises:
        ValueError: more than 10 objectives.
    """
    K = gramian.shape[-1]
    if K > MAX_OBJECTIVES:
        raise ValueError(
            f"min_norm_weights enumerates the faces of the simplex, too many for {K} objectives; "
            f"use at most {MAX_OBJECTIVES} or an iterative solver"
        )
    if gramian.shape == (3, 3) and gramian.is_cpu:  # on a CPU alone: reading numbers waits for a device
        usable = [True] * 3 if allowed is None else allowed.tolist()
        return gramian.new_tensor(triangle_weights(gramian.tolist(), usable))
    support, frame = _faces(K, gramian.device)
    Q = gramian.double()
    if allowed is not None:
        Q = torch.where(allowed.unsqueeze(-1) & allowed.unsqueeze(-2), Q, 0)
    largest = Q.diagonal(dim1=-2, dim2=-1).amax(-1)[..., None, None]
    Q = Q / largest.clamp_min(torch.finfo(Q.dtype).tiny)

    basis, centre = frame[..., :-1], frame[..., -1]
    system = frame.mT @ Q.unsqueeze(-3) @ frame
    step = _shortest_solution(system[..., :-1, :-1], system[..., :-1, -1])
    candidate = centre - support * (basis @ step.unsqueeze(-1)).squeeze(-1)
    inside = candidate >= INFEASIBLE
    if allowed is not None:
        inside = inside & (allowed.unsqueeze(-2) | (support == 0))
    feasible = inside.all(-1)
    candidate = candidate.clamp_min(0)
    candidate = candidate / candidate.sum(-1, keepdim=True)

    value = torch.where(feasible, 0.5 * (candidate @ Q * candidate).sum(-1), torch.inf)
    best = value <= value.amin(-1, keepdim=True) + TIE
    length = torch.where(feasible & best, candidate.square().sum(-1), torch.inf)
    weights = candidate.take_along_dim(length.argmin(-1)[..., None, None], -2).squeeze(-2)
    if allowed is not None:
        weights = torch.where(allowed.any(-1, keepdim=True), weights, 0)
    return weights.to(gramian.dtype)


class ParetoGradientModulator(Aggregator):
    """PGM: min-norm weights of the *normalised* gradients, applied to the gradients as they are.

    γ = argmin ½ γᵀQγ over the simplex, Q_ij = cos(g_i, g_j) (Lyu et al., AAAI 2026). Since γ is found for g_i/‖g_i‖ but
    weights g_i, the update is not a common descent direction: some objective rises to first order in about 38 % of
    random draws (Gaussian in ten dimensions, log-normal lengths). For two objectives γ is (½, ½).

    An objective whose gradient is non-finite or at most 1e-8 of the longest one gets γ_i = 0 and the others are solved;
    if none is left γ is all zero, and the step is to be skipped. γ carries no gradient.

    Args:
        solver: ``exact``, or ``slsqp``, which computes what the released implementation does: rows g/(‖g‖ + 1e-8), an
            approximate solver (:func:`css.slsqp.slsqp_weights`), and no objective masked but a non-finite one.

    Attributes:
        masked: int64 [K], how often each objective got γ_i = 0 for that reason, over the module's lifetime.
        skipped: int64 [], how often none was left.
    """

    weights_everything = True
    scale_invariant = True
    norm_invariant = True
    masked: Tensor
    skipped: Tensor

    def __init__(self, solver: Literal["exact", "slsqp"] = "exact") -> None:
        super().__init__()
        self.solver = solver
        self.register_buffer("masked", torch.zeros(len(OBJECTIVES), dtype=torch.int64))
        self.register_buffer("skipped", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(
        self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"] | None = None
    ) -> Float[Tensor, "K"]:
        """γ [K] ≥ 0 with Σγ = 1, or all zero, from the raw Gramian [K, K]; the losses are not looked at."""
        assert gramian is not None, "PGM needs the Gramian (needs_gramian is True)"
        squared = gramian.diagonal().double()
        norm = torch.where(squared.isfinite(), squared, 0).clamp_min(0).sqrt()
        usable = squared.isfinite() if self.solver == "slsqp" else norm > VANISHED * norm.amax()

        if self.masked.numel() != usable.numel():  # another number of objectives than the paper's three: count afresh
            self.masked = self.masked.new_zeros(usable.numel())
        self.masked += ~usable
        self.skipped += ~usable.any()

        if self.solver == "slsqp":
            weights = torch.zeros_like(norm)
            if usable.any():
                length = norm[usable] + RELEASED_EPSILON
                rows = gramian.double()[usable][:, usable] / length / length.unsqueeze(-1)
                weights[usable] = torch.from_numpy(slsqp_weights(rows.cpu().numpy())).to(weights)
            return weights.to(gramian.dtype)
        length = torch.where(usable, norm, 1)
        return min_norm_weights(gramian.double() / length / length.unsqueeze(-1), usable).to(gramian.dtype)
