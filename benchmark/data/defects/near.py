"""Vectors that are nearly the same: copies that were rounded or computed anew.

Vectors, in units of their features' sd, are brought to 16 dimensions by an orthonormal map, which lengthens no
distance: what is near stays near. The nearest neighbour found there is then measured in full. (A near one behind a
nearer that is none would be missed: with radii this small that takes vectors which hardly differ in 16 directions.)
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from benchmark.data.defects.numbering import ZERO, Ints
from benchmark.data.defects.vectors import Floats, spread

NEAR = 1e-3
"""Root mean square over features, each in units of its sd over the training vectors. Float16 rounding is within that;
another utterance is not."""

_PROJECTED = 16  # dimensions in which neighbours are looked for
_BLOCK = 1024  # rows in float64 at a time


def find_near(
    rows: Floats, keys: Ints, at: Mapping[str, Ints], pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[Ints, float]]:
    """Near copies, not identical ones, for each pair of splits (here, there) that both have vectors.

    Args:
        rows: vectors [N, d].
        keys: their numbers, [N].
        at: the rows of each split.
        pairs: of splits.

    Returns:
        A row for each different vector of ``here`` that has a near one in ``there``; and how many are expected: as many
        as there are among the vectors of ``there`` themselves, for as many vectors.
    """
    distinct = {split: i[np.unique(keys[i], return_index=True)[1]] for split, i in at.items()}
    distinct = {split: i[keys[i] > ZERO] for split, i in distinct.items()}
    base = distinct["train"] if len(distinct["train"]) else np.concatenate(list(distinct.values()))
    if not len(base):
        return {}
    _, sd, varies = spread(rows[base])
    unit = np.where(varies, sd, sd.max() or 1.0)
    width = rows.shape[1]
    mixed = np.linalg.qr(np.random.default_rng(0).standard_normal((width, min(width, _PROJECTED))))[0] / unit[:, None]
    radius = NEAR * float(np.sqrt(width))

    def project(i: Ints) -> npt.NDArray[np.float64]:
        blocks = [rows[i[k : k + _BLOCK]].astype(np.float64) @ mixed for k in range(0, len(i), _BLOCK)]
        return np.concatenate(blocks) if blocks else np.empty((0, mixed.shape[1]))

    def neighbours(i: Ints, there: str, rank: int) -> Ints:
        """Those of the vectors i that have, as their neighbour of that rank in a split, a near one."""
        j = distinct[there]
        index = np.asarray(trees[there].query(project(i), k=[rank], distance_upper_bound=radius * (1 + 1e-6))[1])[:, 0]
        candidates = np.flatnonzero(index < len(j))
        gaps = (np.sqrt((((rows[i[c]].astype(np.float64) - rows[j[index[c]]]) / unit) ** 2).sum()) for c in candidates)
        return i[[c for c, gap in zip(candidates, gaps, strict=True) if gap <= radius]]

    found = {}
    trees = {split: KDTree(project(i)) for split, i in distinct.items() if len(i)}
    for here, there in pairs:
        mine, theirs = distinct[here], distinct[there]
        if not (len(mine) and len(theirs)):
            continue
        new = mine[~np.isin(keys[mine], keys[theirs])]
        near = neighbours(new, there, rank=1)
        # The nearest of a vector of the same split is itself, the second another one.
        among = neighbours(theirs, there, rank=2)
        found[here, there] = (near, len(among) * len(new) / len(theirs))
    return found
