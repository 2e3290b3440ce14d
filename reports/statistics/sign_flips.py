"""Sign flips of paired differences: under the null hypothesis a method and its rival could have changed places.

The flips of all seeds but the first suffice: a statistic that ignores the overall sign takes every value twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

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
    return min(1.0, 2.0 / 2**n)


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
