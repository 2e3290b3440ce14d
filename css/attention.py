"""Multi-head attention over packed conversations: only the attention scores are padded, and those only a little."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from css.layers import Dropout

BUCKET = 8
"""Conversations are padded to the next multiple of this inside attention; a conversation's own length alone decides."""


@dataclass(frozen=True)
class PackedLayout:
    """Where the utterances of a packed batch stand while attention looks at whole conversations.

    Attributes:
        position: [N] position of each utterance in its conversation, from 0.
        gather: [P] packed row of each padded slot, bucket after bucket (an empty slot: its conversation's first row).
        scatter: [N] padded slot of each packed row.
        buckets: per bucket, the number of conversations, their padded length L, and the additive mask [n, 1, 1, L].
    """

    position: Int[Tensor, "N"]
    gather: Int[Tensor, "P"]
    scatter: Int[Tensor, "N"]
    buckets: list[tuple[int, int, Float[Tensor, "_ 1 1 _"]]]


def packed_layout(lengths: Int[Tensor, "B"], device: torch.device, dtype: torch.dtype) -> PackedLayout:
    """Lay out B conversations of the given lengths (on the CPU, each ≥ 1) for attention on ``device``."""
    length = lengths.numpy()
    start = np.concatenate([[0], np.cumsum(length)[:-1]])
    padded = -(-length // BUCKET) * BUCKET
    gather, slots, buckets = [], np.empty(length.sum(), np.int64), []
    filled = 0
    for width in np.unique(padded):
        (members,) = np.nonzero(padded == width)
        within = np.arange(width)
        valid = within < length[members, None]
        gather.append((start[members, None] + within * valid).ravel())
        slots[gather[-1][valid.ravel()]] = filled + np.flatnonzero(valid)
        filled += valid.size
        mask = torch.from_numpy(np.where(valid, 0.0, -np.inf)).to(device, dtype)[:, None, None, :]
        buckets.append((len(members), int(width), mask))
    position = np.arange(length.sum()) - np.repeat(start, length)
    return PackedLayout(
        position=torch.from_numpy(position).to(device),
        gather=torch.from_numpy(np.concatenate(gather)).to(device),
        scatter=torch.from_numpy(slots).to(device),
        buckets=buckets,
    )


def conversation_attention(
    query_key_value: Float[Tensor, "M N h3"], layout: PackedLayout, heads: int, dropout: Dropout
) -> Float[Tensor, "M N h3//3"]:
    """Scaled dot-product attention (Vaswani et al. 2017) of each utterance over its own conversation, per modality.

    Query, key and value stand side by side, so that one copy brings all three into padded slots. Scores are scaled by
    1/√(h / heads); ``dropout`` acts on the attention probabilities.
    """
    stack, _, features = query_key_value.shape
    size = features // (3 * heads)
    slots = query_key_value.index_select(1, layout.gather)
    bucketed = slots.split([n * width for n, width, _ in layout.buckets], dim=1)
    outputs = []
    for (n, width, mask), bucket in zip(layout.buckets, bucketed, strict=True):
        q, k, v = bucket.reshape(stack, n, width, 3 * heads, size).transpose(2, 3).chunk(3, dim=2)
        probabilities = dropout(torch.softmax((q * size**-0.5) @ k.mT + mask, dim=-1))
        outputs.append((probabilities @ v).transpose(2, 3).flatten(3).flatten(1, 2))
    return torch.cat(outputs, dim=1).index_select(1, layout.scatter)
