"""Every random draw comes from a seed derived from the run's seed and the draw's purpose."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose of a run, independent of every other purpose's."""
    return int.from_bytes(hashlib.sha256(repr((seed, *purpose)).encode()).digest()[:8], "big") >> 1


def generator(seed: int, *purpose: str | int, device: str = "cpu") -> torch.Generator:
    """A generator of its own for one purpose."""
    return torch.Generator(device).manual_seed(derive(seed, *purpose))


@contextmanager
def seeded(seed: int, *purpose: str | int) -> Iterator[None]:
    """Seed torch's global generator for the duration, for code that takes no generator (initialisation of layers)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, *purpose))
        yield
