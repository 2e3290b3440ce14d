"""Test vectors that are copies of training vectors, as published feature files have them. Equations: :mod:`.spec`."""

import numpy as np
import numpy.typing as npt

from benchmark.data.conversations import Conversations
from benchmark.data.simulation.emissions import Latents
from benchmark.data.simulation.spec import MODALITIES, SimulatorSpec
from benchmark.data.simulation.streams import uniforms

Ints = npt.NDArray[np.int64]

POOL = 10_000
"""Copies come from the first so many training utterances, so that a corpus of any size can be drawn chunk by chunk."""


def twins_of(spec: SimulatorSpec, label: Ints, latents: Latents, modality: str) -> Ints:
    """Keys [N], equal for utterances whose vectors differ in nothing but noise and the speaker's offset."""
    column = MODALITIES.index(modality)
    return (label * len(spec.class_names) + latents.shown[:, column]) * 3 + latents.bits[:, column]


def draw_sources(spec: SimulatorSpec, seed: int, modality: str, pool: Ints, test: Ints, start: int, total: int) -> Ints:
    """For each test utterance, the pool's row that its vector is copied from, or −1: int64 [N].

    Args:
        spec, seed: of the corpus; the modality's ``leakage`` is the probability of a copy.
        modality: whose vectors.
        pool: :func:`twins_of` the training utterances to copy from.
        test: the same of test utterances [N]; those without a twin in the pool keep their own vectors.
        start, total: row of the first of them, and the corpus's utterances.
    """
    chance, pick = uniforms(spec, seed, f"leakage/{modality}", 2, total, slice(start, start + len(test)))
    hit = chance < spec.leakage[MODALITIES.index(modality)]
    order = np.argsort(pool, kind="stable")
    first, last = (np.searchsorted(pool[order], test, side=side) for side in ("left", "right"))
    copied = hit & (last > first)
    sources = np.full(len(test), -1)
    sources[copied] = order[(first + (pick * (last - first)).astype(np.int64))[copied]]
    return sources


class Leaks:
    """Plants a corpus's copies, chunk after chunk; training chunks come first."""

    def __init__(self, spec: SimulatorSpec, seed: int) -> None:
        self._spec, self._seed = spec, seed
        self._pools = {
            m: (np.empty(0, np.int64), np.empty((0, width), np.float32))
            for m, width, share in zip(MODALITIES, spec.widths, spec.leakage, strict=True)
            if share > 0
        }

    def apply(self, chunk: Conversations, latents: Latents, start: int, total: int) -> None:
        """Overwrite leaked vectors of a chunk's test utterances; its first row is row ``start`` of ``total``."""
        if not self._pools:
            return
        assert chunk.label is not None
        split = np.repeat(chunk.split, chunk.lengths)
        for m, (keys, vectors) in self._pools.items():
            twins, x = twins_of(self._spec, chunk.label, latents, m), chunk.features[m]
            train = np.flatnonzero(split == "train")[: POOL - len(keys)]
            keys, vectors = np.concatenate([keys, twins[train]]), np.concatenate([vectors, x[train]])
            self._pools[m] = keys, vectors
            sources = draw_sources(self._spec, self._seed, m, pool=keys, test=twins, start=start, total=total)
            copied = (split == "test") & (sources >= 0)
            x[copied] = vectors[sources[copied]]
