"""The identity encoder: a control whose features of a modality know nothing of other modalities and utterances."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from css.interfaces import Encoder


class IdentityEncoder(Encoder):
    """One linear map of each modality to width h: no context, no speaker, no position, no path between modalities.

    Whatever interaction of modalities a model with it finds, its fusion found; without a non-linearity, dropout or
    residual of its own, the order of that interaction is the fusion's.

    Args:
        inputs: width d_m of each modality, in the order of the features.
        hidden: width h.
        heads, dropout, speakers, generator: as of every encoder; there is nothing here that they would change.
    """

    def __init__(
        self,
        inputs: Mapping[str, int],
        hidden: int,
        heads: int,
        dropout: float,
        speakers: int,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.modalities = tuple(inputs)
        self.hidden = hidden
        self.inputs = nn.ModuleDict({m: nn.Linear(width, hidden) for m, width in inputs.items()})

    def shared_parameters(self) -> dict[str, nn.Parameter]:
        """θ, the parameters whose gradients are compared: all."""
        return dict(self.named_parameters())

    def forward(
        self, features: Mapping[str, Float[Tensor, "N _"]], speakers: Int[Tensor, "N"], lengths: Int[Tensor, "B"]
    ) -> dict[str, Float[Tensor, "N h"]]:
        """``{m: [N, h]}``; speakers and lengths are not looked at."""
        return {m: linear(features[m]) for m, linear in self.inputs.items()}
