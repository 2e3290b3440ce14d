"""Conversations without their features: lengths, speakers, labels, names. Equations: :mod:`.spec`."""

import numpy as np
import numpy.typing as npt

from benchmark.data.simulation.spec import SimulatorSpec, SplitSize
from benchmark.data.simulation.streams import advance, stream, uniforms

Ints = npt.NDArray[np.int64]


def draw_lengths(spec: SimulatorSpec, seed: int, index: int) -> Ints:
    """Lengths of split ``index``'s conversations, int64 [B]: exact in total and range.

    A rounded gamma of the split's mean and of sd ``length_sd``; then random conversations move by one utterance each
    until the total is met.
    """
    size, rng = spec.splits[index], stream(spec, seed, f"length/{spec.splits[index].split}")
    mean = size.utterances / size.conversations
    drawn = rng.gamma((mean / spec.length_sd) ** 2, spec.length_sd**2 / mean, size.conversations)
    lengths = np.clip(np.rint(drawn), 1, spec.max_length).astype(np.int64)
    free = np.ones(size.conversations, bool)
    if index == 0:  # the corpus's longest conversation; shorter where the total leaves the others nothing
        longest = int(lengths.argmax())
        lengths[longest] = min(spec.max_length, size.utterances - size.conversations + 1)
        free[longest] = False
    while gap := size.utterances - int(lengths.sum()):
        moved = lengths + (1 if gap > 0 else -1)
        room = np.flatnonzero(free & (moved >= 1) & (moved <= spec.max_length))
        chosen = rng.permutation(room)[: abs(gap)]
        lengths[chosen] = moved[chosen]
    return lengths


def draw_speakers(spec: SimulatorSpec, seed: int, offsets: Ints, part: slice) -> Ints:
    """Speakers of the conversations ``part`` of those at ``offsets`` [B + 1], int64 [rows].

    s_t = (s_{t−1} + jump) mod K; jump 0 with probability ``stay``, else uniform on 1..K−1.
    """
    conversations, lengths = len(offsets) - 1, np.diff(offsets)[part]
    rng = stream(spec, seed, "speaker")
    advance(rng, part.start)
    weights = np.array(spec.cast, np.float64)
    cast = np.repeat(1 + rng.choice(len(weights), len(lengths), p=weights / weights.sum()), lengths)
    rows, begin = _rows(offsets, part)
    stay, move, first = uniforms(spec, seed, "speaker", 3, int(offsets[-1]), rows, skip=conversations)
    jump = np.where((stay >= spec.stay) & (cast > 1), 1 + (move * (cast - 1)).astype(np.int64), 0)
    jump[begin] = (first * cast).astype(np.int64)[begin]
    total = np.cumsum(jump)
    before = (total - jump)[begin]  # jumps of earlier conversations
    return (total - np.repeat(before, lengths)) % cast


def draw_labels(spec: SimulatorSpec, seed: int, speaker: Ints, offsets: Ints, part: slice) -> Ints:
    """Labels of the conversations ``part``, whose speakers are given, int64 [rows].

    The mixture chain, as draws from π each held until the next one.
    """
    rows, begin = _rows(offsets, part)
    draw, hold = uniforms(spec, seed, "label", 2, int(offsets[-1]), rows)
    # Inverse cdf: the same uniforms for any π. The last edge is dropped, as rounding may leave it below 1.
    drawn = np.searchsorted(np.cumsum(spec.prior)[:-1], draw, side="right")
    rho = np.where(speaker == np.concatenate([[-1], speaker[:-1]]), spec.inertia, spec.contagion)
    fresh = hold >= rho
    fresh[begin] = True
    held = np.maximum.accumulate(np.where(fresh, np.arange(len(speaker)), 0))
    return drawn[held].astype(np.int64)


def _rows(offsets: Ints, part: slice) -> tuple[slice, Ints]:
    """Rows of the conversations ``part``, and where among them each begins."""
    start = int(offsets[part.start])
    return slice(start, int(offsets[part.stop])), offsets[part] - start


def name_conversations(size: SplitSize) -> list[str]:
    """``Ses01_sim007`` (a session is held out by this prefix), or ``train_sim0007`` in a corpus without sessions."""
    prefixes = [f"Ses{session:02d}" for session in size.sessions] or [size.split]
    digits = max(3, len(str(size.conversations)))
    blocks = zip(prefixes, np.array_split(np.arange(size.conversations), len(prefixes)), strict=True)
    return [f"{prefix}_sim{i + 1:0{digits}d}" for prefix, block in blocks for i in range(len(block))]
