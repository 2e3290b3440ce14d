"""Sign flips of paired differences: under the null hypothesis a method and its rival could have changed places.

The flips of all seeds but the first suffice: a statistic that ignores the overall sign takes every value twice.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

EXACT_SEEDS = 20  # up to here all 2ⁿ flips are counted
RESAMPLES = 100_000
TIE = 1e-10  # sums of rounded scores that are equal on paper differ by rounding error


@dataclass(frozen=True)
class FlipTest:
    """Two-sided p, the smallest p that was possible, and the Monte Carlo standard error of p (0 if exact)."""

    p: float
    floor: float
    mc_se: float
    exact: bool


def smallest_p(n: int) -> float:
    """Smallest two-sided p that an exact sign-flip test of n paired differences can reach: 2 / 2ⁿ, at most 1."""
    return min(1.0, max(2.0 ** (1 - n), sys.float_info.min))  # not 0, however many differences there are


def flips(n: int, count: int | None, rng: np.random.Generator, rows: int) -> Iterator[Float[np.ndarray, "rows n"]]:
    """Signs ±1 in blocks of at most `rows` flips: all 2ⁿ⁻¹ (the identity among them) or `count` at random."""
    total = 2 ** (n - 1) if count is None else count
    for start in range(0, total, rows):
        stop = min(start + rows, total)
        if count is None:
            bits = (np.arange(start, stop)[:, None] >> np.arange(n - 1)) & 1
            yield np.hstack([np.ones((stop - start, 1)), 1.0 - 2.0 * bits])
        else:
            yield 1.0 - 2.0 * rng.integers(0, 2, size=(stop - start, n))


def monte_carlo_error(p: float, resamples: int) -> float:
    """Standard error of a p that was estimated from so many random flips."""
    return float(np.sqrt(p * (1 - p) / (resamples + 1)))


def group_ratio(
    signs: Float[np.ndarray, "rows n"], differences: Float[np.ndarray, "n columns"], groups: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "rows columns"]:
    """r = (Σ M)² / (k Σ M²) over the k group means M of flipped differences, in [0, 1].

    It is monotone in |t| of these means, t² = (k - 1) r / (1 - r) (Ibragimov & Müller, J. Bus. Econ. Statist. 28,
    2010). Every group counts once, however many seeds it has. A NaN difference is of a seed that the column lacks. 0
    where all means are 0.
    """
    known = np.isfinite(differences)
    values = np.where(known, differences, 0.0)
    total: Any = 0.0
    squares: Any = 0.0
    scale: Any = 0.0
    count: Any = 0
    for group in np.unique(groups):
        rows = groups == group
        members = known[rows].sum(axis=0)
        shares = values[rows] / np.maximum(members, 1)
        means = signs[:, rows] @ shares
        total, squares = total + means, squares + means**2
        scale, count = scale + np.abs(shares).sum(axis=0) ** 2, count + (members > 0)
    usable = squares > 1e-20 * scale  # below: means that are 0 but for rounding
    return np.minimum(np.divide(total**2, count * squares, out=np.zeros_like(squares), where=usable), 1.0)


def group_flip_test(
    differences: Float[np.ndarray, " n"], groups: Int[np.ndarray, " n"], resamples: int = RESAMPLES, seed: int = 0
) -> FlipTest:
    """Sign-flip test of single seeds on |t| of the group means, for seeds that have something in common by group.

    It is exact for seeds without anything in common, and t of the group means has nearly the same distribution whatever
    they have in common (calibrated in docs/calibration.md). NaN below two groups.
    """
    n = len(differences)
    if len(np.unique(groups)) < 2:
        return FlipTest(float("nan"), smallest_p(n), 0.0, True)
    column = differences[:, None]
    threshold = float(group_ratio(np.ones((1, n)), column, groups)[0, 0]) - TIE
    count = None if n <= EXACT_SEEDS else resamples
    rng = np.random.default_rng(seed)
    hits = sum(int((group_ratio(s, column, groups) >= threshold).sum()) for s in flips(n, count, rng, 50_000))
    if count is None:
        return FlipTest(hits / 2 ** (n - 1), smallest_p(n), 0.0, True)
    p = (1 + hits) / (1 + resamples)
    return FlipTest(p, max(smallest_p(n), 1 / (1 + resamples)), monte_carlo_error(p, resamples), False)


def sign_flip_test(differences: Float[np.ndarray, " n"], resamples: int = RESAMPLES, seed: int = 0) -> FlipTest:
    """Two-sided test that paired differences are symmetric about 0, on |Σ ± d| (so also on |mean| and |t|).

    All 2ⁿ flips up to n = 20; beyond, p = (1 + hits) / (1 + resamples) (Phipson & Smyth, 2010). NaN for n = 0.
    Source: Fisher, The Design of Experiments, 1935, section 21.
    """
    n = len(differences)
    if n == 0:
        return FlipTest(float("nan"), 1.0, 0.0, True)
    threshold = abs(differences.sum()) - TIE * np.abs(differences).sum()
    if n <= EXACT_SEEDS:
        sums = differences[:1]
        for difference in differences[1:]:
            sums = np.concatenate([sums + difference, sums - difference])
        return FlipTest(float((np.abs(sums) >= threshold).mean()), smallest_p(n), 0.0, True)
    rng = np.random.default_rng(seed)
    hits = sum(int((np.abs(s @ differences) >= threshold).sum()) for s in flips(n, resamples, rng, 10_000))
    p = (1 + hits) / (1 + resamples)
    return FlipTest(p, max(smallest_p(n), 1 / (1 + resamples)), monte_carlo_error(p, resamples), False)
