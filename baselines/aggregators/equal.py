"""Equal weights: the plain mean of the objectives, which needs no Gramian."""

from jaxtyping import Float
from torch import Tensor

from css.interfaces import Aggregator


class EqualWeights(Aggregator):
    """γ = (1/K, …, 1/K): one backward pass of the objectives' mean."""

    needs_gramian = False
    scale_invariant = True
    norm_invariant = True

    def forward(self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
        """1/K for each of the K losses; the Gramian is not looked at."""
        return losses.new_full(losses.shape, 1 / losses.numel())
