"""Gated sum of the modalities, as in the Self-Distillation Transformer (SDT, Ma et al., IEEE TMM 2023)."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from css.interfaces import Fusion


class GatedFusion(Fusion):
    """Every feature is a convex combination over modalities: Σ_m softmax_m(W x_m) ⊙ x_m (Ma et al. 2023).

    W [h, h], without bias, serves all modalities, as in the second level of SDT's hierarchical gated fusion.

    Args:
        features: width h of each modality's input, and of the output.
        modalities: names of the M inputs.
    """

    def __init__(self, features: int, modalities: Sequence[str] = ("text", "audio", "visual")) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        self.out_features = features
        self.gate = nn.Linear(features, features, bias=False)

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, h]}`` to [N, h]."""
        x = torch.stack([features[m] for m in self.modalities])
        return (self.gate(x).softmax(0) * x).sum(0)
