"""Concatenation fusion: the plain baseline every fusion has to beat."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from css.interfaces import Fusion


class ConcatFusion(Fusion):
    """Concatenation and the standard two-layer MLP: Linear(M·h → h), GELU, Linear(h → out).

    Args:
        features: width h of each modality's input, and of the hidden layer.
        modalities: names of the M inputs, in the order of concatenation.
        out_features: width of the output; h if None.
    """

    def __init__(
        self,
        features: int,
        modalities: Sequence[str] = ("text", "audio", "visual"),
        out_features: int | None = None,
    ) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        self.out_features = features if out_features is None else out_features
        self.mlp = nn.Sequential(
            nn.Linear(len(self.modalities) * features, features),
            nn.GELU(),
            nn.Linear(features, self.out_features),
        )

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, h]}`` to [N, out]."""
        return self.mlp(torch.cat([features[m] for m in self.modalities], -1))
