"""The conversation encoder that every compared method shares (Lyu et al., AAAI 2026).

Where the paper is silent the released implementation decides: feed-forward width h, pre-norm feed-forward with
tanh-GELU, one cross-attention for all query modalities with its residual on the projected query, the dropout places.
"""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from css.attention import PackedLayout, conversation_attention, packed_layout
from css.interfaces import Encoder
from css.layers import Dropout, StackedLinear


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

    def forward(self, x: Float[Tensor, "M N h"], layout: PackedLayout) -> Float[Tensor, "M N h"]:
        """Let each utterance attend to its own conversation within each modality."""
        attended = conversation_attention(self.qkv(x), layout, self.heads, self.dropout)
        u = x + self.dropout(self.out(attended))
        normed = nn.functional.layer_norm(u, u.shape[-1:], eps=1e-6) * self.norm_weight + self.norm_bias
        inner = self.dropout(nn.functional.gelu(self.widen(normed), approximate="tanh"))
        return u + self.dropout(self.narrow(inner))


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

    def forward(self, x: Float[Tensor, "M N h"], layout: PackedLayout) -> Float[Tensor, "M N h"]:
        """Let each modality's utterances attend to what the other modalities say in the same conversation."""
        gated = torch.sigmoid(self.gate(x)) * x
        others = gated.sum(dim=0, keepdim=True) - gated
        query = self.query(x)
        query_key_value = torch.cat([query, self.key_value(others)], dim=-1)
        attended = conversation_attention(query_key_value, layout, self.heads, self.dropout)
        return self.norm(self.out(attended) + query)


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
        projected = torch.stack([self.inputs[m](features[m]) for m in self.modalities])
        layout = packed_layout(lengths, projected.device, projected.dtype)
        context = self.speaker(speakers) + sinusoidal_positions(layout.position, self.hidden, projected.dtype)
        x = self.dropout(projected + context)
        stages = []
        for stage in (self.modality_aware, self.interaction_aware):
            if stage is not None:
                x = stage(x, layout)
                stages.append(x)
        reduced = self.reduction(torch.cat(stages or [x], dim=-1))
        return dict(zip(self.modalities, reduced.unbind(), strict=True))
