"""Two methods whose runs are not paired, as another code base's seeds are not with ours."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from reports.statistics.effects import UNKNOWN, Interval

RESAMPLES = 9_999
TIE = 1e-12


@dataclass(frozen=True)
class UnpairedComparison:
    """Difference of means a - b, in the unit of the values; NaN where a number cannot be computed.

    `interval`, `interval_90` and `p_welch` are Welch's (Biometrika 34, 1947), with `degrees` of freedom and standard
    error `se`. `p` decides: the two-sided permutation test of Welch's t, exact where the runs are exchangeable and
    valid for large n where only the means are equal (Janssen, Statist. Probab. Lett. 36, 1997).
    """

    n_a: int
    n_b: int
    mean: float
    se: float
    degrees: float
    interval: Interval
    interval_90: Interval
    p_welch: float
    p: float

    @property
    def n(self) -> int:
        """Runs of the method that has fewer."""
        return min(self.n_a, self.n_b)


def unpaired_comparison(
    a: Float[np.ndarray, " n_a"], b: Float[np.ndarray, " n_b"], *, resamples: int = RESAMPLES, seed: int = 0
) -> UnpairedComparison:
    """Compare two methods by the values of their runs; values that are not finite are left out.

    All divisions into groups are counted where there are at most `resamples`, else so many are drawn from `seed`.
    """
    a, b = (np.asarray(values, dtype=float)[np.isfinite(values)] for values in (a, b))
    mean = float(a.mean() - b.mean()) if len(a) and len(b) else float("nan")
    if min(len(a), len(b)) < 2:
        nan = float("nan")
        return UnpairedComparison(
            n_a=len(a),
            n_b=len(b),
            mean=mean,
            se=nan,
            degrees=nan,
            interval=UNKNOWN,
            interval_90=UNKNOWN,
            p_welch=nan,
            p=nan,
        )
    parts = np.array([a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)])
    se = float(np.sqrt(parts.sum()))
    if se <= 1e-13 * max(1.0, abs(mean)):  # rounding alone
        mean, se = (0.0 if abs(mean) < 1e-13 else mean), 0.0
        exact = Interval(mean, mean)
        return UnpairedComparison(
            n_a=len(a),
            n_b=len(b),
            mean=mean,
            se=se,
            degrees=len(a) + len(b) - 2.0,
            interval=exact,
            interval_90=exact,
            p_welch=float(mean == 0),
            p=_permutation_p(a, b, resamples, seed) if mean else 1.0,
        )
    degrees = float(parts.sum() ** 2 / (parts**2 / (len(a) - 1, len(b) - 1)).sum())

    def interval(confidence: float) -> Interval:
        half = float(stats.t.ppf(0.5 + confidence / 2, degrees)) * se
        return Interval(mean - half, mean + half)

    return UnpairedComparison(
        n_a=len(a),
        n_b=len(b),
        mean=mean,
        se=se,
        degrees=degrees,
        interval=interval(0.95),
        interval_90=interval(0.90),
        p_welch=float(2 * stats.t.sf(abs(mean) / se, degrees)),
        p=_permutation_p(a, b, resamples, seed),
    )


def _permutation_p(a: np.ndarray, b: np.ndarray, resamples: int, seed: int) -> float:
    """Share of the divisions of all values into groups of these sizes whose |t| is at least the observed one."""
    values = np.concatenate([a, b])
    values = values - values.mean()
    n, total = len(a), len(values)
    exact = comb(total, n) <= resamples
    if exact:
        chosen = np.zeros((comb(total, n), total), dtype=bool)
        np.put_along_axis(chosen, np.array(list(combinations(range(total), n))), True, axis=1)
    else:
        order = np.random.default_rng(seed).permuted(np.tile(np.arange(total), (resamples, 1)), axis=1)
        chosen = order < n
    observed = np.arange(total) < n
    # t² / (1 + t²) in [0, 1]: a division into groups without spread has 1, and no division by 0
    ratios = _ratio(chosen, values)
    hits = int((ratios >= _ratio(observed[None], values) - TIE).sum())
    return hits / len(ratios) if exact else (hits + 1) / (len(ratios) + 1)


def _ratio(chosen: Bool[np.ndarray, "divisions values"], values: Float[np.ndarray, " values"]) -> np.ndarray:
    """d² / (d² + se²) of every division: monotone in Welch's |t|; 0 where all values are equal."""
    n = chosen.sum(axis=1)
    sums, squares = chosen @ values, chosen @ values**2
    difference, parts = 0.0, 0.0
    for sign, size, first, second in (
        (1, n, sums, squares),
        (-1, len(values) - n, values.sum() - sums, (values**2).sum() - squares),
    ):
        difference = difference + sign * first / size
        parts = parts + np.maximum(second - first**2 / size, 0.0) / (size - 1) / size
    whole = difference**2 + parts
    return np.divide(difference**2, whole, out=np.zeros_like(whole), where=whole > 0)
