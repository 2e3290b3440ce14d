"""Statistics over runs. The unit of replication is the run (the seed): steps of one run are no sample.

A value that is not finite could not be computed; it is left out, and `n` says how many remain. One run has a mean and
no spread: its sd, variance, range and interval are NaN, never 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from reports.statistics.groups import mean_interval


@dataclass(frozen=True)
class Summary:
    """Location and spread of one number over runs, with the Student t interval of its mean.

    Of runs in groups the mean is that of the group means, and so is its interval; everything else is of the runs.
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float
    minimum: float
    maximum: float

    @property
    def variance(self) -> float:
        """Unbiased variance (denominator n - 1)."""
        return self.sd**2

    @property
    def range(self) -> float:
        """Largest minus smallest; NaN below two values."""
        return self.maximum - self.minimum if self.n > 1 else float("nan")


def summarize(values: Float[np.ndarray, " runs"], groups: Sequence[int] | Int[np.ndarray, " runs"] = ()) -> Summary:
    """Mean, sd (denominator n - 1) and 95 % Student interval of the mean (Student, Biometrika 6, 1908).

    `groups`: of each value, where those of a group have something in common (`reports.statistics.groups`). In one group
    alone a mean has no interval.
    """
    finite = np.isfinite(values)
    kept = values[finite]
    n = len(kept)
    nan = float("nan")
    if n == 0:
        return Summary(n=0, mean=nan, sd=nan, low=nan, high=nan, minimum=nan, maximum=nan)
    mean, interval = mean_interval(kept, np.asarray(groups)[finite] if len(groups) else ())
    sd = float(kept.std(ddof=1)) if n > 1 else nan
    minimum, maximum = float(kept.min()), float(kept.max())
    return Summary(n=n, mean=mean, sd=sd, low=interval.low, high=interval.high, minimum=minimum, maximum=maximum)


def mean_known(values: Float[np.ndarray, "..."]) -> float:
    """Mean of the values that are finite; NaN if there are none."""
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if kept.size else float("nan")


def share_below(values: Float[np.ndarray, "..."], threshold: float) -> float:
    """Share of the values that are finite below the threshold; NaN if there are none."""
    kept = values[np.isfinite(values)]
    return float((kept < threshold).mean()) if kept.size else float("nan")


def variance_over_runs(curves: Float[np.ndarray, "runs epochs"]) -> float:
    """Variance over runs (denominator n - 1) at each epoch, averaged over epochs.

    NaN below two runs, or if a value is not finite: leaving a run out would make the rest look calm.
    """
    if len(curves) < 2 or not np.isfinite(curves).all():
        return float("nan")
    return float(curves.var(axis=0, ddof=1).mean())
