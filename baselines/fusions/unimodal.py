"""One modality passed through: what the fused branch reaches when it fuses nothing."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from css.interfaces import Fusion


class UnimodalFusion(Fusion):
    """The features h~^(m) of one modality as they are, without parameters: the reference of a fusion in this encoder.

    It is not a unimodal system: in the encoder's interaction-aware stage this modality has attended to the others, and
    their classifiers still train it. The system that never sees another modality is :mod:`baselines.encoders.single`.

    Args:
        features: width h of each modality's input, and of the output.
        modalities: names of the inputs.

    Raises:
        ValueError: the modality is not among them.
    """

    modality: str

    def __init__(self, features: int, modalities: Sequence[str] = ("text", "audio", "visual")) -> None:
        super().__init__()
        if self.modality not in modalities:
            raise ValueError(
                f"{type(self).__name__}: the inputs are {', '.join(modalities)}, without {self.modality}; "
                f"add it to --modalities, or leave the fusion {self.modality!r} out"
            )
        self.out_features = features

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """The modality's features [N, h]."""
        return features[self.modality]


class TextFusion(UnimodalFusion):
    """Text alone."""

    modality = "text"


class AudioFusion(UnimodalFusion):
    """Audio alone."""

    modality = "audio"


class VisualFusion(UnimodalFusion):
    """Visual features alone."""

    modality = "visual"
