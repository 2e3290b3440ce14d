"""Identical vectors get the same number, so that every further comparison is one of integers."""

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchmark.data.defects.vectors import finite_rows, zero_rows

Ints = npt.NDArray[np.int64]

ZERO, NON_FINITE = 0, -1


def number_vectors(rows: npt.NDArray[np.float32]) -> Ints:
    """A number for each of the vectors [N, d], the same for identical ones: ZERO, NON_FINITE, or from 1 on, [N]."""
    numbers: dict[bytes, int] = {}
    keys = np.empty(len(rows), np.int64)
    for i, row in enumerate(rows):
        digest = hashlib.blake2b((row + np.float32(0)).tobytes(), digest_size=16).digest()  # + 0: −0 becomes 0
        keys[i] = numbers.setdefault(digest, len(numbers) + 1)
    keys[zero_rows(rows)] = ZERO
    keys[~finite_rows(rows)] = NON_FINITE
    return keys


def number_utterances(keys: Mapping[str, Ints]) -> Ints:
    """A number for each utterance from those of its vectors: the same where all modalities are identical, [N]."""
    stacked = np.stack(list(keys.values()), axis=1)
    combined: Ints = 1 + np.unique(stacked, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    combined[(stacked == ZERO).all(axis=1)] = ZERO
    combined[(stacked == NON_FINITE).any(axis=1)] = NON_FINITE
    return combined
