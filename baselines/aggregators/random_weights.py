"""Random loss weighting (Lin et al., TMLR 2022): weights drawn anew at every step."""

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.aggregators.draws import DrawingAggregator


class RandomWeights(DrawingAggregator):
    """γ = softmax(z), z ~ N(0, 1) for each objective and step (Lin et al. 2022, RLW with the normal distribution).

    Nothing of gradients or losses is looked at. On average over draws this is the mean of the objectives, which makes
    it the control that every other weighting has to beat.

    Args:
        seed: of the draws' generator.
    """

    needs_gramian = False
    scale_invariant = True
    norm_invariant = True
    weights_everything = True

    def forward(self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
        """γ [K] > 0 with Σγ = 1, one draw for each of the K losses, made on the CPU for every device alike."""
        draws = torch.randn(losses.shape, generator=self.generator, dtype=torch.float64)
        return draws.softmax(0).to(losses.device, losses.dtype, non_blocking=True)
