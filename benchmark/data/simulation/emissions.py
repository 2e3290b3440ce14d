"""What utterances emit: class means, conflict between modalities, synergy bits. Equations: :mod:`.spec`."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.data.simulation.spec import MODALITIES, SimulatorSpec
from benchmark.data.simulation.streams import advance, stream, uniforms

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Emission:
    """Parameters of p(x^(m) | shown class, bit, speaker) = N(means[c] + bit · axis + shift[s], I), for each modality.

    Attributes:
        means: {m: [C, d_m]}.
        axis: {m: [d_m]}, of length ``synergy_strength``, zero for m outside S.
        shift: {m: [speakers, d_m]}.
    """

    means: dict[str, Floats]
    axis: dict[str, Floats]
    shift: dict[str, Floats]

    def mean(self, modality: str, latents: "Latents") -> Floats:
        """Class mean plus bit, [N, d_m]."""
        column = MODALITIES.index(modality)
        return self.means[modality][latents.shown[:, column]] + latents.bits[:, column, None] * self.axis[modality]


@dataclass(frozen=True, eq=False)
class Latents:
    """What utterances emit, int64 [N, 3], columns as MODALITIES: the class ``shown``, and ``bits`` (0 outside S)."""

    shown: Ints
    bits: Ints


def draw_emission(spec: SimulatorSpec, seed: int) -> Emission:
    """The corpus's class means, bit axes and speaker offsets: random directions, drawn once for a seed."""
    classes, out = len(spec.class_names), Emission({}, {}, {})
    for m, width, signal in zip(MODALITIES, spec.widths, spec.signal, strict=True):
        rng = stream(spec, seed, f"emission/{m}")
        unit = _directions(rng, classes + 1, width)
        means = signal * unit[:classes]
        for first, second in ([spec.class_names.index(name) for name in pair] for pair in spec.pairs):
            # Orthonormal e1, e2 turned towards their bisector: the lengths stay, the distance shrinks by pair_gap = g.
            middle, half = (unit[first] + unit[second]) / math.sqrt(2), (unit[first] - unit[second]) / math.sqrt(2)
            g = spec.pair_gap
            means[first] = signal * (math.sqrt(1 - g * g / 2) * middle + g / math.sqrt(2) * half)
            means[second] = signal * (math.sqrt(1 - g * g / 2) * middle - g / math.sqrt(2) * half)
        out.means[m] = means
        out.axis[m] = unit[classes] * (spec.synergy_strength if m in spec.synergy else 0.0)
        out.shift[m] = spec.speaker_shift * _unit(rng.standard_normal((len(spec.cast), width)))
    return out


def draw_latents(spec: SimulatorSpec, seed: int, label: Ints, start: int = 0, total: int | None = None) -> Latents:
    """Conflict and bits of utterances labelled ``label`` [N]: given a simulated corpus's labels, those that made it.

    Where the corpus has ``total`` utterances, these are the N from ``start`` on.
    """
    utterances, classes = len(label), len(spec.class_names)
    part = slice(start, start + utterances)
    hit, where, other = uniforms(spec, seed, "conflict", 3, utterances if total is None else total, part)
    rows = np.flatnonzero(hit < spec.conflict_rate)
    shown = np.repeat(label[:, None], len(MODALITIES), axis=1)
    column = 1 + (where * (len(MODALITIES) - 1)).astype(np.int64)  # never text, column 0
    shown[rows, column[rows]] = (label + 1 + (other * (classes - 1)).astype(np.int64))[rows] % classes

    rng, before = stream(spec, seed, "bits"), start * len(MODALITIES)
    advance(rng, before // 2)
    rng.integers(0, 2, before % 2)  # one half of a step
    bits = 2 * rng.integers(0, 2, (utterances, len(MODALITIES))) - 1
    bits[:, [m not in spec.synergy for m in MODALITIES]] = 0
    if members := [i for i, m in enumerate(MODALITIES) if m in spec.synergy]:
        sign = spec.pair_sign[label]
        bits[:, members[-1]] = np.where(sign == 0, bits[:, members[-1]], sign * bits[:, members[:-1]].prod(axis=1))
    return Latents(shown, bits)


def _directions(rng: np.random.Generator, count: int, width: int) -> Floats:
    """``count`` random unit vectors [count, width], orthogonal to each other where the width has room for that."""
    raw = rng.standard_normal((count, width))
    return np.linalg.qr(raw.T)[0].T if count <= width else _unit(raw)


def _unit(rows: Floats) -> Floats:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
