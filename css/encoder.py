"""The conversation encoder that every compared method shares (Lyu et al., AAAI 2026).

Where the paper is silent the released implementation decides: feed-forward width h, pre-norm feed-forward with
tanh-GELU, one cross-attention for all query modalities with its residual on the projected query, the dropout places.
"""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from css.attention import PackedLayout, attention_vjp, packed_layout
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


def sinusoidal_positions(position: Int[Tensor, "N"], hidden: int, dtype: torch.dtype) -> Float[Tensor, "N {hidden}"]:
    """sin(t·10000^(−2i/h)) in column 2i, the cosine in column 2i + 1 (Vaswani et al. 2017)."""
    column = torch.arange(0, hidden, 2, device=position.device, dtype=dtype)
    frequency = torch.exp(column * (-math.log(10000.0) / hidden))
    angle = position[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :hidden]


class ModalityAwareLayer(nn.Module):
    """One Transformer layer per modality: u = dropout(attention(x)) + x, then u + dropout(FF(LN(u)))."""

    def __init__(self, modalities: int, hidden: int, heads: int, dropout: Dropout) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = StackedLinear(modalities, hidden, 3 * hidden)
        self.out = StackedLinear(modalities, hidden, hidden)
        self.norm_weight = nn.Parameter(torch.ones(modalities, 1, hidden))
        self.norm_bias = nn.Parameter(torch.zeros(modalities, 1, hidden))
        self.widen = StackedLinear(modalities, hidden, hidden)
        self.narrow = StackedLinear(modalities, hidden, hidden)
        self.dropout = dropout

    def forward(self, x: Float[Tensor, "M N h"], layout: PackedLayout) -> tuple[Float[Tensor, "M N h"], Pullback]:
        """Let each utterance attend to its own conversation within each modality; the output and its pullback."""
        query_key_value, pull_qkv = self.qkv.vjp(x)
        attended, pull_attention = attention_vjp(query_key_value, layout, self.heads, self.dropout)
        out, pull_out = self.out.vjp(attended)
        out, pull_kept_out = self.dropout.vjp(out)
        u = x + out
        normed, pull_norm = layer_norm_vjp(u, self.norm_weight, self.norm_bias, 1e-6)
        wide, pull_wide = self.widen.vjp(normed)
        inner, pull_inner = self.dropout.vjp(nn.functional.gelu(wide, approximate="tanh"))
        narrow, pull_narrow = self.narrow.vjp(inner)
        narrow, pull_kept = self.dropout.vjp(narrow)

        def pull(g: Tensor, into: Gradients) -> Tensor:
            slope = torch.ops.aten.gelu_backward(torch.ones_like(wide), wide, approximate="tanh").unsqueeze(-2)
            g_inner = pull_inner(pull_narrow(pull_kept(g, into), into), into)
            g_u = g + pull_norm(pull_wide(g_inner * slope, into), into)
            g_out = pull_out(pull_kept_out(g_u, into), into)
            return g_u + pull_qkv(pull_attention(g_out, into), into)

        return u + narrow, pull


class InteractionAwareLayer(nn.Module):
    """Cross-attention of each modality over the others, gated: k = v = Σ_{m~≠m} σ(W^(m~) h^(m~) + b^(m~)) ⊙ h^(m~)."""

    def __init__(self, modalities: int, hidden: int, heads: int, dropout: Dropout) -> None:
        super().__init__()
        self.heads = heads
        self.gate = StackedLinear(modalities, hidden, hidden)
        self.query = nn.Linear(hidden, hidden)
        self.key_value = nn.Linear(hidden, 2 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-5)
        self.dropout = dropout

    def forward(self, x: Float[Tensor, "M N h"], layout: PackedLayout) -> tuple[Float[Tensor, "M N h"], Pullback]:
        """Let each modality's utterances attend to what the other modalities say in the same conversation."""
        raw, pull_gate = self.gate.vjp(x)
        gate = torch.sigmoid(raw)
        gated = gate * x
        others = gated.sum(dim=0, keepdim=True) - gated
        query, pull_query = linear_vjp(self.query, x)
        key_value, pull_key_value = linear_vjp(self.key_value, others)
        query_key_value = torch.cat([query, key_value], dim=-1)
        attended, pull_attention = attention_vjp(query_key_value, layout, self.heads, self.dropout)
        out, pull_out = linear_vjp(self.out, attended)
        normed, pull_norm = layer_norm_vjp(out + query, self.norm.weight, self.norm.bias, self.norm.eps)

        def pull(g: Tensor, into: Gradients) -> Tensor:
            g_out = pull_norm(g, into)
            g_query, g_key_value = pull_attention(pull_out(g_out, into), into).tensor_split([g.shape[-1]], dim=-1)
            g_others = pull_key_value(g_key_value, into)
            g_gated = g_others.sum(dim=0, keepdim=True) - g_others
            g_raw = g_gated * (x * gate * (1 - gate)).unsqueeze(-2)
            through_query = pull_query(g_out + g_query, into)
            return through_query + g_gated * gate.unsqueeze(-2) + pull_gate(g_raw, into)

        return normed, pull


class ConversationEncoder(Encoder):
    """Packed utterances to features per modality: inputs, modality-aware and interaction-aware stage, reduction.

    Args:
        inputs: width d_m of each modality, in the order of the stack.
        hidden: width h, divisible by ``heads``.
        heads: attention heads.
        dropout: probability, on inputs, attention probabilities, attention outputs and the feed-forward layers.
        speakers: size of the speaker table.
        generator: what dropout draws from (None: torch's global generator).
        theta_speakers: the speaker embeddings are part of θ, as one more block.
        modality_aware, interaction_aware: False leaves the stage and its parameters out (ablation). What follows reads
            what the stage would have read; the reduction maps the outputs of the stages that are left, side by side, to
            h, and the inputs where none is.
    """

    def __init__(
        self,
        inputs: Mapping[str, int],
        hidden: int,
        heads: int,
        dropout: float,
        speakers: int,
        generator: torch.Generator | None = None,
        theta_speakers: bool = False,
        modality_aware: bool = True,
        interaction_aware: bool = True,
    ) -> None:
        super().__init__()
        if hidden % heads:
            raise ValueError(f"hidden must be a multiple of heads, got hidden {hidden} and heads {heads}")
        self.modalities = tuple(inputs)
        self.hidden = hidden
        self.theta_speakers = theta_speakers
        self.dropout = Dropout(dropout, generator)
        self.inputs = nn.ModuleDict({m: nn.Linear(width, hidden) for m, width in inputs.items()})
        self.speaker = nn.Embedding(speakers, hidden)
        layer = (len(inputs), hidden, heads, self.dropout)
        self.modality_aware = ModalityAwareLayer(*layer) if modality_aware else None
        self.interaction_aware = InteractionAwareLayer(*layer) if interaction_aware else None
        self.reduction = StackedLinear(len(inputs), max(1, modality_aware + interaction_aware) * hidden, hidden)

    def shared_parameters(self) -> dict[str, nn.Parameter]:
        """θ, the parameters whose gradients are compared: everything here, the speaker embeddings only if asked for."""
        left_out = () if self.theta_speakers else ("speaker.",)
        return {name: p for name, p in self.named_parameters() if not name.startswith(left_out)}

    def forward(
        self, features: Mapping[str, Float[Tensor, "N _"]], speakers: Int[Tensor, "N"], lengths: Int[Tensor, "B"]
    ) -> dict[str, Float[Tensor, "N h"]]:
        """Encode whole conversations laid end to end.

        Args:
            features: ``{m: [N, d_m]}``.
            speakers: [N] speaker ids.
            lengths: [B] utterances of each conversation, on the CPU, summing to N.

        Returns:
            h~ per modality, ``{m: [N, h]}``.
        """
        return self.vjp(features, speakers, lengths)[0]

    def vjp(
        self, features: Mapping[str, Float[Tensor, "N _"]], speakers: Int[Tensor, "N"], lengths: Int[Tensor, "B"]
    ) -> tuple[dict[str, Float[Tensor, "N h"]], EncoderPullback]:
        """The same, and the pullback of :meth:`css.interfaces.Encoder.vjp`."""
        projected = torch.stack([self.inputs[m](features[m]) for m in self.modalities])
        layout = packed_layout(lengths, projected.device, projected.dtype)
        context = self.speaker(speakers) + sinusoidal_positions(layout.position, self.hidden, projected.dtype)
        x, pull_input = self.dropout.vjp(projected + context)
        stages, pullbacks = [], []
        for stage in (self.modality_aware, self.interaction_aware):
            if stage is not None:
                x, pull_stage = stage(x, layout)
                stages.append(x)
                pullbacks.append(pull_stage)
        reduced, pull_reduction = self.reduction.vjp(torch.cat(stages or [x], dim=-1))

        def pull(cotangents: Mapping[str, Tensor]) -> Gradients:
            into: Gradients = {}
            g = pull_reduction(torch.stack([cotangents[m] for m in self.modalities]), into)
            *below, g = g.split(self.hidden, dim=-1)
            for pull_stage in reversed(pullbacks):
                g = pull_stage(g, into)
                if below:
                    g = g + below.pop()
            g = pull_input(g, into)
            for i, m in enumerate(self.modalities):
                linear = self.inputs[m]
                assert isinstance(linear, nn.Linear)
                linear_gradients(linear, features[m], g[i], into)
            into[self.speaker.weight] = embedding_gradients(self.speaker, speakers, g.sum(0))
            return into

        return dict(zip(self.modalities, reduced.unbind(), strict=True)), pull
