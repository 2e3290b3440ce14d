"""Layers that several modalities run side by side, and dropout whose randomness is explicit."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


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
