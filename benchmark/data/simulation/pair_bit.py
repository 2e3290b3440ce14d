"""The bit of a confusable pair: which of its two classes an utterance is of, given that it is of one of them.

With ``pair_gap`` 0 and equal counts within pairs no modality alone says anything of it, nor do fewer than all of S
together: what a model finds beyond chance it found as a product of as many modalities as S has. The Bayes rule decides
by the exact posterior's larger of the two. With noise of unit sd and neither conflict nor a gap that is the product of
each modality's own decision, which errs with probability Φ(−``synergy_strength``), so that the population's ceiling is

    ½ (1 + (1 − 2 Φ(−synergy_strength))^|S|)
"""

import numpy as np
import numpy.typing as npt

from benchmark.data.conversations import Conversations
from benchmark.data.simulation.emissions import draw_emission
from benchmark.data.simulation.posterior import posterior
from benchmark.data.simulation.spec import SimulatorSpec

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def pair_bits(spec: SimulatorSpec, label: Ints, scores: npt.NDArray[np.floating]) -> tuple[Ints, Floats]:
    """Which utterances are of a confusable pair, and which of their bits are told right.

    Args:
        spec: of the corpus.
        label: [N].
        scores: [N, C], larger for a class that is thought more probable.

    Returns:
        Rows [n] whose label is in a pair; for each 1 where its label has the larger score of the pair, 0 where the
        other one has, ½ where they are equal.
    """
    partner = np.full(len(spec.class_names), -1)
    for first, second in ([spec.class_names.index(name) for name in pair] for pair in spec.pairs):
        partner[first], partner[second] = second, first
    rows = np.flatnonzero(partner[label] >= 0)
    true_score, partner_score = scores[rows, label[rows]], scores[rows, partner[label[rows]]]
    return rows, (true_score > partner_score) + 0.5 * (true_score == partner_score)


def bayes_pair_bits(spec: SimulatorSpec, seed: int, data: Conversations, context: bool = False) -> tuple[Ints, Floats]:
    """:func:`pair_bits` of the exact posterior: what no model of these utterances does better, but by luck.

    Args:
        spec, seed: of the corpus.
        data: labelled conversations of it, with the modalities that are seen.
        context: whether the whole conversation is seen, or one utterance at a time.
    """
    assert data.label is not None
    offsets = data.offsets if context else None
    known = posterior(spec, draw_emission(spec, seed), data.features, data.speaker, offsets)
    return pair_bits(spec, data.label, known)
