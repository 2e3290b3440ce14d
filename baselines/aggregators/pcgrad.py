"""PCGrad (Yu et al., NeurIPS 2020): project each gradient off those it conflicts with."""

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.aggregators.orders import RandomOrders
from baselines.aggregators.scale import unit_sum


class PCGrad(RandomOrders):
    """Projecting conflicting gradients (Yu et al. 2020, algorithm 1), computed from the Gramian M = J Jᵀ alone.

    For each objective i a running gradient starts at g_i and meets the others in random order: where its inner product
    with g_j is negative, it is projected on the normal plane of g_j. Being a combination Jᵀc of the gradients, with
    inner products Mc, it is known by its coefficients c: start at e_i, then c_j −= (Mc)_j / M_jj where (Mc)_j < 0. γ is
    the sum of the K coefficient vectors. Coefficients only grow, so Σγ ≥ K and it can be rescaled to Σγ = 1. For two
    objectives the update conflicts with neither; for three or more there is no such guarantee.

    Args:
        seed: of the orders' generator.
        raw_scale: keep the published sum over objectives instead of rescaling to Σγ = 1.
    """

    scale_invariant = True

    def __init__(self, seed: int = 0, raw_scale: bool = False) -> None:
        super().__init__(seed)
        self.raw_scale = raw_scale

    @torch.no_grad()
    def forward(
        self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"] | None = None
    ) -> Float[Tensor, "K"]:
        """γ [K] ≥ 0 from the raw Gramian [K, K]; one draw of K orders. The losses are not looked at."""
        assert gramian is not None, "PCGrad needs the Gramian (needs_gramian is True)"
        M = gramian.double()
        rows = torch.arange(len(M), device=M.device)
        coefficients = torch.eye(len(M), dtype=M.dtype, device=M.device)
        for j in self.orders(len(M), M.device).unbind(-1):  # row i also meets i itself, which is skipped
            product = (coefficients @ M)[rows, j]
            squared = M.diagonal()[j]
            conflict = (product < 0) & (j != rows) & (squared > 0)
            coefficients[rows, j] -= torch.where(conflict, product / squared, 0)
        weights = coefficients.sum(0)
        return (weights if self.raw_scale else unit_sum(weights)).to(gramian.dtype)
