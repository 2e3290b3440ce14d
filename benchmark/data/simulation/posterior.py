"""The exact posterior of a simulated corpus's labels, given any modalities: what no model can know better.

Emissions are summed over what is not seen. Bits and conflict are independent given the label y, so with
l_m(c, b) = log p(x^(m) | shown class c, bit b, speaker), r = ``conflict_rate`` and B_y the bits that y allows (those of
the right product in a confusable pair, else all),

    p(x | y) = 1/|B_y| Σ_{b ∈ B_y} [ (1 − r) t_y a_y v_y + r/2 t_y ā_y v_y + r/2 t_y a_y v̄_y ]
    t_y = exp l_text(y, b_text), likewise a_y, v_y;   ā_y = 1/(C − 1) Σ_{c ≠ y} exp l_audio(c, b_audio), likewise v̄_y

An absent modality has l = 0, which sums its shown class and its bit out. The labels of a conversation follow by
forward-backward. All is done in logarithms: sums of positive terms, so nothing cancels and nothing underflows.
"""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from benchmark.data.simulation.emissions import Emission
from benchmark.data.simulation.spec import MODALITIES, SimulatorSpec

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BLOCK = 1 << 14
LOG_ZERO = -1e300
"""Stands for log 0: finite, so that the difference of two is a number."""


def posterior(
    spec: SimulatorSpec,
    emission: Emission,
    features: Mapping[str, npt.NDArray[np.floating]],
    speaker: Ints,
    offsets: Ints | None,
) -> Floats:
    """P(y_t | x_1:T, s_1:T) under the stated model, [N, C].

    Args:
        spec: knobs of the model.
        emission: its drawn parameters, :func:`~.emissions.draw_emission`.
        features: {m: [N, d_m]} of the modalities seen; none gives the prior.
        speaker: [N].
        offsets: [B + 1], where conversations begin; None for P(y_t | x_t, s_t), every utterance by itself.
    """
    return from_evidence(spec, evidence(spec, emission, features, speaker)[0], speaker, offsets)


def from_evidence(spec: SimulatorSpec, evidence: Floats, speaker: Ints, offsets: Ints | None) -> Floats:
    """:func:`posterior` where the :func:`evidence` [C, N] of an observer is at hand already."""
    if offsets is None:
        joint = evidence + np.log(spec.prior)[:, None]
        return np.exp(joint - _logsumexp(joint)).T
    return _smooth(spec, evidence, speaker, offsets).T


def evidence(
    spec: SimulatorSpec, emission: Emission, features: Mapping[str, npt.NDArray[np.floating]], speaker: Ints
) -> Floats:
    """log p(x_t | y_t, s_t), up to a term without y_t, of two observers, [2, C, N]; arguments as for :func:`posterior`.

    The first observer knows which product of the bits a class has. The second takes the bits for independent coins.
    """
    out = np.empty((2, len(spec.class_names), len(speaker)))
    for start in range(0, len(speaker), BLOCK):
        rows = slice(start, start + BLOCK)
        out[..., rows] = _evidence(spec, emission, {m: x[rows] for m, x in features.items()}, speaker[rows])
    return out


def _evidence(
    spec: SimulatorSpec, emission: Emission, features: Mapping[str, npt.NDArray[np.floating]], speaker: Ints
) -> Floats:
    """The equation above with the classes' B_y, and with all bits for every class; [2, C, 1] with no features."""
    classes = len(spec.class_names)
    clean = {m: np.zeros((2, classes, 1)) for m in MODALITIES}  # l_m(c, b): bits +1 and −1, classes, rows
    for m, x in features.items():
        clean[m] = np.stack([_log_density(x, emission, m, bit, speaker) for bit in (1, -1)])
    shown = [(_log(1 - spec.conflict_rate), clean)]
    for m in MODALITIES[1:]:
        others = [_logsumexp(np.delete(clean[m], y, axis=1).swapaxes(0, 1)) for y in range(classes)]
        shown.append((_log(spec.conflict_rate / 2), {**clean, m: np.stack(others, axis=1) - math.log(classes - 1)}))

    terms: dict[int, list[Floats]] = {1: [], -1: []}  # by the product of the bits
    for bits in itertools.product((1, -1), repeat=len(spec.synergy)):
        index = {m: int(bit < 0) for m, bit in zip(spec.synergy, bits, strict=True)}
        terms[math.prod(bits)] += [
            weight + sum(table[m][index.get(m, 0)] for m in MODALITIES) for weight, table in shown
        ]
    first = _logsumexp(terms[1])
    if not spec.synergy:
        return np.stack([first, first])
    second = _logsumexp(terms[-1])
    either = _add(first, second) - math.log(2)  # twice as many bits are allowed
    sign = spec.pair_sign[:, None]
    return np.stack([np.where(sign == 0, either, np.where(sign > 0, first, second)), either])


def _log_density(x: npt.NDArray[np.floating], emission: Emission, m: str, bit: int, speaker: Ints) -> Floats:
    """log N(x; μ, I) up to a term without μ, [C, N], for the means of all classes."""
    mean = emission.means[m] + bit * emission.axis[m]
    return mean @ (x.astype(np.float64) - emission.shift[m][speaker]).T - 0.5 * np.square(mean).sum(1)[:, None]


def _smooth(spec: SimulatorSpec, evidence: Floats, speaker: Ints, offsets: Ints) -> Floats:
    """Forward-backward over every conversation at once: [C, N] from ``evidence`` [C, N].

    The step from y to y′ is ρ [y = y′] + (1 − ρ) π(y′), so a message costs O(C). Conversations are taken longest first:
    those that have an utterance t are always the first of them, and none is padded.
    """
    lengths = np.diff(offsets)
    order = np.argsort(-lengths, kind="stable")
    begin = offsets[:-1][order]
    steps = [begin[: np.count_nonzero(lengths > t)] + t for t in range(lengths.max(initial=0))]
    rho = np.where(speaker == np.concatenate([[-1], speaker[:-1]]), spec.inertia, spec.contagion)
    stay, leave, prior = _log(rho), _log(1 - rho), np.log(spec.prior)[:, None]

    both = np.empty_like(evidence)
    ahead = np.tile(prior, len(order))  # log P(y_t | x_1:t−1)
    for rows, following in itertools.zip_longest(steps, steps[1:], fillvalue=begin[:0]):
        both[:, rows] = ahead + evidence[:, rows]
        both[:, rows] -= _logsumexp(both[:, rows])
        ahead = _add(stay[following] + both[:, following - 1], leave[following] + prior)

    later = np.zeros((len(prior), len(order)))  # log p(x_t+1:T | y_t), up to a constant
    for rows in reversed(steps):
        behind = later[:, : len(rows)]
        both[:, rows] += behind
        seen = evidence[:, rows] + behind
        seen -= seen.max(0)
        later[:, : len(rows)] = _add(stay[rows] + seen, leave[rows] + _logsumexp(prior + seen))
    return np.exp(both - _logsumexp(both))


def _log(x: float | Floats) -> Floats:
    return np.log(x, out=np.full(np.shape(x), LOG_ZERO), where=np.greater(x, 0))


def _add(a: Floats, b: Floats) -> Floats:
    """log(e^a + e^b): np.logaddexp, in less than half the time."""
    return np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))


def _logsumexp(terms: Floats | Sequence[Floats]) -> Floats:
    """The logarithm of the sum of exponentials over the first axis."""
    stacked = np.array(terms)  # a copy, in whose place all is done
    top = stacked.max(0)
    stacked -= top
    return top + np.log(np.exp(stacked, out=stacked).sum(0))
