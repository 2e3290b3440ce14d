"""Independent random streams of a simulated corpus."""

import zlib

import numpy as np

from benchmark.data.simulation.spec import SimulatorSpec


def stream(spec: SimulatorSpec, seed: int, purpose: str) -> np.random.Generator:
    """The generator of one purpose: keyed by its name, so that no purpose disturbs, or renumbers, another."""
    key = (zlib.crc32(spec.name.encode()), zlib.crc32(purpose.encode()))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
