"""Conversations without their features: lengths, speakers, labels, names. Equations: :mod:`.spec`."""

import numpy as np
import numpy.typing as npt

from benchmark.data.simulation.spec import SimulatorSpec, SplitSize
from benchmark.data.simulation.streams import stream

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


def draw_speakers(spec: SimulatorSpec, seed: int, lengths: Ints, offsets: Ints) -> Ints:
    """Speakers, int64 [N]: s_t = (s_{t−1} + jump) mod K; jump 0 with probability ``stay``, else uniform on 1..K−1."""
    rng = stream(spec, seed, "speaker")
    weights = np.array(spec.cast, np.float64)
    cast = np.repeat(1 + rng.choice(len(weights), len(lengths), p=weights / weights.sum()), lengths)
    change, move, first = rng.random(len(cast)) >= spec.stay, rng.random(len(cast)), rng.random(len(cast))
    jump = np.where(change & (cast > 1), 1 + (move * (cast - 1)).astype(np.int64), 0)
    jump[offsets[:-1]] = (first * cast).astype(np.int64)[offsets[:-1]]
    total = np.cumsum(jump)
    before = (total - jump)[offsets[:-1]]  # jumps of earlier conversations
    return (total - np.repeat(before, lengths)) % cast


def draw_labels(spec: SimulatorSpec, seed: int, speaker: Ints, offsets: Ints) -> Ints:
    """Labels, int64 [N]: the mixture chain, as draws from π each held until the next one."""
    rng = stream(spec, seed, "label")
    # Inverse cdf: the same uniforms for any π. The last edge is dropped, as rounding may leave it below 1.
    drawn = np.searchsorted(np.cumsum(spec.prior)[:-1], rng.random(len(speaker)), side="right")
    rho = np.where(speaker == np.concatenate([[-1], speaker[:-1]]), spec.inertia, spec.contagion)
    fresh = rng.random(len(speaker)) >= rho
    fresh[offsets[:-1]] = True
    held = np.maximum.accumulate(np.where(fresh, np.arange(len(speaker)), 0))
    return drawn[held].astype(np.int64)


def name_conversations(size: SplitSize) -> list[str]:
    """``Ses01_sim007`` (a session is held out by this prefix), or ``train_sim0007`` in a corpus without sessions."""
    prefixes = [f"Ses{session:02d}" for session in size.sessions] or [size.split]
    digits = max(3, len(str(size.conversations)))
    blocks = zip(prefixes, np.array_split(np.arange(size.conversations), len(prefixes)), strict=True)
    return [f"{prefix}_sim{i + 1:0{digits}d}" for prefix, block in blocks for i in range(len(block))]
