"""Flips of whole seeds over several looks, and the boundary that a share of them reaches.

Everything is on the scale of r = (Σd)² / (n Σd²) in [0, 1], which is monotone in |t| and divides by no sd of 0.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import special

from reports.statistics.family import BLOCK, TIE, normal_score_gain
from reports.statistics.sign_flips import flips, group_ratio


def draw(seeds: int, resamples: int, rng: np.random.Generator) -> Int[np.ndarray, "flips seeds"]:
    """The observed signs and random ones, as ±1 of one byte."""
    drawn = rng.integers(0, 2, size=(resamples, seeds), dtype=np.int8)
    return np.vstack([np.ones((1, seeds), dtype=np.int8), 1 - 2 * drawn])


def largest_ratios(
    family: Float[np.ndarray, "n comparisons"],
    labels: Int[np.ndarray, "n comparisons"],
    looks: Sequence[int],
    ratios: Sequence[float],
    signs: Int[np.ndarray, "flips seeds"] | None,
) -> Float[np.ndarray, " flips"]:
    """The largest r of every flip at the last of these looks; -1 if it reached the boundary of an earlier one.

    r = (Σd)² / (n Σd²) in [0, 1] is monotone in |t|, t² = (n - 1) r / (1 - r), and no flip changes Σd².
    """
    weights = []
    for n in looks:
        scale = np.sqrt(n * (family[:n] ** 2).sum(axis=0))
        weights.append(np.divide(family[:n], scale, out=np.zeros((n, family.shape[1])), where=scale > 0))
    grouped = [
        (np.flatnonzero((labels == c[:, None]).all(axis=0)), c) for c in np.unique(labels.T, axis=0) if c.max() >= 0
    ]
    largest = []
    for block in _blocks(family.shape, signs):
        ratios_of_looks = []
        for weight in weights:
            r, n = (block[:, : len(weight)] @ weight) ** 2, len(weight)
            for columns, of_column in grouped:
                r[:, columns] = _of_groups(block[:, :n], family[:n, columns], of_column[:n])
            ratios_of_looks.append(r.max(axis=1, initial=0.0))
        *earlier, last = ratios_of_looks
        for before, ratio in zip(earlier, ratios, strict=True):
            last[before >= ratio] = -1.0
        largest.append(last)
    return np.concatenate(largest)


def _of_groups(
    signs: Float[np.ndarray, "flips n"], differences: Float[np.ndarray, "n columns"], labels: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "flips columns"]:
    """The r that n differences on their own would have with the normal score of the t of the group means."""
    n, degrees = len(labels), len(np.unique(labels)) - 1
    if degrees < 1:
        return np.zeros((len(signs), differences.shape[1]))
    return as_with(group_ratio(signs, differences, labels), degrees, n - 1)


def as_with(ratio: Any, degrees: int, other: int) -> Any:
    """The r of a t with other degrees of freedom that has the same normal score."""
    return -np.expm1(normal_score_gain(degrees) / normal_score_gain(other) * np.log1p(-np.minimum(ratio, 1 - TIE)))


def _blocks(shape: tuple[int, ...], signs: Int[np.ndarray, "flips seeds"] | None) -> Iterator[np.ndarray]:
    """All flips of so many seeds, or the drawn ones, as floats."""
    rows = max(1, BLOCK // max(*shape, 1))
    if signs is None:
        yield from flips(shape[0], None, np.random.default_rng(0), rows)
    else:
        yield from (signs[start : start + rows].astype(float) for start in range(0, len(signs), rows))


def boundary_ratio(largest: Float[np.ndarray, " flips"], budget: float) -> tuple[float, float]:
    """The smallest r that so small a share of the flips reaches, and that share; infinite and 0 where none does."""
    falling = -np.sort(-largest)
    rejecting = math.floor(budget * len(falling) + 1e-9)
    gaps = np.flatnonzero(falling[:rejecting] - falling[1 : rejecting + 1] > TIE)
    if not len(gaps):
        return math.inf, 0.0
    count = int(gaps[-1]) + 1
    return float(falling[count]) + TIE, count / len(falling)


def t_of(ratio: float, degrees: int) -> float:
    """|t| with so many degrees of freedom that has this r."""
    return math.sqrt(degrees * ratio / (1 - ratio)) if ratio < 1 - TIE / 4 else math.inf


def as_strict(t: float, degrees: int, other: int) -> float:
    """The t with other degrees of freedom that has the same Student p."""
    return -float(special.stdtrit(other, special.stdtr(degrees, -t)))
