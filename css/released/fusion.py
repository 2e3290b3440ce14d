"""Synergistic Polynomial Fusion as released (github.com/m1iz/CSS, commit c4ec96f), with a way around the polynomial."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from css.fusion import EPSILON, SynergisticPolynomialFusion
from css.interfaces import Fusion


class ReleasedPolynomialFusion(Fusion):
    """SPF with gates σ(λ) and a jump at 0, mapped back to width h, plus a linear map of all modalities.

    ::

        z   = ⊙_j (Σ_m σ(λ_j^(m)) φ(W_j^(m) x^(m)) + w_j)        [N, r]
        out = W sign(z) √(|z| + 1e-6) + b  +  W_res [x^(1); …; x^(M)] + b_res        [N, h]

    W, like the factors and anchors, starts Xavier-normal, b at 0, raw gates at 1, the linear map as ``nn.Linear`` does.

    Args:
        features: width h of each modality's input, and of the output.
        rank, order: r and p of :class:`css.fusion.SynergisticPolynomialFusion`.
        modalities: names of the M inputs, in the order of concatenation.
        residual: False leaves out the linear map (ablation).

    Raises:
        ValueError: features, rank or order below 1, or no modality.
    """

    def __init__(
        self,
        features: int,
        rank: int,
        order: int,
        modalities: Sequence[str] = ("text", "audio", "visual"),
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        self.out_features = features
        self.polynomial = SynergisticPolynomialFusion(features, rank, order, modalities, signed_sqrt=False)
        self.output = nn.Linear(rank, features)
        nn.init.xavier_normal_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.residual = nn.Linear(len(self.modalities) * features, features) if residual else None

    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, h]}`` to [N, h]."""
        assert self.polynomial.gate is not None
        z = self.polynomial.interaction(features, self.polynomial.gate.sigmoid())
        out = self.output(z.sign() * (z.abs() + EPSILON).sqrt())
        if self.residual is not None:
            out = out + self.residual(torch.cat([features[m] for m in self.modalities], -1))
        return out
