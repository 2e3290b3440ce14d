"""Values of several methods, paired by seed: what every comparison starts from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from jaxtyping import Float


class BySeed(Protocol):
    """A number per seed: a dict, or a pandas Series whose index is the seed."""

    def items(self) -> Iterable[tuple[Any, float]]:
        """Pairs of a seed and its value."""


Values = BySeed | npt.ArrayLike  # an array is in seed order: position i of every array is the same seed


@dataclass(frozen=True, eq=False)
class Aligned:
    """Values of the seeds for which every method has a finite one; the other seeds are `dropped`."""

    seeds: tuple[int, ...]
    values: Float[np.ndarray, "methods seeds"]
    dropped: tuple[int, ...]


def align(*methods: Values) -> Aligned:
    """Pair the values of several methods by seed; seeds are sorted.

    Raises ValueError for arrays of different lengths, arrays beside values by seed, and a seed given twice.
    """
    labelled = [hasattr(values, "items") for values in methods]
    if any(labelled) != all(labelled):
        raise ValueError("Values by seed cannot be paired with a plain array: give a dict or a Series for each method.")
    tables = [_table(values, by_seed) for values, by_seed in zip(methods, labelled, strict=True)]
    lengths = {len(table) for table in tables}
    if not all(labelled) and len(lengths) > 1:
        raise ValueError(f"Arrays of {sorted(lengths)} values cannot be paired by position: give values by seed.")
    seeds = sorted(set().union(*tables))
    kept = tuple(s for s in seeds if all(np.isfinite(table.get(s, np.nan)) for table in tables))
    values = np.array([[table[s] for s in kept] for table in tables], dtype=float).reshape(len(tables), len(kept))
    return Aligned(kept, values, tuple(s for s in seeds if s not in kept))


def _table(values: Any, by_seed: bool) -> dict[int, float]:
    if not by_seed:
        return dict(enumerate(np.asarray(values, dtype=float).ravel().tolist()))
    pairs = [(seed, np.nan if value is None else float(value)) for seed, value in values.items()]
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("A seed is given twice: one value per method and seed.")
    return table
