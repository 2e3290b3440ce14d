"""The paper's encoder for some of the modalities: the baselines of a multimodal comparison that see less."""

from collections.abc import Mapping

import torch

from css.encoder import ConversationEncoder


class SubsetEncoder(ConversationEncoder):
    """The paper's encoder built for some of the modalities; the features of the others are not looked at.

    Args:
        inputs: width d_m of each modality; those of others are left out.
        hidden, heads, dropout, speakers, generator: as of :class:`css.encoder.ConversationEncoder`.

    Raises:
        ValueError: one of its modalities is not among the inputs.
    """

    sees: tuple[str, ...]

    def __init__(
        self,
        inputs: Mapping[str, int],
        hidden: int,
        heads: int,
        dropout: float,
        speakers: int,
        generator: torch.Generator | None = None,
    ) -> None:
        if missing := [m for m in self.sees if m not in inputs]:
            raise ValueError(
                f"{type(self).__name__}: the inputs are {', '.join(inputs)}, without {', '.join(missing)}; add it to "
                f"--modalities, or leave the encoder of {' and '.join(self.sees)} out"
            )
        super().__init__({m: inputs[m] for m in self.sees}, hidden, heads, dropout, speakers, generator)
