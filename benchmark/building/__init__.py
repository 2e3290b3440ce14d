"""Corpora from arrays that people have: a folder with an array a modality, and a table of utterances."""

from benchmark.building.build import Built, build
from benchmark.building.mistakes import MistakesError

__all__ = ["Built", "MistakesError", "build"]
