"""Uncertainty weighting (Kendall, Gal and Cipolla, CVPR 2018): each objective by its learned noise."""

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.aggregators.scale import unit_sum
from css.interfaces import OBJECTIVES, Aggregator


class UncertaintyWeights(Aggregator):
    """γ_i = ½ exp(−s_i), with log-variances s_i that minimise Σ ½ exp(−s_i) L_i + ½ s_i (Kendall et al. 2018, eq. 7).

    The smaller an objective's loss, the more it weighs: at rest exp(s_i) = L_i. No gradient of an objective is looked
    at, so nothing is said about conflict. Where the paper trains s with the network's optimiser, here s has a gradient
    descent of its own, since the weights may depend on nothing but Gramian and losses: a step of ``rate`` along the
    closed-form gradient ½(1 − exp(−s_i) L_i), once the weights are taken. A loss that is not finite leaves its s alone.

    Args:
        rate: of that descent, from 0 (equal weights) to 1; near rest s closes half the rate of its distance a step.
        raw_scale: keep ½ exp(−s) instead of rescaling to Σγ = 1.

    Attributes:
        log_variance: s [K] float64, from 0; in ``state_dict``.
    """

    needs_gramian = False
    scale_invariant = True
    norm_invariant = True
    weights_everything = True
    log_variance: Tensor

    def __init__(self, rate: float = 0.01, raw_scale: bool = False) -> None:
        super().__init__()
        if not 0 <= rate <= 1:
            raise ValueError(f"UncertaintyWeights: rate is {rate}; it has to be between 0 and 1")
        self.rate = rate
        self.raw_scale = raw_scale
        self.register_buffer("log_variance", torch.zeros(len(OBJECTIVES), dtype=torch.float64))

    @torch.no_grad()
    def forward(self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
        """½ exp(−s) [K] > 0 from the K losses so far; the Gramian is not looked at."""
        if len(self.log_variance) != len(losses):  # another number of objectives than the paper's three: begin afresh
            self.log_variance = self.log_variance.new_zeros(losses.shape)
        weights = 0.5 * torch.exp(-self.log_variance)
        slope = 0.5 - weights * losses.double()
        self.log_variance -= self.rate * torch.where(slope.isfinite(), slope, 0)
        return (weights if self.raw_scale else unit_sum(weights)).to(losses.dtype)
