"""Multi-head attention over packed conversations: only the attention scores are padded, and those only a little."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from css.layers import Dropout, Gradients, Pullback

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


def attention_vjp(
    query_key_value: Float[Tensor, "M N h3"], layout: PackedLayout, heads: int, dropout: Dropout
) -> tuple[Float[Tensor, "M N h3//3"], Pullback]:
    """Scaled dot-product attention (Vaswani et al. 2017) of each utterance over its own conversation, and its pullback.

    Query, key and value stand side by side, so that one copy brings all three into padded slots. Scores are scaled by
    s = 1/√(h / heads); ``dropout`` acts on the attention probabilities. In each bucket, with P = softmax(s·QKᵀ + mask),
    D the dropout's multiplier, R = P ⊙ D and O = RV::

        dV = Rᵀ dO    dS = T − P ⊙ ⟨T, 1⟩,  T = s·R ⊙ (dO Vᵀ)    dQ = dS K    dK = dSᵀ Q

    No gradient comes from a padded slot: nothing reads its output, and its probability is 0. Products whose result is
    [L, d] are taken as their transposes: MKL computes d rows of L entries up to three times as fast as L rows of d.
    """
    stack, _, features = query_key_value.shape
    size = features // (3 * heads)
    scale = size**-0.5
    kept = [dropout.multiplier((stack * n * heads, width, width), query_key_value) for n, width, _ in layout.buckets]
    slots = query_key_value.detach().index_select(1, layout.gather).view(stack, -1, 3, heads, size)
    out = slots.new_empty(stack, slots.shape[1], 1, heads, size)
    saved, first = [], 0
    for (n, width, mask), keep in zip(layout.buckets, kept, strict=True):
        q, k, v = _to_heads(slots, first, n, width)
        bias = mask.expand(stack, n, heads, width, width).reshape(-1, width, width)
        probability = torch.softmax(torch.baddbmm(bias, q, k.mT, alpha=scale), dim=-1)
        read = probability if keep is None else probability * keep
        _from_heads(out, first, n, width)[0].copy_(torch.bmm(v.mT, read.mT).mT.unflatten(0, (stack, n, heads)))
        saved.append((q, k, v, probability, read))
        first += n * width

    def pull(g: Tensor, _: Gradients) -> Tensor:
        M, N, K, h = g.shape
        padded = g.new_zeros(M, out.shape[1], K * h).index_copy_(1, layout.scatter, g.reshape(M, N, K * h))
        padded = padded.view(M, -1, K, heads, size)
        gradient = g.new_empty(M, out.shape[1], K, 3, heads, size)
        first = 0
        for (n, width, _mask), (q, k, v, probability, read) in zip(layout.buckets, saved, strict=True):
            bucket = slice(first, first + n * width)
            parts = (M, n, width, K)
            upstream = padded[:, bucket].view(*parts, heads, size).permute(0, 1, 4, 2, 3, 5).flatten(0, 2).flatten(2)
            through = torch.bmm(upstream.view(-1, width * K, size), v.mT).view(-1, width, K, width)
            through.mul_((read * scale).unsqueeze(2))
            score = through.addcmul_(probability.unsqueeze(2), through.sum(-1, keepdim=True), value=-1)
            places = gradient[:, bucket].view(*parts, 3, heads, size).permute((4, 0, 1, 5, 3, 2, 6))
            products = (
                torch.bmm(score.view(-1, width * K, width), k).view(M, n, heads, width, K, size).transpose(3, 4),
                torch.bmm(score.view(-1, width, K * width).mT, q).view(M, n, heads, K, width, size),
                torch.bmm(read.mT, upstream).view(M, n, heads, width, K, size).transpose(3, 4),
            )
            for place, product in zip(places, products, strict=True):
                place.copy_(product)
            first += n * width
        return gradient.flatten(2).index_select(1, layout.scatter).view(M, N, K, -1)

    attended = out.flatten(2).index_select(1, layout.scatter)
    return _Differentiated.apply(query_key_value, attended, pull), pull


class _Differentiated(torch.autograd.Function):
    """The output as it is, with its pullback as autograd's gradient by ``x``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, output: Tensor, pull: Pullback) -> Tensor:
        ctx.pull = pull
        return output.view_as(output)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        return ctx.pull(upstream.unsqueeze(-2), {}).squeeze(-2), None, None


def _from_heads(slots: Float[Tensor, "M P parts heads d"], first: int, n: int, width: int) -> Tensor:
    """A bucket of the slots, seen as [parts, M, n, heads, L, d]."""
    stack, _, parts, heads, size = slots.shape
    return slots[:, first : first + n * width].view(stack, n, width, parts, heads, size).permute(3, 0, 1, 4, 2, 5)


def _to_heads(slots: Float[Tensor, "M P parts heads d"], first: int, n: int, width: int) -> Tensor:
    """A bucket of the slots, copied to [parts, M·n·heads, L, d]."""
    return _from_heads(slots, first, n, width).flatten(1, 3)
