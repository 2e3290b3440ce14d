"""A family of comparisons under one joint sign-flip test: p adjusted by the largest |t|.

One sign flips the differences of a seed in all comparisons at once (over methods, data sets and metrics), so whatever
dependence there is between them is kept. Source: Westfall & Young, Resampling-Based Multiple Testing, 1993.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import special

from reports.statistics.groups import group_means
from reports.statistics.paired import PairedComparison
from reports.statistics.sign_flips import EXACT_SEEDS, flips, group_ratio, smallest_p

EXACT_WORK = 200_000_000  # flips × comparisons that are still counted exactly: seconds
BLOCK = 4_000_000  # flips × comparisons (or seeds) held at once: 32 MB an array
TIE = 1e-12


@dataclass(frozen=True, eq=False)
class FamilyTest:
    """One number per comparison, in the order given; NaN for a comparison with fewer than two seeds.

    `p`: raw. `adjusted`: by max |t|, what decides. `holm`: Holm's of the raw ones, as description. `floor`: the
    smallest p that each could reach, 2/2ⁿ (or 1 / (1 + resamples)). `mc_se`: Monte Carlo standard error of `adjusted`,
    0 if all flips were counted. `level`: the two-sided level of a single t test that is as strict as the family.
    """

    n: Int[np.ndarray, " comparisons"]
    t: Float[np.ndarray, " comparisons"]
    p: Float[np.ndarray, " comparisons"]
    adjusted: Float[np.ndarray, " comparisons"]
    holm: Float[np.ndarray, " comparisons"]
    floor: Float[np.ndarray, " comparisons"]
    mc_se: Float[np.ndarray, " comparisons"]
    exact: bool
    level: float


def adjust_family(comparisons: Sequence[PairedComparison], **options: float) -> FamilyTest:
    """Joint test of comparisons; they may lack different seeds. Options are those of `joint_flip_test`.

    Raises ValueError for an empty family.
    """
    if not comparisons:
        raise ValueError("An empty family: nothing to compare.")
    seeds = sorted({seed for comparison in comparisons for seed in comparison.seeds})
    row = {seed: i for i, seed in enumerate(seeds)}
    shape = (max(len(seeds), 1), len(comparisons))
    differences, groups = np.full(shape, np.nan), np.full(shape, -1)
    for column, comparison in enumerate(comparisons):
        rows = [row[seed] for seed in comparison.seeds]
        differences[rows, column] = comparison.differences
        if comparison.groups:
            groups[rows, column] = comparison.groups
    return joint_flip_test(differences, groups=groups, **options)  # type: ignore[arg-type]


def joint_flip_test(
    differences: Float[np.ndarray, "seeds comparisons"],
    groups: Int[np.ndarray, "seeds comparisons"] | None = None,
    alpha: float = 0.05,
    resamples: int = 10_000,
    seed: int = 0,
    exact_work: float = EXACT_WORK,
) -> FamilyTest:
    """Raw and adjusted two-sided p of every column; NaN marks a seed that a comparison lacks.

    A lacking seed leaves n, t and the floor of its comparison to the seeds it has. |t| of different n are not alike, so
    every t competes by its normal score (Wallace, Ann. Math. Statist. 30, 1959), which for equal n is the order of |t|.
    All flips are counted up to 20 seeds and `exact_work`, else `resamples` are drawn and the identity is added.
    `groups`: number of the group of every seed; of columns that have any, t is that of the group means.
    """
    known = np.isfinite(differences)
    n = known.sum(axis=0)
    numbers = np.full(differences.shape, -1) if groups is None else groups
    grouped = [
        (np.flatnonzero((numbers == c[:, None]).all(axis=0)), c) for c in np.unique(numbers.T, axis=0) if c.max() >= 0
    ]
    units, sums = n.copy(), np.where(known, differences, 0.0).sum(axis=0)
    for columns_of, labels in grouped:
        for j in columns_of:
            units[j] = len(np.unique(labels[known[:, j]]))
            sums[j] = group_means(differences[known[:, j], j], labels[known[:, j]]).sum()
    usable = units > 1
    values = np.where(known & usable, differences, 0.0)
    # r = (Σd)² / (n Σd²) in [0, 1] is monotone in |t|, t² = (n - 1) r / (1 - r), and needs no division by an sd of 0.
    scale = n * (values**2).sum(axis=0)
    weights = np.divide(values, np.sqrt(scale), out=np.zeros_like(values), where=scale > 0)
    degrees = np.where(usable, units - 1, 1)
    gain = normal_score_gain(degrees)

    def score(r: Float[np.ndarray, "... comparisons"]) -> Float[np.ndarray, "... comparisons"]:
        return -gain * np.log1p(-np.minimum(r, 1 - TIE))  # normal score, squared

    def ratio(signs: Float[np.ndarray, "rows seeds"]) -> Float[np.ndarray, "rows comparisons"]:
        r: np.ndarray = (signs @ weights) ** 2
        for columns_of, labels in grouped:
            r[:, columns_of] = group_ratio(signs, differences[:, columns_of], labels)
        return r

    r = np.minimum(ratio(np.ones((1, len(differences))))[0], 1.0)
    thresholds = score(np.maximum(r - TIE, 0.0))
    seeds, columns = differences.shape
    exact = seeds <= EXACT_SEEDS and 2.0 ** (seeds - 1) * columns <= exact_work
    raw = np.zeros(columns)
    largest = []
    rng = np.random.default_rng(seed)
    for signs in flips(seeds, None if exact else resamples, rng, max(1, BLOCK // max(columns, seeds))):
        scores = score(ratio(signs))
        raw += (scores >= thresholds).sum(axis=0)
        largest.append(scores.max(axis=1))
    if not exact:
        raw += 1
        largest.append(score(r).max(keepdims=True))
    maxima = np.sort(np.concatenate(largest))
    total = len(maxima)
    p = np.where(usable, raw / total, np.nan)
    adjusted = np.where(usable, (total - np.searchsorted(maxima, thresholds)) / total, np.nan)
    # equal differences: t is infinite
    root = np.sqrt(degrees * np.divide(r, 1 - r, out=np.full_like(r, np.inf), where=r < 1 - TIE))
    floors = np.array([smallest_p(int(k)) for k in n])
    return FamilyTest(
        n=n,
        t=np.where(usable, np.sign(sums) * root, np.nan),
        p=p,
        adjusted=adjusted,
        holm=holm(p),
        floor=floors if exact else np.maximum(floors, 1 / total),
        mc_se=np.zeros(columns) if exact else np.sqrt(adjusted * (1 - adjusted) / total),
        exact=exact,
        level=_level(maxima, alpha, int(units.max())),
    )


def holm(p: Float[np.ndarray, " comparisons"]) -> Float[np.ndarray, " comparisons"]:
    """Holm's step-down adjustment (Scand. J. Statist. 6, 1979); NaN are no part of the family."""
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return adjusted


def normal_score_gain(degrees: Any) -> Any:
    """Wallace's factor: z² = gain × log(1 + t² / degrees) is nearly the square of a normal score."""
    return degrees * ((8 * degrees + 1) / (8 * degrees + 3)) ** 2


def _level(maxima: Float[np.ndarray, " flips"], alpha: float, n: int) -> float:
    """Student p of the critical value for n seeds: midway between the last flip that rejects and the first that not."""
    rejecting = math.floor(alpha * len(maxima) + 1e-9)
    if n < 2 or rejecting == 0:
        return 0.0
    around = maxima[[-rejecting, -min(rejecting + 1, len(maxima))]]
    return float(special.betaincc(0.5, (n - 1) / 2, -np.expm1(-around / normal_score_gain(n - 1))).mean())
