"""Multi-head attention over packed conversations: only the attention scores are padded, and those only a little."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from css.layers import Dropout

BUCKET = 16
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
    buckets: list[tuple[int, int, Float[Tensor, "n 1 1 L"]]]


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
    query: Float[Tensor, "M N h"],
    key: Float[Tensor, "M N h"],
    value: Float[Tensor, "M N h"],
    layout: PackedLayout,
    heads: int,
    dropout: Dropout,
) -> Float[Tensor, "M N h"]:
    """Scaled dot-product attention (Vaswani et al. 2017) of each utterance over its own conversation, per modality.

    Scores are scaled by 1/√(h / heads); ``dropout`` acts on the attention probabilities.
    """
    stack, _, hidden = query.shape
    gathered = torch.cat([query * (hidden // heads) ** -0.5, key, value]).index_select(1, layout.gather)
    outputs = []
    rows = gathered.split([n * width for n, width, _ in layout.buckets], dim=1)
    for (n, width, mask), bucket in zip(layout.buckets, rows, strict=True):
        q, k, v = bucket.reshape(3, stack, n, width, heads, -1).transpose(3, 4).unbind()
        probabilities = dropout(torch.softmax(q @ k.transpose(-1, -2) + mask, dim=-1))
        outputs.append((probabilities @ v).transpose(2, 3).reshape(stack, n * width, hidden))
    return torch.cat(outputs, dim=1).index_select(1, layout.scatter)
