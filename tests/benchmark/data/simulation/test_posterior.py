"""Exact posteriors against brute force: the joint density summed over every label sequence, bit and conflict."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from benchmark.data.simulation.emissions import draw_emission
from benchmark.data.simulation.posterior import posterior
from benchmark.data.simulation.simulator import IEMOCAP_SIM_HARD, MELD_SIM_HARD, simulate_spec
from benchmark.data.simulation.spec import MODALITIES, SplitSize

SUBSETS = [s for size in range(4) for s in itertools.combinations(MODALITIES, size)]
SMALL = replace(
    IEMOCAP_SIM_HARD,
    splits=(SplitSize("test", 3, 9),),
    max_length=5,
    length_sd=2.0,
    widths=(3, 2, 2),
    speaker_shift=1.0,
    class_names=("happy", "sad", "angry", "excited"),
    class_counts=(2, 3, 1, 4),
    pairs=(("happy", "excited"),),
)


def density(spec, emission, data, modalities, t, y):
    """p(x_t of the modalities | y), term by term; latents of absent modalities are enumerated as well."""
    classes, total = len(spec.class_names), 0.0
    shown = [(1 - spec.conflict_rate, (y, y, y))]
    for other in set(range(classes)) - {y}:
        share = spec.conflict_rate / (2 * (classes - 1))
        shown += [(share, (y, other, y)), (share, (y, y, other))]
    for bits in itertools.product((-1, 1), repeat=len(spec.synergy)):
        sign = spec.pair_sign[y] if bits else 0
        p_bits = 0.5 ** len(bits) if sign == 0 else (np.prod(bits) == sign) * 0.5 ** (len(bits) - 1)
        bit = dict(zip(spec.synergy, bits, strict=True))
        for p_shown, seen in shown:
            p = p_bits * p_shown
            for m, c in zip(MODALITIES, seen, strict=True):
                if m in modalities:
                    mean = emission.means[m][c] + bit.get(m, 0) * emission.axis[m] + emission.shift[m][data.speaker[t]]
                    p *= norm.pdf(data.features[m][t].astype(np.float64), mean, 1).prod()
            total += p
    return total


def brute_force(spec, emission, data, modalities, context):
    classes, out = len(spec.class_names), np.zeros((data.utterances, len(spec.class_names)))
    at = [[density(spec, emission, data, modalities, t, y) for y in range(classes)] for t in range(data.utterances)]
    for start, stop in itertools.pairwise(data.offsets if context else range(data.utterances + 1)):
        for path in itertools.product(range(classes), repeat=stop - start):
            p = 1.0
            for t, y in enumerate(path, start):
                p *= at[t][y]
                if t == start:
                    p *= spec.prior[y]
                else:
                    rho = spec.inertia if data.speaker[t] == data.speaker[t - 1] else spec.contagion
                    p *= rho * (y == path[t - 1 - start]) + (1 - rho) * spec.prior[y]
            out[range(start, stop), path] += p
    return out / out.sum(1, keepdims=True)


@pytest.mark.parametrize("modalities", SUBSETS, ids=lambda s: "+".join(s) or "none")
@pytest.mark.parametrize("context", [True, False], ids=["context", "alone"])
@pytest.mark.parametrize(
    "knobs",
    [
        {"synergy": ("text", "audio")},
        {"synergy": ("audio", "visual"), "synergy_strength": 3.0},
        {"synergy": MODALITIES, "conflict_rate": 0.6},
        {"synergy": ("text",)},
        {"synergy": (), "conflict_rate": 0.0},
        {"inertia": 1.0, "contagion": 0.0, "conflict_rate": 1.0},
    ],
    ids=lambda knobs: "-".join(map(str, knobs.values())),
)
def test_the_posterior_is_that_of_brute_force(knobs, modalities, context):
    spec = replace(SMALL, **knobs)
    data, emission = simulate_spec(spec, 7), draw_emission(spec, 7)
    assert data.lengths.max() == 5
    found = posterior(
        spec, emission, {m: data.features[m] for m in modalities}, data.speaker, data.offsets if context else None
    )
    np.testing.assert_allclose(found, brute_force(spec, emission, data, modalities, context), rtol=1e-9, atol=1e-9)


def test_evidence_of_any_strength_gives_probabilities():
    spec = replace(SMALL, signal=(900.0, 900.0, 900.0), synergy_strength=900.0, inertia=1.0, conflict_rate=1.0)
    data = simulate_spec(spec, 0)
    found = posterior(spec, draw_emission(spec, 0), data.features, data.speaker, data.offsets)
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_array_equal(found.argmax(1), data.label)


@pytest.mark.parametrize("spec", [IEMOCAP_SIM_HARD, MELD_SIM_HARD], ids=lambda spec: spec.name)
@pytest.mark.parametrize("modalities", [MODALITIES, ("audio", "visual")], ids="+".join)
def test_the_posterior_is_calibrated(spec, modalities):
    """The corpus comes from the model that is stated: its exact posterior is right as often as it says."""
    data = simulate_spec(spec, 1)
    seen = {m: data.features[m] for m in modalities}
    found = posterior(spec, draw_emission(spec, 1), seen, data.speaker, data.offsets)
    excess = (found.argmax(1) == data.label) - found.max(1)
    by_conversation = np.add.reduceat(excess, data.offsets[:-1])
    assert abs(by_conversation.sum()) < 4 * math.sqrt(np.square(by_conversation).sum())


def test_a_conversation_is_judged_alike_in_any_company():
    data, emission = simulate_spec(IEMOCAP_SIM_HARD, 0), draw_emission(IEMOCAP_SIM_HARD, 0)
    whole = posterior(IEMOCAP_SIM_HARD, emission, data.features, data.speaker, data.offsets)
    for b in (0, 60, len(data) - 1):
        one = data.select([b])
        alone = posterior(IEMOCAP_SIM_HARD, emission, one.features, one.speaker, one.offsets)
        np.testing.assert_allclose(alone, whole[data.rows([b])], rtol=1e-9)
