"""Damaged vectors and the scales of features, one modality at a time."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class VectorCounts:
    """Vectors of one modality and split.

    Attributes:
        vectors: how many there are.
        non_finite: with NaN or Inf in them; ``nan`` and ``inf`` count the numbers.
        zero: of zeros only: what stands for a missing feature.
        constant: of one other number throughout (none where vectors have one number).
    """

    vectors: int
    non_finite: int
    nan: int
    inf: int
    zero: int
    constant: int


@dataclass(frozen=True)
class Scale:
    """Numbers of the finite vectors of one modality and split, in the file's units; None where there are none.

    Attributes:
        mean, sd, low, high: of all numbers.
        smallest_sd, largest_sd: over features, of those that vary.
        constant_features: features with one value throughout, but for rounding noise.
    """

    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    smallest_sd: float | None
    largest_sd: float | None
    constant_features: int


def finite_rows(rows: Floats) -> Mask:
    """Which of the vectors [N, d] have neither NaN nor Inf, [N]."""
    return np.asarray(np.isfinite(rows).all(axis=1))


def zero_rows(rows: Floats) -> Mask:
    """Which of the vectors [N, d] are all zeros, [N]."""
    return np.asarray(~rows.any(axis=1))


def count_vectors(rows: Floats) -> VectorCounts:
    """The damaged among the vectors [N, d]."""
    zero = zero_rows(rows)
    constant = (rows == rows[:, :1]).all(axis=1) & ~zero & np.isfinite(rows[:, 0])
    return VectorCounts(
        vectors=len(rows),
        non_finite=int((~finite_rows(rows)).sum()),
        nan=int(np.isnan(rows).sum()),
        inf=int(np.isinf(rows).sum()),
        zero=int(zero.sum()),
        constant=int(constant.sum()) if rows.shape[1] > 1 else 0,
    )


def spread(rows: Floats) -> tuple[Floats64, Floats64, Mask]:
    """Means and sds of the features of finite vectors [N, d], and which vary beyond rounding noise, each [d]."""
    mean, sd = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    # 1e-6: a few units in float32's last place; 1e-12: noise around 0, which has no relative measure of its own
    return mean, sd, sd > np.maximum(1e-6 * np.abs(mean), 1e-12 * sd.max())


def measure_scale(rows: Floats) -> Scale:
    """Scales of the vectors [N, d] that are finite."""
    if not (kept := finite_rows(rows)).all():
        rows = rows[kept]
    if not len(rows):
        return Scale(mean=None, sd=None, low=None, high=None, smallest_sd=None, largest_sd=None, constant_features=0)
    means, sds, varies = spread(rows)
    varying = sds[varies]
    return Scale(
        mean=float(means.mean()),
        sd=math.sqrt(float((sds**2).mean() + means.var())),  # within features and between them
        low=float(rows.min()),
        high=float(rows.max()),
        smallest_sd=float(varying.min()) if varying.size else None,
        largest_sd=float(varying.max()) if varying.size else None,
        constant_features=int((~varies).sum()),
    )
