"""A simulated corpus as a feature file in the open format (docs/feature-format.md), for other programs."""

import hashlib
from pathlib import Path

from benchmark.data.conversations import Conversations
from benchmark.data.feature_files.open_format import Source, save
from benchmark.data.feature_files.reading import reader_fingerprint
from benchmark.data.simulation.spec import SimulatorSpec


def export_corpus(out: Path, corpus: Conversations, name: str, spec: SimulatorSpec, seed: int) -> None:
    """Write a corpus; the file's ``source`` names it, so that no run takes it for conversations of people.

    Args:
        out: file to write or replace.
        corpus: what ``spec`` and ``seed`` gave.
        name: of the corpus, canonical (:mod:`.knobs`).
        spec, seed: of the corpus; their hash stands for that of a file's content.
    """
    digest = hashlib.sha256(repr((spec, seed)).encode()).hexdigest()
    source = Source(file=name, sha256=digest, text_view="1", reader=reader_fingerprint())
    save(out, corpus, spec.name.removesuffix("-sim"), source)
