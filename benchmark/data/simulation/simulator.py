"""Simulated corpora: the shape of IEMOCAP and MELD, with known dependence between label, context and modalities.

The generative model is stated in :mod:`benchmark.data.simulation.spec`.
"""

import difflib
import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np

from benchmark.base.errors import UserError
from benchmark.data.conversations import Conversations
from benchmark.data.simulation.chain import draw_labels, draw_lengths, draw_speakers, name_conversations
from benchmark.data.simulation.emissions import draw_emission, draw_latents
from benchmark.data.simulation.leakage import Leaks
from benchmark.data.simulation.spec import IEMOCAP_SIM_HARD, MELD_SIM_HARD, MODALITIES, SPECS, SimulatorSpec
from benchmark.data.simulation.streams import stream

__all__ = [
    "IEMOCAP_SIM_HARD",
    "MELD_SIM_HARD",
    "SPECS",
    "SimulatorSpec",
    "simulate",
    "simulate_chunks",
    "simulate_spec",
]


def simulate_spec(spec: SimulatorSpec, seed: int = 0) -> Conversations:
    """The corpus of a spec and a seed: the same two give the same bits.

    Returns:
        Conversations split by split; features float32, in units of the noise's sd.

    Raises:
        UserError: the seed is negative or no whole number.
    """
    return next(simulate_chunks(spec, seed, sum(size.utterances for size in spec.splits)))


def simulate_chunks(spec: SimulatorSpec, seed: int = 0, utterances: int = 1 << 14) -> Iterator[Conversations]:
    """The same corpus, whole conversations of about so many utterances at a time: for sizes that memory cannot hold.

    Raises:
        UserError: the seed is negative or no whole number.
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise UserError(f"simulator {spec.name}: seed is {seed!r}, but must be a whole number, not negative")
    lengths = np.concatenate([draw_lengths(spec, seed, i) for i in range(len(spec.splits))])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = [name for size in spec.splits for name in name_conversations(size)]
    split = [size.split for size in spec.splits for _ in range(size.conversations)]
    emission, leaks = draw_emission(spec, seed), Leaks(spec, seed)
    noise = {m: stream(spec, seed, f"noise/{m}") for m in MODALITIES}
    total = int(offsets[-1])
    bounds = np.searchsorted(offsets, np.arange(0, total, max(1, utterances)))
    for first, last in itertools.pairwise([*np.unique(bounds).tolist(), len(lengths)]):
        part = slice(first, last)
        start = int(offsets[first])
        speaker = draw_speakers(spec, seed, offsets, part)
        label = draw_labels(spec, seed, speaker, offsets, part)
        latents = draw_latents(spec, seed, label, start, total)
        features = {}
        for m in MODALITIES:
            mean = emission.mean(m, latents)
            drawn = noise[m].standard_normal(mean.shape)
            features[m] = (mean + emission.shift[m][speaker] + drawn).astype(np.float32)
        inside = offsets[first : last + 1] - start
        chunk = Conversations(
            features=features,
            label=label,
            speaker=speaker,
            offsets=inside,
            ids=tuple(ids[part]),
            split=tuple(split[part]),
            class_names=spec.class_names,
            speakers=len(spec.cast),
        )
        leaks.apply(chunk, latents, start, total)
        yield chunk


def simulate(name: str, *, seed: int = 0, **knobs: Any) -> Conversations:
    """The corpus ``name`` (a key of SPECS), with fields of its SimulatorSpec replaced by ``knobs``.

    Raises:
        UserError: unknown name, unknown knob, or an impossible value.
    """
    if name not in SPECS:
        raise UserError(f"unknown simulated corpus {name!r}{_suggest(name, list(SPECS))}")
    known = [f.name for f in fields(SimulatorSpec)]
    for knob in knobs:
        if knob not in known:
            raise UserError(f"unknown knob {knob!r} of the simulator{_suggest(knob, known)}")
    return simulate_spec(replace(SPECS[name], **knobs), seed)


def _suggest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f", did you mean {near[0]!r}?" if near else f": known are {', '.join(known)}"
