"""Concatenation fusion: the plain baseline every fusion has to beat, at its own size and at SPF's."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from css.interfaces import Fusion


class ConcatFusion(Fusion):
    """Concatenation and the standard two-layer MLP: Linear(M·h → w), GELU, Linear(w → out).

    Args:
        features: width h of each modality's input.
        modalities: names of the M inputs, in the order of concatenation.
        out_features: width of the output; h if None.
        width: w of the hidden layer; h if None.
    """

    def __init__(
        self,
        features: int,
        modalities: Sequence[str] = ("text", "audio", "visual"),
        out_features: int | None = None,
        width: int | None = None,
    ) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        self.out_features = features if out_features is None else out_features
        width = features if width is None else width
        self.mlp = nn.Sequential(
            nn.Linear(len(self.modalities) * features, width),
            nn.GELU(),
            nn.Linear(width, self.out_features),
        )

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, h]}`` to [N, out]."""
        return self.mlp(torch.cat([features[m] for m in self.modalities], -1))


class MatchedConcatFusion(ConcatFusion):
    """Concatenation with SPF's output width r and as many parameters as SPF of rank r and order p has.

    The hidden width is the one that comes nearest to SPF's M·h·p·r + M·p + p·r, about p·r: what is left of SPF's
    advantage is not its size.

    Args:
        features: width h of each modality's input.
        rank: r of the SPF that is matched, the width of the output.
        order: p of the SPF that is matched.
        modalities: names of the M inputs, in the order of concatenation.
    """

    def __init__(
        self, features: int, rank: int, order: int, modalities: Sequence[str] = ("text", "audio", "visual")
    ) -> None:
        M = len(modalities)
        parameters = M * features * order * rank + M * order + order * rank
        width = max(1, round((parameters - rank) / (M * features + 1 + rank)))
        super().__init__(features, modalities, rank, width)
