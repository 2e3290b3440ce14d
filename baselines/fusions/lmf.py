"""Low-rank Multimodal Fusion (Liu et al., ACL 2018): the tensor network's map without ever forming the tensor."""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from css.interfaces import Fusion


class LowRankFusion(Fusion):
    """A linear map of the outer product ⊗_m [1; x_m] whose weight is a sum of R rank-one tensors (Liu et al. 2018).

    ::

        f = Σ_i a_i ⊙_m (W_m^(i) [1; x_m]) + b        [N, width], i = 1..R

    Factors W and coefficients a start Xavier-normal and b at 0, as in the authors' implementation.

    Args:
        features: width of each modality's input.
        modalities: names of the M inputs.
        factors: R, the number of rank-one tensors (the paper's rank).
        width: of the output.

    Attributes:
        weight: [M, features + 1, R · width]; row 0 is what the constant 1 meets.
        coefficient: a [R].
        bias: b [width].
    """

    def __init__(
        self,
        features: int,
        modalities: Sequence[str] = ("text", "audio", "visual"),
        factors: int = 4,
        width: int = 64,
    ) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        self.out_features = width
        std = math.sqrt(2 / (features + 1 + width))
        self.weight = nn.Parameter(torch.empty(len(self.modalities), features + 1, factors * width).normal_(std=std))
        self.coefficient = nn.Parameter(torch.empty(factors).normal_(std=math.sqrt(2 / (1 + factors))))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, features]}`` to [N, width]."""
        x = torch.stack([F.pad(features[m], (1, 0), value=1.0) for m in self.modalities])
        projected = x @ self.weight
        product = projected[0]
        for factor in projected[1:]:  # not prod: its backward pass waits for the device to look for zeros
            product = product * factor
        return self.coefficient @ product.unflatten(-1, (-1, self.out_features)) + self.bias
