"""Synergistic Polynomial Fusion (Lyu et al., AAAI 2026): a low-rank polynomial of all modalities."""

import math
import operator
from collections.abc import Mapping, Sequence
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from css.interfaces import Fusion

EPSILON = 1e-6
"""Smooths the signed square root at 0, where its slope is 1/(2√ε) = 500 instead of infinite."""


def signed_square_root(z: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """sign(z)(√(|z|+ε) − √ε), written as the equal z / (√(|z|+ε) + √ε): no cancellation, the right gradient at 0."""
    return z / ((z.abs() + EPSILON).sqrt() + math.sqrt(EPSILON))


class SynergisticPolynomialFusion(Fusion):
    """Rank-r CP form of a polynomial of order p in all modalities (SPF, Lyu et al., AAAI 2026).

    For each order j = 1..p, with φ the tanh approximation of GELU::

        z_j = Σ_m λ_j^(m) φ(W_j^(m) x^(m)) + w_j        [N, r]
        z   = z_1 ⊙ … ⊙ z_p,  then  sign(z) √|z|, smoothed at 0

    Projections W and anchors w start Xavier-normal (an anchor as a 1 × r matrix), as in the released implementation;
    gates λ are unconstrained and start at 1.

    Args:
        features: width h of each modality's input.
        rank: r, the width of the output.
        order: p, the number of factors.
        modalities: names of the M inputs.
        shared: one projection W_j for all modalities (ablation).
        gates: False fixes λ = 1 (ablation).
        anchor: False fixes w = 0 (ablation).
        signed_sqrt: False returns z itself (ablation).

    Attributes:
        weight: [M, h, p·r], or [1, h, p·r] when shared; columns (j−1)r to jr of ``weight[m]`` are W_j^(m) transposed.
        gate: λ [M, p], or None.
        anchor: w [p, r], or None.

    Raises:
        ValueError: features, rank or order below 1, or no modality.
    """

    def __init__(
        self,
        features: int,
        rank: int,
        order: int,
        modalities: Sequence[str] = ("text", "audio", "visual"),
        shared: bool = False,
        gates: bool = True,
        anchor: bool = True,
        signed_sqrt: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (("features", features), ("rank", rank), ("order", order), ("modalities", len(modalities))):
            if value < 1:
                raise ValueError(f"SynergisticPolynomialFusion: {name} is {value}; it has to be at least 1")
        self.modalities = tuple(modalities)
        self.out_features = rank
        self.order = order
        self.signed_sqrt = signed_sqrt
        M = len(self.modalities)
        self.weight = nn.Parameter(torch.empty(1 if shared else M, features, order * rank))
        self.gate = nn.Parameter(torch.ones(M, order)) if gates else None
        self.anchor = nn.Parameter(torch.empty(order, rank)) if anchor else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw W and w afresh from torch's global generator and set λ to 1."""
        nn.init.normal_(self.weight, std=math.sqrt(2 / (self.weight.shape[1] + self.out_features)))
        if self.gate is not None:
            nn.init.ones_(self.gate)
        if self.anchor is not None:
            nn.init.normal_(self.anchor, std=math.sqrt(2 / (1 + self.out_features)))

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, h]}`` to [N, r]."""
        z = self.interaction(features, self.gate)
        return signed_square_root(z) if self.signed_sqrt else z

    def interaction(
        self, features: Mapping[str, Float[Tensor, "N features"]], gate: Float[Tensor, "M p"] | None
    ) -> Float[Tensor, "N out_features"]:
        """z = z_1 ⊙ … ⊙ z_p with the factors weighted by ``gate`` (None: by 1)."""
        x = torch.stack([features[m] for m in self.modalities])
        z = F.gelu(x @ self.weight, approximate="tanh").unflatten(-1, (self.order, self.out_features))  # [M, N, p, r]
        if gate is not None:
            z = z * gate[:, None, :, None]
        z = z.sum(0)
        if self.anchor is not None:
            z = z + self.anchor
        return reduce(operator.mul, z.unbind(-2))  # not prod: its backward pass waits for the device to look for zeros
