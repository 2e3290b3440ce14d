"""Independent random streams of a simulated corpus."""

import zlib

import numpy as np
import numpy.typing as npt

from benchmark.data.simulation.spec import SimulatorSpec


def stream(spec: SimulatorSpec, seed: int, purpose: str) -> np.random.Generator:
    """The generator of one purpose: keyed by its name, so that no purpose disturbs, or renumbers, another."""
    key = (zlib.crc32(spec.name.encode()), zlib.crc32(purpose.encode()))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def uniforms(
    spec: SimulatorSpec, seed: int, purpose: str, arrays: int, size: int, rows: slice, skip: int = 0
) -> npt.NDArray[np.float64]:
    """Only ``rows`` of arrays of ``size`` uniforms drawn one after another (after ``skip`` others), [arrays, rows]."""
    out = np.empty((arrays, rows.stop - rows.start))
    for i, row in enumerate(out):
        rng = stream(spec, seed, purpose)
        advance(rng, skip + i * size + rows.start)
        rng.random(out=row)
    return out


def advance(rng: np.random.Generator, draws: int) -> None:
    """Pass over as many doubles (or pairs of integers below 2³²), each of which takes one step of the generator."""
    assert isinstance(rng.bit_generator, np.random.PCG64)
    rng.bit_generator.advance(draws)
