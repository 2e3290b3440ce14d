"""The pair's bit: how it is read off scores, and its ceiling against the closed form and against brute force."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from benchmark.data.simulation.emissions import draw_emission, draw_latents
from benchmark.data.simulation.knobs import parse_corpus
from benchmark.data.simulation.pair_bit import bayes_pair_bits, pair_bits
from benchmark.data.simulation.simulator import MELD_SIM_HARD, simulate_spec
from benchmark.data.simulation.spec import MODALITIES

PAIRS = "class_counts=1+8+1+1+8+8+8,conflict_rate=0,pair_gap=0,speaker_shift=0,synergy_strength=1.5"
_, SPEC = parse_corpus(f"meld-sim-hard({PAIRS},scale=3)")


def test_a_bit_is_right_where_the_label_beats_its_partner_and_half_right_in_a_tie():
    c = {name: i for i, name in enumerate(MELD_SIM_HARD.class_names)}
    label = np.array([c["joy"], c["neutral"], c["surprise"], c["anger"], c["disgust"], c["joy"]])
    scores = np.zeros((6, 7))
    scores[:, c["neutral"]] = 9  # classes outside the pair do not matter
    scores[0, c["joy"]] = 1
    scores[2, c["joy"]] = 1
    scores[4, [c["anger"], c["disgust"]]] = 2, 3
    rows, right = pair_bits(MELD_SIM_HARD, label, scores)
    assert rows.tolist() == [0, 2, 3, 4, 5]
    assert right.tolist() == [1, 0, 0.5, 1, 0.5]


@pytest.mark.parametrize("synergy", [("text", "audio"), ("audio", "visual"), MODALITIES, ("text",), ()])
@pytest.mark.parametrize("context", [True, False])
def test_the_ceiling_is_the_closed_form(synergy, context):
    spec = replace(SPEC, synergy=synergy)
    if context:  # that of others' labels would tell more
        spec = replace(spec, inertia=0.0, contagion=0.0)
    _, right = bayes_pair_bits(spec, 0, simulate_spec(spec).where("train"), context)
    # without a bit nothing tells them apart: the posteriors are equal, or rounding decides
    expected = 0.5 * (1 + (1 - 2 * norm.cdf(-1.5)) ** len(synergy)) if synergy else 0.5
    assert abs(right.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / len(right))


@pytest.mark.parametrize("seen", [("text",), ("text", "audio"), ("audio", "visual")])
def test_fewer_modalities_than_the_order_tell_nothing(seen):
    spec = replace(SPEC, synergy=MODALITIES)
    data = simulate_spec(spec).where("train")
    _, right = bayes_pair_bits(spec, 0, replace(data, features={m: data.features[m] for m in seen}))
    assert abs(right.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(right))


def test_the_bayes_rule_is_the_product_of_the_decisions_of_each_modality():
    spec = replace(SPEC, synergy=MODALITIES)
    data = simulate_spec(spec).where("test")
    rows, right = bayes_pair_bits(spec, 0, data)
    axis = draw_emission(spec, 0).axis
    product = np.prod([np.sign(data.features[m][rows] @ axis[m]) for m in MODALITIES], axis=0)
    np.testing.assert_array_equal(product == spec.pair_sign[data.label[rows]], right == 1)


def test_the_planted_bits_are_the_classes_sign():
    spec = replace(SPEC, synergy=MODALITIES)
    data = simulate_spec(spec)
    bits = draw_latents(spec, 0, data.label).bits.prod(1)
    rows, _ = pair_bits(spec, data.label, np.zeros((data.utterances, 7)))
    np.testing.assert_array_equal(bits[rows], spec.pair_sign[data.label[rows]])


def test_context_tells_more_where_labels_go_on():
    data = simulate_spec(SPEC).where("train")
    alone, together = (bayes_pair_bits(SPEC, 0, data, context)[1] for context in (False, True))
    gained = together.astype(float) - alone
    assert gained.mean() > 4 * gained.std() / np.sqrt(gained.size)
