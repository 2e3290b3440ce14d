"""The common scale of all aggregators: Σγ = 1."""

import torch
from jaxtyping import Float
from torch import Tensor

VANISHED = 1e-9
"""Weights whose sum is at most this fraction of Σ|γ| cancel: there is no update to rescale."""


def unit_sum(weights: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
    """γ / Σγ, since Adam's coupled weight decay and ε would otherwise differ between methods.

    All zero, so that the step is skipped and counted, where Σγ is not positive or vanishes beside Σ|γ|.
    """
    total = weights.sum()
    cancelled = total <= VANISHED * weights.abs().sum()  # False for NaN, which stays NaN
    return torch.where(cancelled, 0, weights / torch.where(cancelled, 1, total))
