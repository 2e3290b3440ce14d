"""The paper's encoder for one modality alone: the unimodal baselines of a multimodal comparison."""

from collections.abc import Mapping

import torch

from css.encoder import ConversationEncoder


class SingleModalityEncoder(ConversationEncoder):
    """The paper's encoder built for one of the modalities; the features of the others are not looked at.

    Its interaction-aware stage has nothing to attend to, so that only the modality's own context reaches its features.
    With the fusion of its name (methods ``text-only``, ``audio-only``, ``visual-only``) this is the modality's encoder
    and classifier alone. The fusions ``text``, ``audio`` and ``visual`` behind the whole encoder are not: there, each
    modality has attended to the others.

    Args:
        inputs: width d_m of each modality; those of others are left out.
        hidden, heads, dropout, speakers, generator: as of :class:`css.encoder.ConversationEncoder`.

    Raises:
        ValueError: the modality is not among the inputs.
    """

    modality: str

    def __init__(
        self,
        inputs: Mapping[str, int],
        hidden: int,
        heads: int,
        dropout: float,
        speakers: int,
        generator: torch.Generator | None = None,
    ) -> None:
        if self.modality not in inputs:
            raise ValueError(
                f"{type(self).__name__}: the inputs are {', '.join(inputs)}, without {self.modality}; add it to "
                f"--modalities, or leave the encoder 'single-{self.modality}' out"
            )
        alone = {self.modality: inputs[self.modality]}
        super().__init__(alone, hidden, heads, dropout, speakers, generator)


class TextEncoder(SingleModalityEncoder):
    """Text alone."""

    modality = "text"


class AudioEncoder(SingleModalityEncoder):
    """Audio alone."""

    modality = "audio"


class VisualEncoder(SingleModalityEncoder):
    """Visual features alone."""

    modality = "visual"
