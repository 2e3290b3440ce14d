"""The conversation encoder of the released implementation of CSS (github.com/m1iz/CSS, commit c4ec96f)."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from css.attention import PackedLayout, conversation_attention, packed_layout
from css.encoder import ModalityAwareLayer, sinusoidal_positions
from css.interfaces import Encoder
from css.layers import Dropout, StackedLinear

MODALITIES = ("text", "audio", "visual")


class TextShift(nn.Module):
    """x + σ(σ(V t + c)) ⊙ (W t + b): text shifts another modality, and learns nothing from it (t is detached)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.shift = nn.Linear(hidden, hidden)
        self.gate = nn.Linear(hidden, hidden)

    def forward(self, x: Float[Tensor, "N h"], text: Float[Tensor, "N h"]) -> Float[Tensor, "N h"]:
        """Shift one modality's projected utterances by what the projected text says."""
        text = text.detach()
        return x + self.gate(text).sigmoid().sigmoid() * self.shift(text)


class TwoSourceAttention(nn.Module):
    """One cross-attention for all three queries, each over the other two modalities.

    With q the projected query of an utterance, its key is g k_1 + (1 − g) k_2, g = σ(w·q + b) a scalar, where k_1 and
    k_2 project the two other modalities in their own order; its value likewise with another gate. The residual is on q.
    """

    def __init__(self, hidden: int, heads: int, dropout: Dropout) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(hidden, hidden)
        self.first = nn.Linear(hidden, 2 * hidden)
        self.second = nn.Linear(hidden, 2 * hidden)
        self.gates = nn.Linear(hidden, 2)
        self.out = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-5)
        self.dropout = dropout

    def forward(self, x: Float[Tensor, "3 N h"], layout: PackedLayout) -> Float[Tensor, "3 N h"]:
        """Let each modality's utterances attend to the other two in the same conversation."""
        query = self.query(x)
        of_text, of_audio = self.first(x[:2])
        first = torch.stack([of_audio, of_text, of_text])  # keys and values side by side
        of_audio, of_visual = self.second(x[1:])
        second = torch.stack([of_visual, of_visual, of_audio])
        gate = self.gates(query).sigmoid().unsqueeze(-1)  # [3, N, 2, 1]: of the keys, of the values
        key_value = torch.lerp(second.unflatten(-1, (2, -1)), first.unflatten(-1, (2, -1)), gate).flatten(-2)
        query_key_value = torch.cat([query, key_value], dim=-1)
        attended = conversation_attention(query_key_value, layout, self.heads, self.dropout)
        return self.norm(self.out(attended) + query)


class ReleasedEncoder(Encoder):
    """Packed utterances to features per modality, as the released implementation computes them.

    Own and cross stream read the same inputs, each with its own draw of dropout; each is gated, x ⊙ σ(Wx), and both are
    reduced to h together.

    Args:
        inputs: width d_m of text, audio and visual, in this order.
        hidden: width h, divisible by ``heads``.
        heads: attention heads.
        dropout: probability, on inputs, attention probabilities, the own stream's attention outputs and feed-forward.
        speakers: number of speakers; the table has one more row, for padding.
        generator: what dropout draws from (None: torch's global generator).
        meld_step: text shifts audio and visual first, as the release does on MELD only.

    Raises:
        ValueError: other modalities, or ``hidden`` no multiple of ``heads``.
    """

    def __init__(
        self,
        inputs: Mapping[str, int],
        hidden: int,
        heads: int,
        dropout: float,
        speakers: int,
        generator: torch.Generator | None = None,
        meld_step: bool = False,
    ) -> None:
        super().__init__()
        if tuple(inputs) != MODALITIES:
            raise ValueError(
                f"the released encoder takes {', '.join(MODALITIES)}, got {', '.join(inputs) or 'nothing'}"
            )
        if hidden % heads:
            raise ValueError(f"hidden must be a multiple of heads, got hidden {hidden} and heads {heads}")
        self.modalities = MODALITIES
        self.hidden = hidden
        self.dropout = Dropout(dropout, generator)
        self.inputs = nn.ModuleDict({m: nn.Linear(width, hidden, bias=False) for m, width in inputs.items()})
        self.text_shift = nn.ModuleDict({m: TextShift(hidden) for m in MODALITIES[1:]} if meld_step else {})
        self.speaker = nn.Embedding(speakers + 1, hidden, padding_idx=speakers)
        self.modality_aware = ModalityAwareLayer(len(inputs), hidden, heads, self.dropout)
        self.interaction_aware = TwoSourceAttention(hidden, heads, self.dropout)
        self.own_gate = StackedLinear(len(inputs), hidden, hidden, bias=False)
        self.cross_gate = StackedLinear(len(inputs), hidden, hidden, bias=False)
        self.reduction = StackedLinear(len(inputs), 2 * hidden, hidden)

    def shared_parameters(self) -> dict[str, nn.Parameter]:
        """θ, the parameters whose gradients are compared: everything here but the speaker embeddings."""
        return {name: p for name, p in self.named_parameters() if not name.startswith("speaker.")}

    def forward(
        self, features: Mapping[str, Float[Tensor, "N _"]], speakers: Int[Tensor, "N"], lengths: Int[Tensor, "B"]
    ) -> dict[str, Float[Tensor, "N h"]]:
        """Encode whole conversations laid end to end; arguments as of :class:`css.encoder.ConversationEncoder`."""
        projected = {m: self.inputs[m](features[m]) for m in self.modalities}
        for m, shift in self.text_shift.items():
            projected[m] = shift(projected[m], projected["text"])
        x = torch.stack(list(projected.values()))
        layout = packed_layout(lengths, x.device, x.dtype)
        x = x + self.speaker(speakers) + sinusoidal_positions(layout.position, self.hidden, x.dtype)
        within = self.modality_aware(self.dropout(x), layout)
        cross = self.interaction_aware(self.dropout(x), layout)
        within = within * self.own_gate(within).sigmoid()
        cross = cross * self.cross_gate(cross).sigmoid()
        reduced = self.reduction(torch.cat([within, cross], dim=-1))
        return dict(zip(self.modalities, reduced.unbind(), strict=True))
