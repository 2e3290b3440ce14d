"""Rules that choose an epoch from a run's validation curve: the one that decides, and what others would have given."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

WINDOW = 5
"""Epochs of which the smoothed curve is the median, fewer at its ends."""

DECIDING = {
    "best": "the epoch with the best validation score",
    "smoothed": f"the epoch with the best median of {WINDOW} validation scores",
    "last": "the last epoch, whatever validation says",
}
"""The rules that a run may have been made under (``selection`` in its spec.json), in words."""


def best_epoch(validation: Float[np.ndarray, " epochs"], usable: Bool[np.ndarray, " epochs"]) -> int:
    """The usable epoch, from 1, with the highest score; the earliest of equals; 0 of none."""
    return int(np.argmax(np.where(usable, validation, -np.inf))) + 1 if usable.any() else 0


def smoothed_epoch(validation: Float[np.ndarray, " epochs"], usable: Bool[np.ndarray, " epochs"]) -> int:
    """The usable epoch, from 1, whose median with its neighbours is the highest; the earliest of equals; 0 of none."""
    if not usable.any():
        return 0
    known = np.where(usable, validation, np.nan)
    reach = WINDOW // 2
    medians = [
        np.nanmedian(known[max(0, i - reach) : i + reach + 1]) if usable[i] else -np.inf for i in range(len(known))
    ]
    return int(np.argmax(medians)) + 1


def last_epoch(usable: Bool[np.ndarray, " epochs"]) -> int:
    """The last usable epoch, from 1; 0 of none."""
    return int(np.flatnonzero(usable)[-1]) + 1 if usable.any() else 0


def fixed_epoch(others: Sequence[int], usable: Bool[np.ndarray, " epochs"]) -> int:
    """The mean of the epochs that other seeds selected, rounded; 0 where there is none, or it is not usable."""
    if not len(others):
        return 0
    epoch = round(float(np.mean(others)))
    return epoch if usable[epoch - 1] else 0
