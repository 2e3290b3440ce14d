"""The conversation encoder of the released implementation of CSS (github.com/m1iz/CSS, commit c4ec96f)."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from css.attention import PackedLayout, attention_vjp, packed_layout
from css.encoder import ModalityAwareLayer, sinusoidal_positions
from css.interfaces import Encoder, EncoderPullback
from css.layers import (
    Dropout,
    Gradients,
    Pullback,
    StackedLinear,
    embedding_gradients,
    layer_norm_vjp,
    linear_gradients,
    linear_vjp,
)

MODALITIES = ("text", "audio", "visual")


class TextShift(nn.Module):
    """x + σ(σ(V t + c)) ⊙ (W t + b): text shifts another modality, and learns nothing from it (t is detached)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.shift = nn.Linear(hidden, hidden)
        self.gate = nn.Linear(hidden, hidden)

    def forward(
        self, x: Float[Tensor, "N h"], text: Float[Tensor, "N h"]
    ) -> tuple[Float[Tensor, "N h"], Callable[[Tensor, Gradients], None]]:
        """Shift one modality's projected utterances by what the projected text says.

        The cotangents of ``x`` are those of the output, and text gets none: only gradients of parameters are left.
        """
        text = text.detach()
        inner = self.gate(text).sigmoid()
        gate = inner.sigmoid()
        shift = self.shift(text)

        def gradients(g: Tensor, into: Gradients) -> None:
            linear_gradients(self.shift, text, g * gate.unsqueeze(-2), into)
            slope = shift * gate * (1 - gate) * inner * (1 - inner)
            linear_gradients(self.gate, text, g * slope.unsqueeze(-2), into)

        return x + gate * shift, gradients


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

    def forward(self, x: Float[Tensor, "3 N h"], layout: PackedLayout) -> tuple[Float[Tensor, "3 N h"], Pullback]:
        """Let each modality's utterances attend to the other two in the same conversation; with the pullback."""
        query, pull_query = linear_vjp(self.query, x)
        (of_text, of_audio), pull_first = linear_vjp(self.first, x[:2])
        first = torch.stack([of_audio, of_text, of_text]).unflatten(-1, (2, -1))  # keys and values side by side
        (of_audio, of_visual), pull_second = linear_vjp(self.second, x[1:])
        second = torch.stack([of_visual, of_visual, of_audio]).unflatten(-1, (2, -1))
        raw, pull_gates = linear_vjp(self.gates, query)
        gate = raw.sigmoid().unsqueeze(-1)  # [3, N, 2, 1]: of the keys, of the values
        query_key_value = torch.cat([query, torch.lerp(second, first, gate).flatten(-2)], dim=-1)
        attended, pull_attention = attention_vjp(query_key_value, layout, self.heads, self.dropout)
        out, pull_out = linear_vjp(self.out, attended)
        normed, pull_norm = layer_norm_vjp(out + query, self.norm.weight, self.norm.bias, self.norm.eps)

        def pull(g: Tensor, into: Gradients) -> Tensor:
            g_out = pull_norm(g, into)
            g_query, g_key_value = pull_attention(pull_out(g_out, into), into).tensor_split([g.shape[-1]], dim=-1)
            g_mixed = g_key_value.unflatten(-1, (2, -1))  # [3, N, K, 2, h]
            g_gate = (g_mixed * (first - second).unsqueeze(2)).sum(-1) * (gate * (1 - gate)).squeeze(-1).unsqueeze(2)
            g_first = (g_mixed * gate.unsqueeze(2)).flatten(-2)
            g_second = g_key_value - g_first
            g_x = pull_query(g_out + g_query + pull_gates(g_gate, into), into)
            g_x[:2] += pull_first(torch.stack([g_first[1] + g_first[2], g_first[0]]), into)
            g_x[1:] += pull_second(torch.stack([g_second[2], g_second[0] + g_second[1]]), into)
            return g_x

        return normed, pull


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
        return self.vjp(features, speakers, lengths)[0]

    def vjp(
        self, features: Mapping[str, Float[Tensor, "N _"]], speakers: Int[Tensor, "N"], lengths: Int[Tensor, "B"]
    ) -> tuple[dict[str, Float[Tensor, "N h"]], EncoderPullback]:
        """The same, and the pullback of :meth:`css.interfaces.Encoder.vjp`."""
        projected = {m: self.inputs[m](features[m]) for m in self.modalities}
        shifts = {}
        for m, shift in self.text_shift.items():
            projected[m], shifts[m] = shift(projected[m], projected["text"])
        x = torch.stack(list(projected.values()))
        layout = packed_layout(lengths, x.device, x.dtype)
        x = x + self.speaker(speakers) + sinusoidal_positions(layout.position, self.hidden, x.dtype)
        kept, pull_kept = self.dropout.vjp(x)
        within, pull_within = self.modality_aware(kept, layout)
        kept, pull_other_kept = self.dropout.vjp(x)
        cross, pull_cross = self.interaction_aware(kept, layout)
        within, pull_own_gate = _gated(self.own_gate, within)
        cross, pull_cross_gate = _gated(self.cross_gate, cross)
        reduced, pull_reduction = self.reduction.vjp(torch.cat([within, cross], dim=-1))

        def pull(cotangents: Mapping[str, Tensor]) -> Gradients:
            into: Gradients = {}
            g = pull_reduction(torch.stack([cotangents[m] for m in self.modalities]), into)
            g_within, g_cross = g.split(self.hidden, dim=-1)
            g_within = pull_kept(pull_within(pull_own_gate(g_within, into), into), into)
            g_cross = pull_other_kept(pull_cross(pull_cross_gate(g_cross, into), into), into)
            g = g_within + g_cross
            into[self.speaker.weight] = embedding_gradients(self.speaker, speakers, g.sum(0))
            for i, m in enumerate(self.modalities):
                if m in shifts:
                    shifts[m](g[i], into)
                linear = self.inputs[m]
                assert isinstance(linear, nn.Linear)
                linear_gradients(linear, features[m], g[i], into)
            return into

        return dict(zip(self.modalities, reduced.unbind(), strict=True)), pull


def _gated(layer: StackedLinear, x: Float[Tensor, "M N h"]) -> tuple[Float[Tensor, "M N h"], Pullback]:
    """x ⊙ σ(Wx), and its pullback."""
    raw, pull_raw = layer.vjp(x)
    gate = raw.sigmoid()

    def pull(g: Tensor, into: Gradients) -> Tensor:
        slope = (x * gate * (1 - gate)).unsqueeze(-2)
        return g * gate.unsqueeze(-2) + pull_raw(g * slope, into)

    return x * gate, pull
