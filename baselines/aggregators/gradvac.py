"""Gradient Vaccine (Wang et al., ICLR 2021): bring each pair of gradients up to the cosine it usually has."""

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.aggregators.orders import RandomOrders
from baselines.aggregators.scale import unit_sum
from css.interfaces import OBJECTIVES


class GradVac(RandomOrders):
    """Gradient Vaccine (Wang et al. 2021, algorithm 1), computed from the Gramian M = J Jᵀ alone.

    As in PCGrad a running gradient starts at g_i and meets the others in random order. Their cosine φ is compared with
    its target φ^_ij, an exponential moving average from 0; below it, g_j is added until the cosine is φ^_ij::

        g_i += ‖g_i‖ (φ^ √(1−φ²) − φ √(1−φ^²)) / (‖g_j‖ √(1−φ^²)) · g_j,    then    φ^_ij <- (1−β) φ^_ij + β φ

    The factor is positive, so Σγ ≥ K. Conflict may remain. A gradient of length zero meets nobody. A Gramian that is
    not finite gives NaN weights and leaves the targets alone.

    Args:
        seed: of the orders' generator.
        beta: β in [0, 1]; 0.01 in the paper.
        raw_scale: keep the published sum over objectives instead of rescaling to Σγ = 1.

    Attributes:
        target: φ^ [K, K] float64, in ``state_dict``.
    """

    scale_invariant = True
    target: Tensor

    def __init__(self, seed: int = 0, beta: float = 0.01, raw_scale: bool = False) -> None:
        super().__init__(seed)
        if not 0 <= beta <= 1:
            raise ValueError(f"GradVac: beta is {beta}; it has to be between 0 and 1")
        self.beta = beta
        self.raw_scale = raw_scale
        self.register_buffer("target", torch.zeros(len(OBJECTIVES), len(OBJECTIVES), dtype=torch.float64))

    @torch.no_grad()
    def forward(
        self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"] | None = None
    ) -> Float[Tensor, "K"]:
        """γ [K] ≥ 0 from the raw Gramian [K, K]; one draw of K orders. The losses are not looked at."""
        assert gramian is not None, "GradVac needs the Gramian (needs_gramian is True)"
        M = gramian.double()
        if len(self.target) != len(M):  # another number of objectives than the paper's three: remember afresh
            self.target = self.target.new_zeros(M.shape)
        rows = torch.arange(len(M), device=M.device)
        coefficients = torch.eye(len(M), dtype=M.dtype, device=M.device)
        target = self.target.to(M.dtype, copy=True)
        for j in self.orders(len(M), M.device).unbind(-1):  # row i also meets i itself, which is skipped
            product = (coefficients @ M)[rows, j]
            length = (coefficients @ M * coefficients).sum(-1).clamp_min(0).sqrt()
            other = M.diagonal()[j].clamp_min(0).sqrt()
            meets = (j != rows) & (length > 0) & (other > 0)
            cosine = (product / torch.where(meets, length * other, 1)).clamp(-1, 1)
            wanted = target[rows, j]
            sine, wanted_sine = (1 - cosine.square()).sqrt(), (1 - wanted.square()).sqrt()
            missing = meets & (cosine < wanted) & (wanted_sine > 0)
            step = length * (wanted * sine - cosine * wanted_sine) / torch.where(missing, other * wanted_sine, 1)
            coefficients[rows, j] += torch.where(missing, step, 0)
            target[rows, j] = torch.where(meets, (1 - self.beta) * wanted + self.beta * cosine, wanted)
        finite = M.isfinite().all()
        self.target.copy_(torch.where(finite, target, self.target))
        weights = torch.where(finite, coefficients.sum(0), torch.nan)
        return (weights if self.raw_scale else unit_sum(weights)).to(gramian.dtype)
