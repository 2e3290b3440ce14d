"""Sizes of a paired difference and their intervals: description beside the test."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import optimize, special, stats

from reports.statistics.noncentral import noncentral_t_cdf

BCA_SEEDS = 20  # below, the interval covers .84 (n = 5) to .92 (n = 10) instead of .95 even for normal data


class Interval(NamedTuple):
    """Confidence limits; NaN where none can be computed."""

    low: float
    high: float

    def inside(self, margin: float) -> bool:
        """Whether it lies in (-margin, margin)."""
        return -margin < self.low and self.high < margin

    def excludes(self, value: float) -> bool:
        """Whether the value lies outside; False where there is no interval."""
        return self.high < value or self.low > value


UNKNOWN = Interval(float("nan"), float("nan"))


def t_interval(mean: float, se: float, degrees: int, confidence: float) -> Interval:
    """Student t interval of a mean with this standard error (Biometrika 6, 1908); unknown for 0 degrees of freedom."""
    if degrees < 1:
        return UNKNOWN
    half = float(special.stdtrit(degrees, 0.5 + confidence / 2)) * se  # stats.t.ppf without its overhead
    return Interval(mean - half, mean + half)


def d_z_interval(d_z: float, n: int, confidence: float = 0.95) -> Interval:
    """Interval of the standardised mean difference d_z = mean / sd, from the noncentral t of d_z √n.

    Source: Cumming & Finch, Educational and Psychological Measurement 61, 2001. Unknown below two values or for an
    infinite d_z.
    """
    if n < 2 or not np.isfinite(d_z):
        return UNKNOWN
    t, root = d_z * n**0.5, n**0.5

    def excess(noncentrality: float, probability: float) -> float:
        return noncentral_t_cdf(t, n - 1, noncentrality) - probability  # falls with the noncentrality

    def limit(probability: float) -> float:
        reach = 2.0 + abs(t)
        while excess(t - reach, probability) < 0 or excess(t + reach, probability) > 0:
            reach *= 2
        return float(optimize.brentq(excess, t - reach, t + reach, args=(probability,), xtol=1e-9)) / root

    tail = (1 - confidence) / 2
    return Interval(limit(1 - tail), limit(tail))


def improvement(differences: Float[np.ndarray, " n"], confidence: float = 0.95) -> tuple[float, Interval]:
    """Probability of improvement and its Wilson interval: P(a > b) for one seed, a tie counting half.

    It is paired by seed. (rliable's, Agarwal et al. 2021, compares all pairs of runs, also of different seeds.)
    """
    n = len(differences)
    if n == 0:
        return float("nan"), UNKNOWN
    share = float(((differences > 0) + 0.5 * (differences == 0)).mean())
    z2 = float(special.ndtri(0.5 + confidence / 2)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = (z2 * (share * (1 - share) / n + z2 / (4 * n**2))) ** 0.5 / (1 + z2 / n)
    return share, Interval(centre - half, centre + half)


def bca_interval(
    differences: Float[np.ndarray, " n"], resamples: int = 2_000, seed: int = 0, confidence: float = 0.95
) -> Interval:
    """Bias-corrected and accelerated bootstrap interval of the mean (Efron 1987), by scipy.

    Unknown below two values or if all are equal. Too narrow for few seeds: see `BCA_SEEDS`.
    """
    if len(differences) < 2 or np.ptp(differences) == 0:
        return UNKNOWN
    limits = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(limits.low), float(limits.high))
