"""Two methods, paired by seed: every number that a table shows about their difference."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special, stats

from reports.statistics.effects import (
    BCA_SEEDS,
    Interval,
    bca_interval,
    d_z_interval,
    improvement,
    t_interval,
)
from reports.statistics.pairing import Values, align
from reports.statistics.sign_flips import FlipTest, sign_flip_test


@dataclass(frozen=True, eq=False)
class PairedComparison:
    """Differences a - b by seed, in the unit of the values, and what follows from them.

    Decisive: `interval` (paired t, 95 %), `interval_90` (for equivalence), `flip` (sign-flip test, before adjustment).
    Description: everything else. NaN where a number cannot be computed; an sd is unknown below two seeds.
    `improvement` is P(a > b) for one seed. `dropped` are seeds that one of the two has no finite value for.
    """

    seeds: tuple[int, ...]
    dropped: tuple[int, ...]
    differences: Float[np.ndarray, " n"]
    mean: float
    sd: float
    interval: Interval
    interval_90: Interval
    flip: FlipTest
    p_t: float
    p_wilcoxon: float
    bca: Interval
    d_z: float
    d_z_interval: Interval
    improvement: float
    improvement_interval: Interval

    @property
    def n(self) -> int:
        """Number of paired seeds."""
        return len(self.seeds)

    @property
    def p(self) -> float:
        """Raw two-sided p of the sign-flip test."""
        return self.flip.p

    @property
    def bca_warning(self) -> str:
        """What a table has to say beside the BCa interval; empty where it covers nearly what it claims."""
        return "" if self.n >= BCA_SEEDS else f"BCa is too narrow below {BCA_SEEDS} seeds"


def paired_comparison(a: Values, b: Values, *, resamples: int = 2_000, seed: int = 0) -> PairedComparison:
    """Compare two methods whose values are given by seed (dict, Series) or in the same order of seeds (arrays).

    `resamples` is the size of the BCa bootstrap, `seed` starts its draws and those of the flips beyond 20 seeds.
    Raises ValueError where values cannot be paired.
    """
    aligned = align(a, b)
    return from_differences(
        aligned.seeds, aligned.values[0] - aligned.values[1], aligned.dropped, resamples=resamples, seed=seed
    )


def from_differences(
    seeds: tuple[int, ...],
    differences: Float[np.ndarray, " n"],
    dropped: tuple[int, ...] = (),
    *,
    resamples: int = 2_000,
    seed: int = 0,
) -> PairedComparison:
    """The same from a difference, or any contrast, per seed."""
    # Scores that agree on paper may differ by rounding: such a difference is none, and equal ones have no spread.
    differences = np.where(np.abs(differences) < 1e-13, 0.0, differences)
    n = len(differences)
    mean = float(differences.mean()) if n else float("nan")
    sd = float("nan") if n < 2 else float(differences.std(ddof=1))
    if n > 1 and np.ptp(differences) < 1e-13 * max(1.0, abs(mean)):
        sd = 0.0
    d_z = _ratio(mean, sd)
    share, share_interval = improvement(differences)
    return PairedComparison(
        seeds=seeds,
        dropped=dropped,
        differences=differences,
        mean=mean,
        sd=sd,
        interval=t_interval(mean, sd, n, 0.95),
        interval_90=t_interval(mean, sd, n, 0.90),
        flip=sign_flip_test(differences, seed=seed),
        p_t=float("nan") if n < 2 else float(2 * special.stdtr(n - 1, -abs(d_z) * n**0.5)),
        p_wilcoxon=_wilcoxon(differences),
        bca=bca_interval(differences, resamples, seed),
        d_z=d_z,
        d_z_interval=d_z_interval(d_z, n),
        improvement=share,
        improvement_interval=share_interval,
    )


def _ratio(mean: float, sd: float) -> float:
    """mean / sd; 0 for differences that are all zero, infinite for equal ones."""
    if sd > 0 or np.isnan(sd):
        return mean / sd
    return 0.0 if mean == 0 else float(np.copysign(np.inf, mean))


def _wilcoxon(differences: Float[np.ndarray, " n"]) -> float:
    """Two-sided p of the signed-rank test: exact without ties, else asymptotic; 1 if all differences are zero."""
    if not len(differences):
        return float("nan")
    if not differences.any():
        return 1.0
    return float(stats.wilcoxon(differences).pvalue)
