import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from benchmark.base.errors import UserError
from benchmark.data.simulation.emissions import draw_emission, draw_latents
from benchmark.data.simulation.posterior import posterior
from benchmark.data.simulation.simulator import IEMOCAP_SIM_HARD, MELD_SIM_HARD, SPECS, simulate, simulate_spec
from benchmark.data.simulation.spec import MODALITIES, SplitSize

BOTH = pytest.mark.parametrize("spec", [IEMOCAP_SIM_HARD, MELD_SIM_HARD], ids=lambda spec: spec.name)
SYNERGIES = pytest.mark.parametrize("synergy", [("text", "audio"), ("audio", "visual"), MODALITIES], ids="+".join)


def large(spec, utterances=100_000, **knobs):
    """A corpus for Monte Carlo: many utterances, narrow features."""
    sizes = (SplitSize("train", utterances // 20, utterances),)
    return replace(spec, **{"splits": sizes, "max_length": 60, "length_sd": 8.0, "widths": (1, 1, 1), **knobs})


def adjacent(data):
    """Rows t whose row t − 1 is of the same conversation, and whether it is of the same speaker."""
    inner = np.ones(data.utterances, bool)
    inner[data.offsets[:-1]] = False
    rows = np.flatnonzero(inner)
    return rows, data.speaker[rows] == data.speaker[rows - 1]


def agreement(data, same_speaker):
    rows, same = adjacent(data)
    rows = rows[same == same_speaker]
    return (data.label[rows] == data.label[rows - 1]).mean()


def nearest_mean(train, test, modality):
    x, z = train.features[modality], test.features[modality]
    means = np.stack([x[train.label == c].mean(0) for c in range(len(train.class_names))])
    return (np.square(z[:, None] - means).sum(-1).argmin(1) == test.label).mean()


# Shape.


@pytest.mark.parametrize(
    ("name", "sizes", "speakers", "longest", "mean"),
    [
        ("iemocap-sim-hard", {"train": (120, 5810), "test": (31, 1623)}, 2, 110, 49.2),
        ("meld-sim-hard", {"train": (1038, 9989), "dev": (114, 1109), "test": (280, 2610)}, 9, 33, 9.6),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_counts_are_those_of_the_corpus(name, sizes, speakers, longest, mean, seed):
    data = simulate(name, seed=seed)
    assert {s: (len(data.where(s)), data.where(s).utterances) for s in dict.fromkeys(data.split)} == sizes
    assert data.lengths.min() >= 1
    assert data.lengths.max() == longest
    assert data.lengths.mean() == pytest.approx(mean, abs=0.05)
    assert data.speakers == speakers
    assert set(data.speaker.tolist()) <= set(range(speakers))


@BOTH
def test_arrays_have_the_types_and_shapes_of_conversations(spec):
    data = simulate_spec(spec)
    assert tuple(data.features) == MODALITIES
    for m, width in zip(MODALITIES, spec.widths, strict=True):
        assert data.features[m].shape == (data.utterances, width)
        assert data.features[m].dtype == np.float32
        assert np.isfinite(data.features[m]).all()
    for array, size in ((data.label, data.utterances), (data.speaker, data.utterances), (data.offsets, len(data) + 1)):
        assert array.dtype == np.int64
        assert array.shape == (size,)
    assert data.offsets[0] == 0
    assert data.class_names == spec.class_names
    assert len(set(data.ids)) == len(data.ids) == len(data.split)


def test_iemocap_conversations_are_named_by_session():
    data = simulate("iemocap-sim-hard")
    assert "Ses01_sim007" in data.ids
    for session, split, size in (
        (1, "train", 30),
        (2, "train", 30),
        (3, "train", 30),
        (4, "train", 30),
        (5, "test", 31),
    ):
        inside = [s for name, s in zip(data.ids, data.split, strict=True) if name.startswith(f"Ses{session:02d}")]
        assert inside == [split] * size


@BOTH
def test_lengths_spread_as_fitted(spec):
    sds = [simulate_spec(spec, seed).lengths.std() for seed in range(10)]
    assert np.mean(sds) == pytest.approx(spec.length_sd, rel=0.08)


@pytest.mark.parametrize(("conversations", "utterances"), [(1, 1), (1, 7), (4, 4), (4, 28), (4, 5), (4, 27), (3, 12)])
def test_extreme_totals_are_met(conversations, utterances):
    spec = replace(MELD_SIM_HARD, splits=(SplitSize("train", conversations, utterances),), max_length=7)
    for seed in range(20):
        lengths = simulate_spec(spec, seed).lengths
        assert len(lengths) == conversations
        assert lengths.sum() == utterances
        assert lengths.min() >= 1
        assert lengths.max() == min(7, utterances - conversations + 1)


# The label chain.


@BOTH
def test_class_proportions_are_the_published_ones(spec):
    data = simulate_spec(large(spec))
    # Autocorrelation of at most ``inertia`` inflates the variance by at most (1 + ρ) / (1 − ρ).
    inflation = (1 + spec.inertia) / (1 - spec.inertia)
    se = np.sqrt(spec.prior * (1 - spec.prior) / data.utterances * inflation)
    proportions = np.bincount(data.label, minlength=len(spec.prior)) / data.utterances
    assert (abs(proportions - spec.prior) < 4 * se).all()
    first = np.bincount(data.label[data.offsets[:-1]], minlength=len(spec.prior)) / len(data)
    assert (abs(first - spec.prior) < 4 * np.sqrt(spec.prior * (1 - spec.prior) / len(data))).all()


@BOTH
@pytest.mark.parametrize("same_speaker", [True, False])
def test_labels_follow_the_stated_transition_matrix(spec, same_speaker):
    expected = spec.transition(same_speaker)
    np.testing.assert_allclose(spec.prior @ expected, spec.prior, atol=1e-12)
    np.testing.assert_allclose(expected.sum(1), 1, atol=1e-12)
    data = simulate_spec(large(spec))
    rows, same = adjacent(data)
    rows = rows[same == same_speaker]
    counts = np.zeros_like(expected)
    np.add.at(counts, (data.label[rows - 1], data.label[rows]), 1)
    n = counts.sum(1, keepdims=True)
    assert (abs(counts / n - expected) < 4.5 * np.sqrt(expected * (1 - expected) / n)).all()


@BOTH
def test_conversations_begin_independently_of_each_other(spec):
    data = simulate_spec(large(spec))
    first, before = data.offsets[1:-1], data.offsets[1:-1] - 1
    agree, chance = (data.label[first] == data.label[before]).mean(), np.square(spec.prior).sum()
    assert abs(agree - chance) < 4 * math.sqrt(chance * (1 - chance) / len(first))
    assert abs(np.corrcoef(data.speaker[first], data.speaker[before])[0, 1]) < 4 / math.sqrt(len(first))


@BOTH
def test_turns_and_casts_are_as_stated(spec):
    data = simulate_spec(large(spec, cast=(0, *spec.cast[1:])))  # no monologues
    rows, same = adjacent(data)
    assert abs(same.mean() - spec.stay) < 4 * math.sqrt(spec.stay * (1 - spec.stay) / len(rows))


def test_casts_have_the_stated_sizes():
    data = simulate_spec(large(MELD_SIM_HARD, cast=(0.5, 0.0, 0.5), stay=0.0))
    seen = np.array([len(set(data.speaker[a:b].tolist())) for a, b in itertools.pairwise(data.offsets)])
    assert abs((seen == 1).mean() - 0.5) < 4 * math.sqrt(0.25 / len(seen)) + (data.lengths < 3).mean()
    assert set(seen[data.lengths > 20].tolist()) == {1, 3}


# Emissions.


@BOTH
def test_text_says_more_than_audio_and_audio_more_than_visual(spec):
    for seed in range(3):
        data = simulate_spec(spec, seed)
        text, audio, visual = (nearest_mean(data.where("train"), data.where("test"), m) for m in MODALITIES)
        assert text > audio + 0.05
        assert audio > visual


def test_confusable_pairs_are_nearer_than_others():
    for spec in (IEMOCAP_SIM_HARD, MELD_SIM_HARD):
        pairs = {frozenset(spec.class_names.index(name) for name in pair) for pair in spec.pairs}
        emission = draw_emission(spec, 0)
        for m, signal in zip(MODALITIES, spec.signal, strict=True):
            means = emission.means[m]
            np.testing.assert_allclose(np.linalg.norm(means, axis=1), signal)
            np.testing.assert_allclose(means @ emission.axis[m], 0, atol=1e-12)
            for a, b in itertools.combinations(range(len(means)), 2):
                scale = spec.pair_gap if frozenset((a, b)) in pairs else 1.0
                assert np.linalg.norm(means[a] - means[b]) == pytest.approx(scale * signal * math.sqrt(2))


def test_features_are_mean_plus_bit_plus_speaker_plus_unit_noise():
    spec = replace(IEMOCAP_SIM_HARD, synergy=("audio", "visual"), speaker_shift=2.0)
    data, emission = simulate_spec(spec, 3), draw_emission(spec, 3)
    latents = draw_latents(spec, 3, data.label)
    for i, m in enumerate(MODALITIES):
        mean = emission.means[m][latents.shown[:, i]] + emission.shift[m][data.speaker]
        noise = data.features[m] - mean - latents.bits[:, [i]] * emission.axis[m]
        assert abs(noise.mean()) < 4 / math.sqrt(noise.size)
        assert abs(noise.var() - 1) < 4 * math.sqrt(2 / noise.size)
        correlation = np.corrcoef(noise.T)[np.triu_indices(noise.shape[1], 1)]
        assert abs(correlation).max() < 5 / math.sqrt(len(noise))
    assert not emission.axis["text"].any()


@SYNERGIES
def test_only_all_of_the_bits_together_carry_the_class(synergy):
    spec = large(IEMOCAP_SIM_HARD, synergy=synergy)
    label = simulate_spec(spec, 1).label
    bits, sign = draw_latents(spec, 1, label).bits, spec.pair_sign[label]
    columns = [MODALITIES.index(m) for m in synergy]
    assert not np.delete(bits, columns, axis=1).any()
    assert set(np.unique(bits[:, columns]).tolist()) == {-1, 1}
    paired = sign != 0
    np.testing.assert_array_equal(bits[paired][:, columns].prod(1), sign[paired])
    for order in range(1, len(synergy)):
        for subset in itertools.combinations(columns, order):
            product = bits[:, subset].prod(1)
            assert abs(product.mean()) < 4 / math.sqrt(len(product))
            assert abs(np.corrcoef(product[paired], sign[paired])[0, 1]) < 4 / math.sqrt(paired.sum())
    outside = bits[~paired][:, columns].prod(1)
    assert abs(outside.mean()) < 4 / math.sqrt(len(outside))


@SYNERGIES
def test_features_carry_the_class_of_a_pair_by_their_product_only(synergy):
    spec = replace(IEMOCAP_SIM_HARD, synergy=synergy, pair_gap=0.0, synergy_strength=2.0)
    data, emission = simulate_spec(spec, 2), draw_emission(spec, 2)
    paired = np.isin(data.label, [spec.class_names.index(name) for name in spec.pairs[1]])
    sign = spec.pair_sign[data.label][paired]
    seen = np.stack([data.features[m][paired] @ emission.axis[m] for m in synergy], axis=1)
    for order in range(1, len(synergy)):
        for subset in itertools.combinations(range(len(synergy)), order):
            assert abs(np.corrcoef(seen[:, subset].prod(1), sign)[0, 1]) < 4 / math.sqrt(paired.sum())
    assert np.corrcoef(seen.prod(1), sign)[0, 1] > 0.4


def test_no_synergy_means_no_bits():
    spec = replace(IEMOCAP_SIM_HARD, synergy=())
    assert not draw_latents(spec, 0, simulate_spec(spec).label).bits.any()


@pytest.mark.parametrize("rate", [0.0, 0.2, 1.0])
def test_conflict_has_the_stated_rate_in_one_modality_other_than_text(rate):
    spec = large(IEMOCAP_SIM_HARD, conflict_rate=rate)
    label = simulate_spec(spec).label
    odd = draw_latents(spec, 0, label).shown != label[:, None]
    assert not odd[:, 0].any()
    assert odd.sum(1).max(initial=0) == (rate > 0)
    for share, expected in ((odd.any(1).mean(), rate), (odd[:, 1].mean(), rate / 2), (odd[:, 2].mean(), rate / 2)):
        assert abs(share - expected) <= 4 * math.sqrt(expected * (1 - expected) / len(label))


def test_conflict_shows_every_other_class_equally_often_and_independently_of_place():
    spec = large(IEMOCAP_SIM_HARD, conflict_rate=0.5)
    label = simulate_spec(spec).label
    shown = draw_latents(spec, 0, label).shown[:, 1]
    odd = shown != label
    ahead = np.bincount((shown - label)[odd] % 6, minlength=6)[1:] / odd.sum()
    assert (abs(ahead - 0.2) < 4 * math.sqrt(0.16 / odd.sum())).all()
    assert abs(np.corrcoef(odd[:-1], odd[1:])[0, 1]) < 4 / math.sqrt(len(odd))


# Randomness.


def assert_same(a, b, modalities=MODALITIES):
    for m in modalities:
        np.testing.assert_array_equal(a.features[m], b.features[m])
    np.testing.assert_array_equal(a.label, b.label)
    np.testing.assert_array_equal(a.speaker, b.speaker)
    np.testing.assert_array_equal(a.offsets, b.offsets)


@pytest.mark.parametrize("name", SPECS)
def test_the_same_seed_gives_the_same_bits(name):
    assert_same(simulate(name, seed=5), simulate_spec(SPECS[name], np.int64(5)))
    assert simulate(name, seed=5).ids == simulate(name, seed=6).ids


@pytest.mark.parametrize("name", SPECS)
def test_another_seed_gives_another_corpus(name):
    a, b = simulate(name, seed=5), simulate(name, seed=6)
    assert (a.offsets != b.offsets).any()
    for x, y in ((a.label, b.label), (a.speaker, b.speaker), *((a.features[m], b.features[m]) for m in MODALITIES)):
        assert (x != y).mean() > 0.3


def test_one_purpose_leaves_the_others_alone():
    base = simulate("iemocap-sim-hard")
    assert_same(base, simulate("iemocap-sim-hard", widths=(64, 33, 16)), ("text", "visual"))
    assert_same(base, simulate("iemocap-sim-hard", signal=(1.25, 0.1, 0.5)), ("text", "visual"))
    assert_same(base, simulate("iemocap-sim-hard", conflict_rate=0.9), ("text",))
    assert_same(base, simulate("iemocap-sim-hard", synergy=("text", "visual")), ("text",))
    chain = simulate("iemocap-sim-hard", inertia=0.0)
    np.testing.assert_array_equal(base.speaker, chain.speaker)
    np.testing.assert_array_equal(base.offsets, chain.offsets)


def test_streams_are_uncorrelated():
    silent = {"signal": (0.0, 0.0, 0.0), "synergy": (), "speaker_shift": 0.0, "widths": (8, 8, 8)}
    noise = [simulate(name, **silent).features[m][:6000].ravel() for name in SPECS for m in MODALITIES]
    noise.append(simulate("iemocap-sim-hard", seed=1, **silent).features["text"][:6000].ravel())
    correlation = np.corrcoef(noise)[np.triu_indices(len(noise), 1)]
    assert abs(correlation).max() < 4.5 / math.sqrt(noise[0].size)


# Knobs.


def distance_of_pair(data):
    x = data.features["text"]
    return np.linalg.norm(x[data.label == 0].mean(0) - x[data.label == 4].mean(0))


@pytest.mark.parametrize(
    ("knob", "value", "statistic"),
    [
        ("stay", 0.9, lambda d: adjacent(d)[1].mean()),
        ("inertia", 0.95, lambda d: agreement(d, True)),
        ("contagion", 0.9, lambda d: agreement(d, False)),
        ("length_sd", 25.0, lambda d: d.lengths.std()),
        ("max_length", 200, lambda d: d.lengths.max()),
        ("cast", (0, 0, 0, 1), lambda d: len(np.unique(d.speaker))),
        ("class_counts", (9000, 1084, 1708, 1103, 1041, 1849), lambda d: (d.label == 0).mean()),
        ("signal", (3.0, 0.75, 0.5), lambda d: nearest_mean(d.where("train"), d.where("test"), "text")),
        ("signal", (1.25, 3.0, 0.5), lambda d: nearest_mean(d.where("train"), d.where("test"), "audio")),
        ("signal", (1.25, 0.75, 3.0), lambda d: nearest_mean(d.where("train"), d.where("test"), "visual")),
        ("conflict_rate", 0.0, lambda d: nearest_mean(d.where("train"), d.where("test"), "audio")),
        ("synergy_strength", 4.0, lambda d: d.features["audio"].var(0).sum()),
        ("synergy", MODALITIES, lambda d: d.features["visual"].var(0).sum()),
        ("speaker_shift", 3.0, lambda d: d.features["visual"].var(0).sum()),
        ("pair_gap", 1.0, distance_of_pair),
        ("pairs", (), distance_of_pair),
        ("widths", (96, 32, 16), lambda d: d.features["text"].shape[1]),
    ],
)
def test_a_knob_moves_what_it_names(knob, value, statistic):
    assert statistic(simulate("iemocap-sim-hard", **{knob: value})) > 1.02 * statistic(simulate("iemocap-sim-hard"))


def test_widths_below_the_number_of_classes_work():
    data = simulate("meld-sim-hard", widths=(1, 2, 3))
    assert [data.features[m].shape[1] for m in MODALITIES] == [1, 2, 3]


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        *(
            (knob, value)
            for knob in ("stay", "inertia", "contagion", "conflict_rate", "pair_gap")
            for value in (-0.1, 1.1, math.nan)
        ),
        ("synergy_strength", -1.0),
        ("synergy_strength", math.inf),
        ("speaker_shift", -0.1),
        ("length_sd", 0.0),
        ("widths", (64, 0, 16)),
        ("widths", (64, 32)),
        ("widths", (64.0, 32, 16)),
        ("signal", (1.0, -1.0, 1.0)),
        ("signal", (1.0, math.nan, 1.0)),
        ("synergy", ("text", "smell")),
        ("synergy", ("text", "text")),
        ("cast", ()),
        ("cast", (0, 0)),
        ("cast", (1, -1)),
        ("class_names", ("happy",)),
        ("class_names", ("happy", "sad", "sad", "angry", "excited", "frustrated")),
        ("class_counts", (1, 2)),
        ("class_counts", (0, 1, 1, 1, 1, 1)),
        ("pairs", (("happy", "hapy"),)),
        ("pairs", (("happy", "sad"), ("sad", "angry"))),
        ("splits", ()),
        ("splits", (SplitSize("valid", 1, 1),)),
        ("splits", (SplitSize("train", 2, 1),)),
        ("splits", (SplitSize("train", 2, 221),)),
        ("splits", (SplitSize("train", 2, 9), SplitSize("train", 2, 9))),
        ("splits", (SplitSize("train", 2, 9, (1,)), SplitSize("test", 2, 9, (1,)))),
        ("max_length", 10),
    ],
)
def test_an_impossible_knob_is_refused_in_one_line(knob, value):
    with pytest.raises(UserError) as error:
        simulate("iemocap-sim-hard", **{knob: value})
    message = str(error.value)
    assert "\n" not in message
    assert ("splits" if knob == "max_length" else knob) in message
    assert "must be" in message


def test_what_is_unknown_is_refused_with_a_suggestion():
    with pytest.raises(UserError, match=r"iemocap_sim.*did you mean 'iemocap-sim'"):
        simulate("iemocap_sim")
    with pytest.raises(UserError, match="known are iemocap-sim, meld-sim, iemocap-sim-hard, meld-sim-hard"):
        simulate("zzz")
    with pytest.raises(UserError, match=r"inertias.*did you mean 'inertia'"):
        simulate("meld-sim-hard", inertias=0.5)
    for seed in (-1, 1.5, None):
        with pytest.raises(UserError, match=f"seed is {seed}"):
            simulate("meld-sim-hard", seed=seed)


# Difficulty.


@pytest.mark.parametrize(
    ("spec", "linear_range", "oracle_range"),
    [(IEMOCAP_SIM_HARD, (49, 56), (65, 73)), (MELD_SIM_HARD, (49, 56), (60, 67))],
    ids=["iemocap-sim-hard", "meld-sim-hard"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_context_and_synergy_leave_room_above_a_linear_model_of_utterances(spec, linear_range, oracle_range, seed):
    data = simulate_spec(spec, seed)
    train, test = data.where("train"), data.where("test")
    x, z = (np.concatenate(list(part.features.values()), axis=1) for part in (train, test))
    guess = LogisticRegression(C=0.1, max_iter=1000).fit(x, train.label).predict(z)
    linear = 100 * f1_score(test.label, guess, average="weighted")
    alone, oracle = (
        100
        * f1_score(
            test.label,
            posterior(spec, draw_emission(spec, seed), test.features, test.speaker, offsets).argmax(1),
            average="weighted",
        )
        for offsets in (None, test.offsets)
    )
    assert linear_range[0] < linear < linear_range[1]
    assert oracle_range[0] < oracle < oracle_range[1]
    assert linear + 4 < alone  # what synergy and conflict hold
    assert alone + 1.5 < oracle  # what the label chain holds
