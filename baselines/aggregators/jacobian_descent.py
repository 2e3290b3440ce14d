"""TorchJD's Gramian weightings behind the interface of :mod:`css.interfaces` (optional extra ``torchjd``)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torchjd.aggregation import (
    AlignedMTLWeighting,
    CAGradWeighting,
    DualProjWeighting,
    IMTLGWeighting,
    UPGradWeighting,
)

from baselines.aggregators.scale import unit_sum
from css.interfaces import Aggregator


class TorchJDAggregator(Aggregator):
    """A weighting of TorchJD (Quinton & Rey 2024, arXiv 2406.16232), given the Gramian divided by its trace.

    Every weighting used here answers cM as it answers M, but TorchJD takes a trace below 1e-4 for zero; hence the
    division. Weights are found in float64 and rescaled to Σγ = 1; where they cancel they are all zero and the step is
    skipped. A Gramian that is not finite gives NaN weights. None of them draws random numbers.

    Args:
        weighting: Gramian [K, K] to weights [K].
        raw_scale: keep the published scale.
    """

    scale_invariant = True

    def __init__(self, weighting: Callable[[Tensor], Tensor], raw_scale: bool = False) -> None:
        super().__init__()
        self.weighting = weighting
        self.raw_scale = raw_scale

    @torch.no_grad()
    def forward(
        self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"] | None = None
    ) -> Float[Tensor, "K"]:
        """γ [K] from the raw Gramian [K, K]; the losses are not looked at."""
        assert gramian is not None, "the weighting needs the Gramian (needs_gramian is True)"
        if not gramian.isfinite().all():
            return torch.full_like(gramian[0], torch.nan)
        M = gramian.double()
        trace = M.diagonal().sum()
        weights = self.weighting(M / trace if trace > 0 else M)
        return (weights if self.raw_scale else unit_sum(weights)).to(gramian.dtype)


class UPGrad(TorchJDAggregator):
    """UPGrad (Quinton & Rey 2024): the mean of the gradients after each is projected onto the dual cone of all.

    The dual cone holds the vectors that conflict with no gradient, so the update conflicts with none, up to the 1e-4 of
    the trace that TorchJD adds to the diagonal for its solver's sake. A gradient in conflict with none stays as it is.
    """

    non_conflicting = True

    def __init__(self, raw_scale: bool = False) -> None:
        super().__init__(UPGradWeighting(), raw_scale)


class DualProj(TorchJDAggregator):
    """The projection of the mean gradient onto the dual cone of all (GEM, Lopez-Paz & Ranzato 2017, equation 11).

    The vector nearest to the mean that conflicts with no gradient, up to the 1e-4 of the trace that TorchJD adds to the
    diagonal.
    """

    non_conflicting = True

    def __init__(self, raw_scale: bool = False) -> None:
        super().__init__(DualProjWeighting(), raw_scale)


class CAGrad(TorchJDAggregator):
    """CAGrad (Liu et al., NeurIPS 2021): argmax_d min_i ⟨g_i, d⟩ over the ball ‖d − g_0‖ ≤ c‖g_0‖ around the mean g_0.

    The worst objective improves as much as near the mean it can. For c ≥ 1 the ball holds 0 and no objective rises to
    first order; for c < 1 there is no such guarantee, but the mean loss converges.

    Args:
        c: radius of the ball, relative; the paper uses 0.2 to 0.5.
        raw_scale: keep the published scale.
    """

    def __init__(self, c: float = 0.5, raw_scale: bool = False) -> None:
        super().__init__(CAGradWeighting(c=c), raw_scale)
        self.non_conflicting = c >= 1


class IMTLG(TorchJDAggregator):
    """IMTL-G (Liu et al., ICLR 2021): the combination with equal projections ⟨d, g_i⟩/‖g_i‖ and Σγ = 1.

    γ ∝ M⁺(‖g_1‖, …, ‖g_K‖), some of them negative where gradients are nearly parallel and unequally long. The common
    projection may itself be negative, so nothing is guaranteed. Undefined, hence zero, where M⁺… sums to 0.
    """

    def __init__(self) -> None:
        super().__init__(IMTLGWeighting())  # published with sum 1, or 0 where undefined: nothing to rescale


class AlignedMTL(TorchJDAggregator):
    """Aligned-MTL (Senushkin et al., CVPR 2023): the mean after all singular values of J are made equal to the least.

    With M = VΛVᵀ, γ = √λ_min V Λ^(−½) Vᵀ (1/K): the transformed gradients are orthogonal and of one length, so that no
    objective dominates *them*; the original ones may still conflict with the update.
    """

    def __init__(self, raw_scale: bool = False) -> None:
        super().__init__(AlignedMTLWeighting(), raw_scale)
