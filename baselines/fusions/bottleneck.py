"""Attention bottlenecks (Nagrani et al., NeurIPS 2021), for modalities of one token each."""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from css.interfaces import Fusion


class BottleneckFusion(Fusion):
    """Modalities exchange information through a few learned tokens only (MBT, Nagrani et al. 2021).

    A modality has one token x_m, its features of the utterance; B bottleneck tokens z, normal with sd 0.02 at first,
    stand beside it. Each layer is a Transformer layer for each modality::

        [x_m ; z_m] <- layer_m([x_m ; z]),   z <- mean_m z_m

    and the output is mean_m x_m. Two layers are the least with which one modality reaches another.

    Args:
        features: width h of each modality's input, of the feed-forward layers and of the output.
        modalities: names of the M inputs.
        bottlenecks: B; 4 in the paper.
        layers: of the exchange.
        heads: attention heads; where they do not divide h, their greatest common divisor with it.
    """

    def __init__(
        self,
        features: int,
        modalities: Sequence[str] = ("text", "audio", "visual"),
        bottlenecks: int = 4,
        layers: int = 2,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.out_features = features
        self.bottleneck = nn.Parameter(torch.empty(bottlenecks, features).normal_(std=0.02))
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    m: nn.TransformerEncoderLayer(
                        features,
                        math.gcd(features, heads),
                        features,
                        dropout=0.0,
                        activation="gelu",
                        batch_first=True,
                        norm_first=True,
                    )
                    for m in modalities
                }
            )
            for _ in range(layers)
        )
        self.modalities = tuple(modalities)

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, h]}`` to [N, h]."""
        tokens = [features[m].unsqueeze(1) for m in self.modalities]
        shared = self.bottleneck.expand(len(tokens[0]), -1, -1)
        for layer in self.layers:
            mixed = [each(torch.cat([x, shared], 1)) for each, x in zip(layer.children(), tokens, strict=True)]
            tokens = [x[:, :1] for x in mixed]
            shared = torch.stack([x[:, 1:] for x in mixed]).mean(0)
        return torch.stack(tokens).mean(0).squeeze(1)
