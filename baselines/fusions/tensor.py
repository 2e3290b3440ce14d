"""Tensor Fusion Network (Zadeh et al., EMNLP 2017): every product of the modalities' features."""

from collections.abc import Mapping, Sequence
from functools import reduce

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from css.interfaces import Fusion

MAX_FEATURES = 2**18
"""1 MiB an utterance in float32: some thousand utterances a batch, with gradients, then take gigabytes."""


def _outer(a: Float[Tensor, "N a"], b: Float[Tensor, "N b"]) -> Float[Tensor, "N a*b"]:
    return (a.unsqueeze(2) * b.unsqueeze(1)).flatten(1)


def _largest_width(modalities: int) -> int:
    width = 1
    while (width + 2) ** modalities <= MAX_FEATURES:
        width += 1
    return width


class TensorFusion(Fusion):
    """Outer product ⊗_m [1; z_m], z_m = W_m x_m + b_m (Zadeh et al. 2017), handed to the classifier as it is.

    The ones make it hold the features of every subset of the modalities; the first modality's index varies slowest.
    The projection to ``width`` keeps the (width + 1)^M features in bounds: 17³ = 4913 for three modalities.

    Args:
        features: width of each modality's input.
        modalities: names of the M inputs.
        width: of each z_m.

    Raises:
        ValueError: (width + 1)^M exceeds 2^18, naming the size and the largest width that fits.
    """

    def __init__(self, features: int, modalities: Sequence[str] = ("text", "audio", "visual"), width: int = 16) -> None:
        super().__init__()
        self.out_features = (width + 1) ** len(modalities)
        if self.out_features > MAX_FEATURES:
            raise ValueError(
                f"TensorFusion: width {width} and {len(modalities)} modalities make {self.out_features:,} features: "
                f"{self.out_features / 2**18:,.1f} MiB an utterance, and as much a class in the classifier after it; "
                f"{MAX_FEATURES:,} (1 MiB) are the most: choose width {_largest_width(len(modalities))} or less"
            )
        self.projections = nn.ModuleDict({m: nn.Linear(features, width) for m in modalities})

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, features]}`` to [N, (width + 1)^M]."""
        return reduce(_outer, (F.pad(linear(features[m]), (1, 0), value=1.0) for m, linear in self.projections.items()))
