"""Multi-head attention over packed conversations: only the attention scores are padded, and those only a little."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

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

    def send(values: npt.NDArray[Any], kind: torch.dtype = torch.int64) -> Tensor:
        return torch.from_numpy(values).to(kind).to(device, non_blocking=True)  # or the host waits for the device

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
        mask = send(np.where(valid, 0.0, -np.inf), dtype)[:, None, None, :]
        buckets.append((len(members), int(width), mask))
    position = np.arange(length.sum()) - np.repeat(start, length)
    return PackedLayout(
        position=send(position),
        gather=send(np.concatenate(gather)),
        scatter=send(slots),
        buckets=buckets,
    )


def conversation_attention(
    query_key_value: Float[Tensor, "M N h3"], layout: PackedLayout, heads: int, dropout: Dropout
) -> Float[Tensor, "M N h3//3"]:
    """Scaled dot-product attention (Vaswani et al. 2017) of each utterance over its own conversation, per modality.

    Query, key and value stand side by side, so that one copy brings all three into padded slots. Scores are scaled by
    1/√(h / heads); ``dropout`` acts on the attention probabilities.
    """
    stack = len(query_key_value)
    kept = [dropout.multiplier((stack * n * heads, width, width), query_key_value) for n, width, _ in layout.buckets]
    attended: Tensor = _Attention.apply(query_key_value, layout, heads, kept)
    return attended


class _Attention(torch.autograd.Function):
    """Attention with its gradient written out, in fewer operators than autograd would record.

    In each bucket, with P = softmax(s·QKᵀ + mask), D the dropout's multiplier and O = (P ⊙ D)V::

        dV = (P ⊙ D)ᵀ dO    dS = P ⊙ (dP − ⟨dP, P⟩),  dP = (dO Vᵀ) ⊙ D    dQ = s·dS K    dK = s·dSᵀ Q

    No gradient comes from a padded slot: nothing reads its output, and its probability is 0. Products whose result is
    [L, d] are taken as their transposes: MKL computes d rows of L entries up to three times as fast as L rows of d.
    """

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, layout: PackedLayout, heads: int, kept: list[Tensor | None]) -> Tensor:
        stack, _, features = qkv.shape
        size = features // (3 * heads)
        slots = qkv.index_select(1, layout.gather).view(stack, -1, 3, heads, size)
        out = slots.new_empty(stack, slots.shape[1], 1, heads, size)
        saved, first = [], 0
        for (n, width, mask), keep in zip(layout.buckets, kept, strict=True):
            q, k, v = _to_heads(slots, first, n, width)
            bias = mask.expand(stack, n, heads, width, width).reshape(-1, width, width)
            probability = torch.softmax(torch.baddbmm(bias, q, k.mT, alpha=size**-0.5), dim=-1)
            read = probability if keep is None else probability * keep
            _from_heads(out, first, n, width)[0].copy_(torch.bmm(v.mT, read.mT).mT.unflatten(0, (stack, n, heads)))
            saved += [q, k, v, probability, read, keep]
            first += n * width
        ctx.save_for_backward(*saved)
        ctx.layout, ctx.shape = layout, out.shape
        return out.flatten(2).index_select(1, layout.scatter)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None]:
        stack, slots, _, heads, size = ctx.shape
        padded = upstream.new_zeros(stack, slots, heads * size).index_copy_(1, ctx.layout.scatter, upstream)
        padded = padded.view(ctx.shape)
        out = upstream.new_empty(stack, slots, 3, heads, size)
        first = 0
        for i, (n, width, _) in enumerate(ctx.layout.buckets):
            q, k, v, probability, read, keep = ctx.saved_tensors[6 * i : 6 * i + 6]
            (g,) = _to_heads(padded, first, n, width)
            through = torch.bmm(g, v.mT)
            if keep is not None:
                through.mul_(keep)
            score = torch._softmax_backward_data(through, probability, -1, probability.dtype).mul_(size**-0.5)
            gradients = torch.bmm(k.mT, score.mT), torch.bmm(q.mT, score), torch.bmm(g.mT, read)
            for to, gradient in zip(_from_heads(out, first, n, width), gradients, strict=True):
                to.copy_(gradient.mT.unflatten(0, (stack, n, heads)))
            first += n * width
        return out.flatten(2).index_select(1, ctx.layout.scatter), None, None, None


def _from_heads(slots: Float[Tensor, "M P parts heads d"], first: int, n: int, width: int) -> Tensor:
    """A bucket of the slots, seen as [parts, M, n, heads, L, d]."""
    stack, _, parts, heads, size = slots.shape
    return slots[:, first : first + n * width].view(stack, n, width, parts, heads, size).permute(3, 0, 1, 4, 2, 5)


def _to_heads(slots: Float[Tensor, "M P parts heads d"], first: int, n: int, width: int) -> Tensor:
    """A bucket of the slots, copied to [parts, M·n·heads, L, d]."""
    return _from_heads(slots, first, n, width).flatten(1, 3)
