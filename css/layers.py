"""Layers that several modalities run side by side, dropout whose randomness is explicit, and how these differentiate.

Each computes its output and a pullback: a function that takes cotangents of the output, a stack of K for every entry
[…, K, out], to those of the input […, K, in], and puts the K gradients of each parameter [K, *shape] into a dictionary.
Autograd would walk through the layers K times; here an operator serves all K. Inner functions are annotated without
shapes, which would be parsed at every call.
"""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Gradients = dict[Tensor, Tensor]
"""K gradients [K, *shape] of each parameter."""
Pullback = Callable[[Tensor, Gradients], Tensor]


class StackedLinear(nn.Module):
    """M independent linear maps in one batched product: [M, N, in] -> [M, N, out].

    Initialised as ``nn.Linear`` is: uniform within ±1/√in, weights and biases.
    """

    def __init__(self, stack: int, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        bound = 1 / math.sqrt(in_features)
        self.weight = nn.Parameter(torch.empty(stack, in_features, out_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(stack, 1, out_features).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Float[Tensor, "M N in"]) -> Float[Tensor, "M N out"]:
        """Apply the m-th map to the m-th slice."""
        return torch.bmm(x, self.weight) if self.bias is None else torch.baddbmm(self.bias, x, self.weight)

    def vjp(self, x: Float[Tensor, "M N in"]) -> tuple[Float[Tensor, "M N out"], Pullback]:
        """The maps' output and its pullback."""

        def pull(g: Tensor, into: Gradients) -> Tensor:
            M, N, K, out = g.shape
            weight = torch.bmm(x.mT, g.reshape(M, N, K * out))
            into[self.weight] = weight.view(M, -1, K, out).permute(2, 0, 1, 3)
            if self.bias is not None:
                into[self.bias] = g.sum(1).transpose(0, 1).unsqueeze(2)
            return torch.bmm(g.reshape(M, N * K, out), self.weight.mT).view(M, N, K, -1)

        return self(x), pull


def linear_gradients(linear: nn.Linear, x: Tensor, g: Float[Tensor, "*rows K out"], into: Gradients) -> None:
    """The K gradients of a linear layer's parameters, from its input [*rows, in] and its output's cotangents."""
    K, out = g.shape[-2:]
    into[linear.weight] = (g.reshape(-1, K * out).mT @ x.reshape(-1, x.shape[-1])).view(K, out, -1)
    if linear.bias is not None:
        into[linear.bias] = g.reshape(-1, K, out).sum(0)


def linear_vjp(linear: nn.Linear, x: Float[Tensor, "*rows in"]) -> tuple[Float[Tensor, "*rows out"], Pullback]:
    """One linear map for all rows, and its pullback."""

    def pull(g: Tensor, into: Gradients) -> Tensor:
        linear_gradients(linear, x, g, into)
        return g @ linear.weight

    return linear(x), pull


def embedding_gradients(
    table: nn.Embedding, rows: Int[Tensor, "N"], g: Float[Tensor, "N K h"]
) -> Float[Tensor, "K entries h"]:
    """The K gradients of a table of embeddings, from the cotangents of the rows that were looked up."""
    N, K, h = g.shape
    padding = -1 if table.padding_idx is None else table.padding_idx
    whole = torch.ops.aten.embedding_dense_backward(g.reshape(N, K * h), rows, table.num_embeddings, padding, False)
    return whole.view(-1, K, h).transpose(0, 1)


def layer_norm_vjp(
    x: Float[Tensor, "M N h"], weight: Float[Tensor, "*stack h"], bias: Float[Tensor, "*stack h"], eps: float
) -> tuple[Float[Tensor, "M N h"], Pullback]:
    """Layer normalisation with weight and bias [h], or [M, 1, h] of each slice, and its pullback.

    With n = (x − mean) / std, dx = (wg − mean(wg) − n·mean(n·wg)) / std.
    """
    normed, _, inverse = torch.native_layer_norm(x, x.shape[-1:], None, None, eps)

    def pull(g: Tensor, into: Gradients) -> Tensor:
        h = g.shape[-1]
        along = g * normed.unsqueeze(-2)
        stacked = weight.dim() == 3
        for parameter, gradient in ((weight, along), (bias, g)):
            into[parameter] = gradient.sum(1).transpose(0, 1).unsqueeze(2) if stacked else gradient.sum((0, 1))
        column = (weight / h).mT if stacked else (weight / h).unsqueeze(-1).expand(len(g), h, 1)
        mean, slope = (torch.bmm(t.view(len(g), -1, h), column).view(*g.shape[:-1], 1) for t in (g, along))
        centred = g * (weight.unsqueeze(1) if stacked else weight) - mean
        return centred.addcmul_(normed.unsqueeze(-2), slope, value=-1).mul_(inverse.unsqueeze(-2))

    return normed * weight + bias, pull


class Dropout(nn.Module):
    """Inverted dropout that draws from the generator it is given (None: torch's global one).

    A generator of its own keeps methods paired: what a fusion draws cannot shift the masks of the encoder. Sixteen
    random bits decide an entry, so p is rounded to a multiple of 2⁻¹⁶; drawing them four at a time is an order of
    magnitude faster on a CPU than ``bernoulli_``, which would take as long as the matrix products.
    """

    def __init__(self, p: float, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout must be in [0, 1), got {p}")
        self.dropped = round(p * 2**16)
        self.generator = generator

    def multiplier(self, shape: Sequence[int], like: Tensor) -> Tensor | None:
        """What a tensor of this shape is multiplied by, of dtype and device of ``like``; None where nothing is dropped.

        0 with probability p, else 1/(1 − p), in training mode only.
        """
        if not self.training or self.dropped == 0:
            return None
        entries = math.prod(shape)
        bits = torch.empty(-(-entries // 4), dtype=torch.int64, device=like.device)
        bits.random_(-(2**63), None, generator=self.generator)
        keep = torch.empty(shape, dtype=like.dtype, device=like.device)
        # written as numbers at once: truth values would be converted first, in seven times the time
        torch.ge(bits.view(torch.int16)[:entries].view(shape), self.dropped - 2**15, out=keep)
        return keep.mul_(2**16 / (2**16 - self.dropped))

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Zero each entry with probability p and scale the rest by 1/(1 − p), in training mode only."""
        multiplier = self.multiplier(x.shape, x)
        return x if multiplier is None else x * multiplier

    def vjp(self, x: Float[Tensor, "*shape"]) -> tuple[Float[Tensor, "*shape"], Pullback]:
        """What is left of ``x``, and the pullback: the same entries are zeroed in cotangents."""
        multiplier = self.multiplier(x.shape, x)
        if multiplier is None:
            return x, lambda g, _: g
        return x * multiplier, lambda g, _: g * multiplier.unsqueeze(-2)
