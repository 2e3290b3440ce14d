"""GradNorm (Chen et al., ICML 2018): weights that balance the lengths of the weighted gradients."""

import torch
from jaxtyping import Float
from torch import Tensor

from css.interfaces import OBJECTIVES, Aggregator


class GradNorm(Aggregator):
    """Weights γ that descend Σ |γ_i‖g_i‖ − G r_i^α|, G the mean of γ_i‖g_i‖ (Chen et al. 2018, equation 2, times K).

    r_i is the loss as a share of its first value, over the mean of these shares: an objective that has learned more
    slowly than the others is to have the longer weighted gradient. As published G r_i^α counts as constant in the
    derivative, the step's own weights are those before the descent, and Σγ is kept. Three things differ. ‖g_i‖ is over
    θ where the paper takes its last layer. The derivative ±‖g_i‖ is divided by Σ‖g_i‖, since the length of a step would
    otherwise depend on the unit of the losses (the paper leaves it to its optimiser). And no γ falls below 0. A step
    with a Gramian or loss that is not finite has NaN weights (Gramian) or the last ones, and teaches nothing.

    Args:
        alpha: α ≥ 0, how strongly slow objectives are pulled; 0 asks for equal lengths, the paper uses up to 3.
        rate: of the descent, from 0 (equal weights) to 0.5.

    Attributes:
        weights: γ [K] float64, from 1/K.
        first: the first losses [K] float64, NaN before they are seen. Both in ``state_dict``.
    """

    scale_invariant = True
    weights_everything = True
    weights: Tensor
    first: Tensor

    def __init__(self, alpha: float = 1.5, rate: float = 0.025) -> None:
        super().__init__()
        for name, value, highest in (("alpha", alpha, 10), ("rate", rate, 0.5)):
            if not 0 <= value <= highest:
                raise ValueError(f"GradNorm: {name} is {value}; it has to be between 0 and {highest}")
        self.alpha = alpha
        self.rate = rate
        self.register_buffer("weights", torch.full((len(OBJECTIVES),), 1 / len(OBJECTIVES), dtype=torch.float64))
        self.register_buffer("first", torch.full((len(OBJECTIVES),), torch.nan, dtype=torch.float64))

    @torch.no_grad()
    def forward(self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
        """γ [K] ≥ 0 with Σγ = 1 from the steps before; this one's lengths and losses are learned from."""
        assert gramian is not None, "GradNorm needs the Gramian (needs_gramian is True)"
        L, K = losses.double(), len(losses)
        if len(self.weights) != K:  # another number of objectives than the paper's three: begin afresh
            self.weights = self.weights.new_full((K,), 1 / K)
            self.first = self.first.new_full((K,), torch.nan)
        weights = self.weights
        finite = gramian.isfinite().all()
        self.first = torch.where(self.first.isnan() & finite & L.isfinite().all(), L, self.first)
        norm = gramian.double().diagonal().clamp_min(0).sqrt()
        share = L / self.first
        target = (weights * norm).mean() * (share / share.mean()) ** self.alpha
        slope = (weights * norm - target).sign() * norm / norm.sum()
        learned = (weights - self.rate * slope).clamp_min(0)
        learned = learned / learned.sum()
        self.weights = torch.where(finite & (target + learned).isfinite().all(), learned, weights)
        return torch.where(finite, weights, torch.nan).to(gramian.dtype)
