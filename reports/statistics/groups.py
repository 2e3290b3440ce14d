"""Seeds that have something in common by group, as those that hold out the same session of IEMOCAP have.

Source of the test: t of the group means, with one degree of freedom less than there are groups, keeps its level for
normal means of whatever variances up to 8 % (Ibragimov & Müller, J. Bus. Econ. Statist. 28, 2010). All groups weigh the
same. It is exact for groups of one size, and knows of no correlation that would have to be estimated.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from reports.statistics.effects import Interval, t_interval


class Mean(NamedTuple):
    """A mean, the sd of its values, its standard error, and their degrees of freedom; NaN below two values."""

    mean: float
    sd: float
    se: float
    degrees: int


def mean_of(values: Float[np.ndarray, " n"]) -> Mean:
    """The mean of independent values; values that are equal but for rounding have no spread."""
    n = len(values)
    mean = float(values.mean()) if n else float("nan")
    if n < 2:
        return Mean(mean, float("nan"), float("nan"), n - 1)
    sd = 0.0 if np.ptp(values) < 1e-13 * max(1.0, abs(mean)) else float(values.std(ddof=1))
    return Mean(mean, sd, sd / n**0.5, n - 1)


def group_means(values: Float[np.ndarray, "n ..."], groups: Int[np.ndarray, " n"]) -> Float[np.ndarray, "k ..."]:
    """The mean of every group, in the order of their numbers."""
    return np.array([values[groups == group].mean(axis=0) for group in np.unique(groups)])


def mean_interval(
    values: Float[np.ndarray, " n"], groups: Sequence[int] | Int[np.ndarray, " n"] = (), confidence: float = 0.95
) -> tuple[float, Interval]:
    """The mean and Student's interval: of independent values, or where there are `groups` of their means."""
    mean = mean_of(group_means(values, np.asarray(groups)) if len(groups) else values)
    return mean.mean, t_interval(mean.mean, mean.se, mean.degrees, confidence)


def intraclass_correlation(values: Float[np.ndarray, " n"], groups: Int[np.ndarray, " n"]) -> float:
    """Correlation of two values of one group, by the analysis of variance; below 0 where groups are very alike.

    (MSB - MSW) / (MSB + (m - 1) MSW), m the mean group size corrected for its variance (Donner, Int. Statist. Rev. 54,
    1986, eq. 2.2). NaN where no group has two values, or there is one group, or nothing varies.
    """
    numbers, sizes = np.unique(groups, return_counts=True)
    k, n = len(numbers), len(values)
    if k < 2 or n <= k:
        return float("nan")
    means = group_means(values, groups)
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (k - 1)
    within = sum(float(((values[groups == g] - m) ** 2).sum()) for g, m in zip(numbers, means, strict=True)) / (n - k)
    size = (n - float((sizes**2).sum()) / n) / (k - 1)
    total = between + (size - 1) * within
    return (between - within) / total if total > 0 else float("nan")
