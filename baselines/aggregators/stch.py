"""Smooth Tchebycheff scalarization (Lin et al., ICML 2024): a smooth maximum of the losses."""

import torch
from jaxtyping import Float
from torch import Tensor

from css.interfaces import Aggregator


class SmoothTchebycheff(Aggregator):
    """The gradient of μ log Σ exp(λ_i (L_i − z_i)/μ), up to Σγ = 1: γ = softmax(L/(Kμ)) (Lin et al. 2024, equation 6).

    The preferences λ are equal, 1/K each, and the ideal losses z are 0, the least that a cross-entropy or divergence
    can be. The largest loss weighs most: towards μ = 0 it has all weight, for large μ all weigh the same. It matters
    that losses are comparable, which the rule takes for granted. A loss that is not finite gives NaN weights.

    Args:
        mu: μ > 0, in units of a loss over K; the paper compares 0.01 to 1.
    """

    needs_gramian = False
    scale_invariant = True
    norm_invariant = True
    weights_everything = True

    def __init__(self, mu: float = 1.0) -> None:
        super().__init__()
        if not mu > 0:
            raise ValueError(f"SmoothTchebycheff: mu is {mu}; it has to be positive")
        self.mu = mu

    @torch.no_grad()
    def forward(self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
        """γ [K] ≥ 0 with Σγ = 1 from the K losses; the Gramian is not looked at."""
        return (losses.double() / (losses.numel() * self.mu)).softmax(0).to(losses.dtype)
