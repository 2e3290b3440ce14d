"""Linear fusion: a control that cannot see any interaction of modalities."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from css.interfaces import Fusion


class LinearFusion(Fusion):
    """Concatenation and one linear map, Linear(M·h → h): logits are sums of a term for each modality.

    On features that are themselves of one modality each it stays at chance on what only their product tells
    (docs/controls.md).

    Args:
        features: width h of each modality's input, and of the output.
        modalities: names of the M inputs, in the order of concatenation.
    """

    def __init__(self, features: int, modalities: Sequence[str] = ("text", "audio", "visual")) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        self.out_features = features
        self.linear = nn.Linear(len(self.modalities) * features, features)

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, h]}`` to [N, h]."""
        return self.linear(torch.cat([features[m] for m in self.modalities], -1))
