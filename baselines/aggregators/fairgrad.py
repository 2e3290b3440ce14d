"""FairGrad (Ban and Ji, ICML 2024): the update that is α-fair to the objectives."""

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from baselines.aggregators.scale import unit_sum
from css.interfaces import Aggregator
from css.modulator import VANISHED

Array = npt.NDArray[np.float64]

RIDGE = 1e-10
"""Added to the cosines' diagonal, so that there is a solution where some γ > 0 gives Σ γ_i g_i = 0."""
SOLVED = 1e-8
"""The last of Newton's steps, relative to γ; since each squares the error, there is nothing left to gain."""
STEPS, SHORTEST = 60, 1e-10
"""Newton's steps at most (5 to 10 are usual), and the share of one below which rounding alone is left."""


class FairGrad(Aggregator):
    """FairGrad (Ban & Ji 2024, equation 4): γ > 0 with Mγ = γ^(−1/α), M = J Jᵀ.

    ⟨d, g_i⟩ is the rate r_i at which objective i falls, and Mγ = γ^(−1/α) where d maximises Σ r_i^(1−α)/(1−α) over a
    ball: α → 0 gives the mean of the gradients, α = 1 Nash-MTL, α → ∞ serves the worst alone. γ_i is unique, being the
    minimum of a convex function, which Newton's method finds; every r_i is positive, so that none rises. (The
    published solver, and TorchJD's, minimise ‖Mγ − γ^(−1/α)‖² and stop short of 0 where lengths differ by 1e5.)

    An objective whose gradient is at most 1e-8 of the longest has γ_i = 0, the others are solved. A Gramian that is not
    finite gives NaN weights. The Gramian is solved on the CPU.

    Args:
        alpha: α from 0.5 to 10.
        raw_scale: keep the published scale instead of rescaling to Σγ = 1.
    """

    non_conflicting = True

    def __init__(self, alpha: float = 2.0, raw_scale: bool = False) -> None:
        super().__init__()
        if not 0.5 <= alpha <= 10:
            raise ValueError(f"FairGrad: alpha is {alpha}; it has to be between 0.5 and 10")
        self.alpha = alpha
        self.raw_scale = raw_scale
        self.scale_invariant = not raw_scale

    @torch.no_grad()
    def forward(
        self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"] | None = None
    ) -> Float[Tensor, "K"]:
        """γ [K] ≥ 0 from the raw Gramian [K, K]; the losses are not looked at."""
        assert gramian is not None, "FairGrad needs the Gramian (needs_gramian is True)"
        weights = torch.from_numpy(fair_weights(gramian.double().cpu().numpy(), self.alpha))
        return (weights if self.raw_scale else unit_sum(weights)).to(gramian)


def fair_weights(gramian: Array, alpha: float) -> Array:
    """γ [K] with Mγ = γ^(−1/α), 0 where a gradient vanishes, NaN where M is not finite.

    With lengths n and cosines C, v = nγ solves Cv = n^(1/α−1) v^(−1/α), which no difference in length makes stiff.
    """
    if not np.isfinite(gramian).all():
        return np.full(len(gramian), np.nan)
    power = 1 / alpha
    norm = np.sqrt(gramian.diagonal().clip(0))
    longest = norm.max()
    usable = norm > VANISHED * longest
    weights = np.zeros(len(gramian))
    if usable.any():
        length = norm[usable] / longest
        cosines = gramian[np.ix_(usable, usable)] / np.outer(norm[usable], norm[usable])
        v = _solved(cosines + RIDGE * np.eye(len(length)), length ** (power - 1), power)
        weights[usable] = v / length * longest ** (-2 / (1 + power))
    return weights


def _solved(C: Array, b: Array, power: float) -> Array:
    """The minimum v > 0 of ½ vᵀCv − Σ b_i v_i^(1−power)/(1−power), where Cv = b v^(−power), by Newton's method."""

    def value(v: Array) -> float:
        gain = np.log(v) if power == 1 else v ** (1 - power) / (1 - power)
        return float(v @ C @ v / 2 - b @ gain)

    v = b ** (1 / (1 + power))  # the solution of orthogonal gradients
    for _ in range(STEPS):
        pull = b * v**-power
        slope = C @ v - pull
        step = np.linalg.solve(C + np.diag(power * pull / v), -slope)
        shrinking = step < 0
        size = min(1.0, 0.9 * float((-v[shrinking] / step[shrinking]).min(initial=np.inf)))
        while value(v + size * step) > value(v) + 1e-4 * size * float(slope @ step):
            size /= 2
            if size < SHORTEST:
                return v
        v = v + size * step
        if np.abs(step / v).max() < SOLVED:
            break
    return v
