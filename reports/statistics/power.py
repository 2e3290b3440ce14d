"""What a number of seeds can show, from the margin δ and the spread; never from the observed difference.

The t test stands in for the sign-flip test, which rejects nearly as often at the same level (docs/calibration.md).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from scipy import optimize, special, stats

from reports.statistics.noncentral import expectation_over_sd, noncentral_t_cdf

TARGET = 0.8
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class SeedsNeeded:
    """Seeds at the sd's lower 80 % limit, at the sd itself and at its upper 80 % limit; None: beyond 10,000."""

    low: int | None
    at_sd: int | None
    high: int | None


def sd_limit(sd: float, n: float, confidence: float = TARGET) -> float:
    """One-sided upper confidence limit of a normal sd: sd √((n - 1) / χ²), χ² its (1 - confidence) quantile.

    A confidence of .2 gives the lower 80 % limit. NaN below two values; n - 1 need not be whole (Welch's degrees).
    """
    return sd * math.sqrt((n - 1) / float(stats.chi2.ppf(1 - confidence, n - 1))) if n > 1 else float("nan")


def attained_level(n: int, alpha: float = 0.05) -> float:
    """Size of the exact sign-flip test of n differences: the largest k / 2ⁿ⁻¹ that does not exceed alpha."""
    flips = 2.0 ** min(n - 1, 1000)  # of more, alpha is a multiple to the last bit
    return math.floor(alpha * flips + 1e-9) / flips


def power(delta: float, sd: float, n: float, level: float = 0.05, degrees: float | None = None) -> float:
    """Probability that a two-sided paired t test sees a true difference of delta; NaN for an unknown sd.

    degrees: of freedom of the sd where they are not n - 1, as with seeds in groups (`reports.statistics.groups`).
    """
    if n < 2 or math.isnan(sd):
        return float("nan")
    if level <= 0 or sd == 0:
        return float(level > 0)
    free = n - 1 if degrees is None else degrees
    critical = -float(special.stdtrit(free, level / 2))  # stats.t.isf without its overhead
    shift = delta * math.sqrt(n) / sd
    return 1 - noncentral_t_cdf(critical, free, shift) + noncentral_t_cdf(-critical, free, shift)


def detectable_difference(sd: float, n: int, level: float = 0.05, degrees: int | None = None) -> float:
    """The smallest true difference that a two-sided paired t test of n seeds sees with probability .8.

    In the unit of the sd. NaN for an unknown sd, infinite at level 0, which sees nothing; degrees: as for `power`.
    """
    if n < 2 or math.isnan(sd):
        return float("nan")
    if level <= 0 or sd == 0:
        return 0.0 if level > 0 else float("inf")
    enough = sd
    while power(enough, sd, n, level, degrees) < TARGET:
        enough *= 2
    return float(optimize.brentq(lambda delta: power(delta, sd, n, level, degrees) - TARGET, 0.0, enough))


def equivalence_power(delta: float, sd: float, n: int, alpha: float = 0.05, degrees: int | None = None) -> float:
    """Probability that the 1 - 2 alpha t interval lies in (-delta, delta) if there is no difference at all.

    Source: two one-sided tests, Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987. NaN for an unknown sd. degrees: as
    for `power`.
    """
    if n < 2 or math.isnan(sd):
        return float("nan")
    if sd == 0:
        return 1.0
    free = n - 1 if degrees is None else degrees
    return expectation_over_sd(free, delta * math.sqrt(n) / sd, -float(special.stdtrit(free, alpha)))


def seeds_for_difference(
    delta: float, sd: float, n: int, level: float = 0.05, degrees: int | None = None
) -> SeedsNeeded:
    """Seeds for power .8 at delta, from an sd that was estimated on n seeds.

    With `degrees` of freedom of groups the answer is a lower limit: more seeds do not make more groups.
    """
    return seeds_for_spreads(delta, _spreads(sd, n, degrees), level, degrees)


def seeds_for_spreads(
    delta: float, spreads: Sequence[float], level: float = 0.05, degrees: int | None = None
) -> SeedsNeeded:
    """The same from the sd's lower limit, the sd, and its upper limit."""
    return _needed(spreads, lambda spread, seeds: power(delta, spread, seeds, level, degrees))


def seeds_for_equivalence(
    delta: float, sd: float, n: int, alpha: float = 0.05, degrees: int | None = None
) -> SeedsNeeded:
    """Seeds to show two equal methods equal within delta with probability .8; `degrees` as for a difference."""
    return _needed(
        _spreads(sd, n, degrees), lambda spread, seeds: equivalence_power(delta, spread, seeds, alpha, degrees)
    )


def _spreads(sd: float, n: int, degrees: int | None) -> tuple[float, float, float]:
    values = n if degrees is None else degrees + 1
    return sd_limit(sd, values, 1 - TARGET), sd, sd_limit(sd, values, TARGET)


def _needed(spreads: Sequence[float], power_of: Callable[[float, int], float]) -> SeedsNeeded:
    return SeedsNeeded(*(_smallest(partial(power_of, spread)) for spread in spreads))


def _smallest(power_of: Callable[[int], float]) -> int | None:
    """Smallest n from 2 on with enough power; power rises with n."""
    if not power_of(MOST_SEEDS) >= TARGET:
        return None
    low, high = 1, MOST_SEEDS  # at `high` there is enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= TARGET else (middle, high)
    return high
