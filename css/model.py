"""Encoder, fusion and classifiers put together."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from css.interfaces import BranchLogits, Encoder, Fusion
from css.layers import Dropout, StackedLinear


class UnimodalClassifiers(nn.Module):
    """A classifier for each modality alone: ReLU, dropout, linear (Lyu et al. 2026, objective L2)."""

    def __init__(self, modalities: int, features: int, classes: int, dropout: Dropout) -> None:
        super().__init__()
        self.dropout = dropout
        self.linear = StackedLinear(modalities, features, classes)

    def forward(self, features: Mapping[str, Float[Tensor, "N h"]]) -> dict[str, Float[Tensor, "N C"]]:
        """Logits of every modality, ``{m: [N, C]}``."""
        logits = self.linear(self.dropout(torch.relu(torch.stack(list(features.values())))))
        return dict(zip(features, logits.unbind(), strict=True))


class EmotionClassifier(nn.Module):
    """Logits of the fused branch and of each modality for every utterance of a packed batch."""

    def __init__(
        self,
        encoder: Encoder,
        fusion: Fusion,
        classes: int,
        dropout: float,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.fusion = fusion
        # The unimodal classifiers draw first, so that methods of different fusion widths start with the same ones.
        self.unimodal = UnimodalClassifiers(
            len(encoder.modalities), encoder.hidden, classes, Dropout(dropout, generator)
        )
        self.classifier = nn.Linear(fusion.out_features, classes)

    def forward(
        self, features: Mapping[str, Float[Tensor, "N _"]], speakers: Int[Tensor, "N"], lengths: Int[Tensor, "B"]
    ) -> BranchLogits:
        """Classify whole conversations laid end to end; arguments as :meth:`Encoder.forward`."""
        return self.classify(self.encoder(features, speakers, lengths))

    def classify(self, encoded: Mapping[str, Float[Tensor, "N h"]]) -> BranchLogits:
        """Logits of every branch from the encoder's features ``{m: [N, h]}``."""
        return BranchLogits(self.classifier(self.fusion(encoded)), self.unimodal(encoded))
