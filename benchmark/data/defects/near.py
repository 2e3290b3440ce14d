"""Vectors that are nearly the same: copies that were rounded or computed anew.

Vectors, in units of their features' sd, are brought to 16 dimensions by an orthonormal map, which lengthens no
distance: what is near stays near. The nearest ones there are then measured in full. (A near one behind more than
MOST nearer ones could be missed: with a radius this small that takes vectors which hardly differ.)
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.spatial import KDTree

from benchmark.data.defects.numbering import Ints
from benchmark.data.defects.vectors import Floats, spread

NEAR = 1e-3
"""Root mean square over features, each in units of its sd over the training vectors. Float16 rounding is within that;
another utterance is not."""
MOST = 32
"""How many nearest neighbours of a vector are looked at."""

_PROJECTED = 16  # dimensions in which neighbours are looked for
_BLOCK = 1024  # rows in float64 at a time


def find_near(rows: Floats, different: Ints, base: Ints) -> "csr_array[np.float32]":
    """The pairs of different vectors that are near each other, as a symmetric matrix of 0 and 1, [U, U].

    Args:
        rows: vectors [N, d].
        different: a row of each of the U different ones.
        base: rows of those whose features' sd is the unit.
    """
    size = len(different)
    pairs: Ints = np.empty((2, 0), np.int64)
    if size > 1 and len(base):
        pairs = _pairs(rows, different, base)
    ones = np.ones(2 * pairs.shape[1], np.float32)
    return csr_array(coo_array((ones, (np.concatenate(pairs), np.concatenate(pairs[::-1]))), (size, size)))


def _pairs(rows: Floats, different: Ints, base: Ints) -> Ints:
    """Places in ``different`` of both vectors of each pair, [2, P]."""
    size, width = len(different), rows.shape[1]
    _, sd, varies = spread(rows[base])
    unit = np.where(varies, sd, sd.max() or 1.0)
    mixed = np.linalg.qr(np.random.default_rng(0).standard_normal((width, min(width, _PROJECTED))))[0] / unit[:, None]
    radius = NEAR * float(np.sqrt(width))
    blocks = [rows[different[k : k + _BLOCK]].astype(np.float64) @ mixed for k in range(0, size, _BLOCK)]
    points: npt.NDArray[np.float64] = np.concatenate(blocks)
    nearest = np.asarray(KDTree(points).query(points, min(MOST + 1, size), distance_upper_bound=radius * (1 + 1e-6))[1])
    i, rank = np.nonzero((nearest < size) & (nearest != np.arange(size)[:, None]))
    j = nearest[i, rank]
    pairs = np.unique(np.stack([np.minimum(i, j), np.maximum(i, j)]), axis=1).astype(np.int64)
    gaps = [
        np.sqrt((((rows[different[a]].astype(np.float64) - rows[different[b]]) / unit) ** 2).sum()) for a, b in pairs.T
    ]
    return pairs[:, np.array(gaps, np.float64) <= radius]
