"""A corpus drawn chunk by chunk has the bits of the corpus drawn at once, and needs the memory of a chunk."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from benchmark.data.simulation.simulator import IEMOCAP_SIM_HARD, MELD_SIM_HARD, simulate_chunks, simulate_spec
from benchmark.data.simulation.spec import MODALITIES

LEAKY = replace(MELD_SIM_HARD, name="leaky", leakage=(0.1, 0.2, 0.3), synergy=MODALITIES)


@pytest.mark.parametrize("spec", [IEMOCAP_SIM_HARD, MELD_SIM_HARD, LEAKY], ids=lambda spec: spec.name)
@pytest.mark.parametrize("utterances", [1, 333, 6000])
def test_any_chunks_have_the_bits_of_the_whole(spec, utterances):
    if utterances == 1:
        spec = replace(
            spec, splits=tuple(s._replace(conversations=20, utterances=90, sessions=()) for s in spec.splits)
        )
    whole, chunks = simulate_spec(spec, 4), list(simulate_chunks(spec, 4, utterances))
    for m in MODALITIES:
        np.testing.assert_array_equal(np.concatenate([c.features[m] for c in chunks]), whole.features[m])
    for name in ("label", "speaker", "lengths"):
        np.testing.assert_array_equal(np.concatenate([getattr(c, name) for c in chunks]), getattr(whole, name))
    for name in ("ids", "split"):
        assert sum((getattr(c, name) for c in chunks), ()) == getattr(whole, name)
    assert len(chunks) > 1
    longest = whole.lengths.max()
    assert all(c.utterances <= utterances + longest for c in chunks)
    assert all(c.offsets[0] == 0 and c.offsets[-1] == len(c.label) for c in chunks)


def peak(draw):
    tracemalloc.start()
    try:
        draw()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_corpus_of_many_times_the_size_needs_little_more_memory():
    many = replace(
        LEAKY,
        splits=tuple(
            s._replace(conversations=20 * s.conversations, utterances=20 * s.utterances) for s in LEAKY.splits
        ),
    )
    drawn = []
    memory = peak(lambda: drawn.extend(chunk.utterances for chunk in simulate_chunks(many)))
    assert sum(drawn) == 20 * 13_708
    assert memory < 3 * peak(lambda: simulate_spec(LEAKY))
