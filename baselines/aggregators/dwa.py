"""Dynamic weight average (Liu, Johns and Davison, CVPR 2019): each objective by how slowly its loss falls."""

import torch
from jaxtyping import Float
from torch import Tensor

from css.interfaces import OBJECTIVES, Aggregator


class DynamicWeightAverage(Aggregator):
    """γ = softmax(r/T), r_i the mean loss of the last epoch over that of the epoch before (Liu et al. 2019, eq. 7).

    An objective whose loss falls more slowly than the others' weighs more. Until there are two epochs all weigh the
    same. Losses that are not finite enter no mean; an epoch without any others, or with a mean of 0, gives equal
    weights while it is remembered.

    Args:
        temperature: T > 0; 2 in the paper.

    Attributes:
        means: the mean losses of the last two epochs [2, K] float64, older first, NaN where there is none.
        total, batches: this epoch's sum of losses [K] float64 and how many are in it, int64 []. All in ``state_dict``.
    """

    needs_gramian = False
    scale_invariant = True
    norm_invariant = True
    weights_everything = True
    means: Tensor
    total: Tensor
    batches: Tensor

    def __init__(self, temperature: float = 2.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"DynamicWeightAverage: temperature is {temperature}; it has to be positive")
        self.temperature = temperature
        self.register_buffer("means", torch.full((2, len(OBJECTIVES)), torch.nan, dtype=torch.float64))
        self.register_buffer("total", torch.zeros(len(OBJECTIVES), dtype=torch.float64))
        self.register_buffer("batches", torch.tensor(0))

    @torch.no_grad()
    def forward(self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
        """γ [K] > 0 with Σγ = 1 from the epochs before; the losses are remembered, the Gramian is not looked at."""
        if len(self.total) != len(losses):  # another number of objectives than the paper's three: begin afresh
            self.means = self.means.new_full((2, len(losses)), torch.nan)
            self.total = self.total.new_zeros(losses.shape)
            self.batches.zero_()
        finite = losses.isfinite().all()
        self.total += torch.where(finite, losses.double(), 0)
        self.batches += finite
        older, newer = self.means
        rate = newer / older
        weights = (torch.where(rate.isfinite().all(), rate, 1) / self.temperature).softmax(0)
        return weights.to(losses.dtype)

    @torch.no_grad()
    def end_epoch(self) -> None:
        """Make the epoch's losses the last epoch's mean."""
        self.means = torch.stack((self.means[1], self.total / self.batches))
        self.total.zero_()
        self.batches.zero_()
