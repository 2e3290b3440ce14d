import itertools
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from benchmark.base.errors import UserError
from benchmark.data.simulation import ceilings as module
from benchmark.data.simulation.ceilings import SUBSETS, ceilings, draw_fresh, measure_ceilings, span
from benchmark.data.simulation.emissions import draw_emission
from benchmark.data.simulation.f1_rule import Rule, best_f1_rule, expected_f1
from benchmark.data.simulation.posterior import evidence, posterior
from benchmark.data.simulation.simulator import IEMOCAP_SIM_HARD, MELD_SIM_HARD, simulate_spec
from benchmark.data.simulation.spec import MODALITIES, SplitSize

SMALL = replace(IEMOCAP_SIM_HARD, splits=(SplitSize("train", 2, 20), SplitSize("test", 40, 400)), max_length=15)


def by_name(rows):
    return {(row.modalities, row.context): row for row in rows}


@pytest.fixture(scope="module")
def small():
    return by_name(measure_ceilings(SMALL, 0, 20_000))


def test_there_is_a_row_for_every_subset_with_and_without_context(small):
    assert list(small) == [(subset, context) for subset in SUBSETS for context in (True, False)]
    assert len(SUBSETS) == 7
    assert next(iter(small)) == (MODALITIES, True)


def test_to_see_more_is_never_worse(small):
    for (modalities, context), row in small.items():
        for other, more in small.items():
            if set(modalities) <= set(other[0]) and context <= other[1]:
                for score in ("accuracy", "weighted_f1"):
                    slack = 4 * np.hypot(getattr(row, f"{score}_se"), getattr(more, f"{score}_se"))
                    assert getattr(more, score) >= getattr(row, score) - slack


def test_the_ceiling_of_two_classes_and_one_modality_is_the_textbook_one():
    """Two equally likely Gaussians at a distance d: accuracy Φ(d / 2), and by symmetry the same weighted F1."""
    spec = replace(
        SMALL, class_names=("a", "b"), class_counts=(1, 1), pairs=(), synergy=(), conflict_rate=0.0, inertia=0.0,
        contagion=0.0, signal=(1.0, 0.5, 0.25),
    )  # fmt: skip
    rows = by_name(measure_ceilings(spec, 0, 60_000))
    for modalities, squared in ((("text",), 2.0), (("audio",), 0.5), (("text", "audio"), 2.5), (("visual",), 0.125)):
        expected = norm.cdf(np.sqrt(squared) / 2)
        for context in (True, False):
            row = rows[modalities, context]
            assert abs(row.accuracy - expected) < 4 * row.accuracy_se
            assert abs(row.weighted_f1 - expected) < 4 * row.weighted_f1_se
            assert 0.0003 < row.accuracy_se < 0.004


def test_a_synergy_of_all_three_is_hidden_from_any_two():
    """The pair's means coincide, so only the product of three bits tells its classes apart."""
    spec = replace(
        SMALL, class_names=("a", "b"), class_counts=(1, 1), pairs=(("a", "b"),), pair_gap=0.0, synergy=MODALITIES,
        synergy_strength=3.0,
    )  # fmt: skip
    rows = by_name(measure_ceilings(spec, 0, 20_000))
    for (modalities, context), row in rows.items():
        if modalities == MODALITIES:
            assert row.accuracy > 0.99
        elif not context:
            assert abs(row.accuracy - 0.5) < 4 * row.accuracy_se


# Without the synergy.


def test_who_does_not_know_the_product_of_the_bits_has_the_textbook_ceiling_of_the_means_alone():
    """A pair whose text and audio have a bit each: without their product there are two Gaussians, as with no bits."""
    spec = replace(
        SMALL, class_names=("a", "b"), class_counts=(1, 1), pairs=(("a", "b"),), pair_gap=0.8, conflict_rate=0.0,
        inertia=0.0, contagion=0.0, signal=(1.0, 0.5, 0.25), synergy=("text", "audio"), synergy_strength=2.0,
    )  # fmt: skip
    row = by_name(measure_ceilings(spec, 0, 60_000, subsets=[MODALITIES]))[MODALITIES, False]
    expected = norm.cdf(0.8 * np.sqrt(2 * (1 + 0.25 + 0.0625)) / 2)  # half the distance of the pair's means
    assert abs(row.weighted_f1_without_synergy - expected) < 4 * row.weighted_f1_without_synergy_se
    assert 0.0003 < row.weighted_f1_without_synergy_se < 0.004
    assert row.weighted_f1 > expected + 0.05


@pytest.mark.parametrize("context", [True, False])
def test_not_to_know_the_product_is_to_see_one_modality_up_to_a_reflection(context):
    """Reflected along the axis of its bit, an utterance is as likely to have come: both ways are summed over."""
    (row,) = measure_ceilings(SMALL, 2, 20_000, subsets=[MODALITIES], contexts=[context])
    core = span(draw_emission(SMALL, 2))
    unit = core.axis["text"] / np.linalg.norm(core.axis["text"])

    def judged(purpose):
        for data in draw_fresh(SMALL, 2, purpose, 20_000, MODALITIES):
            x = data.features["text"].astype(np.float64)
            mirrored = {**data.features, "text": x - 2 * (x @ unit)[:, None] * unit}
            ways = [evidence(SMALL, core, seen, data.speaker)[0] for seen in (data.features, mirrored)]
            joint = np.logaddexp(*ways)
            joint = np.exp(joint - joint.max(0)).T * SMALL.prior
            if context:  # forward-backward, utterance by utterance
                for begin, end in itertools.pairwise(data.offsets):
                    joint[begin:end] = smoothed(joint[begin:end] / SMALL.prior, data.speaker[begin:end])
            yield data.label, joint / joint.sum(1, keepdims=True)

    def smoothed(likelihood, speaker):
        steps = [SMALL.transition(same) for same in (speaker[1:] == speaker[:-1]).tolist()]
        ahead, behind = [SMALL.prior * likelihood[0]], [np.ones(len(SMALL.prior))]
        for step, seen in zip(steps, likelihood[1:], strict=True):
            ahead.append((ahead[-1] @ step) * seen)
            ahead[-1] /= ahead[-1].sum()
        for step, seen in zip(steps[::-1], likelihood[:0:-1], strict=True):
            behind.append(step @ (seen * behind[-1]))
            behind[-1] /= behind[-1].sum()
        return np.array(ahead) * np.array(behind[::-1])

    rule = best_f1_rule(np.concatenate([p for _, p in judged("optimise")]).astype(np.float32))
    measured = [(label, rule.predict(p)) for label, p in judged("measure")]
    label, predicted = (np.concatenate(each) for each in zip(*measured, strict=True))
    found = f1_score(label, predicted, average="weighted")
    assert row.weighted_f1_without_synergy == pytest.approx(found, abs=5e-4)
    assert row.weighted_f1 > found + 0.05


def test_the_ceiling_without_the_synergy_is_the_ceiling_of_the_corpus_without_one(small):
    plain = by_name(measure_ceilings(replace(SMALL, synergy=()), 0, 20_000, subsets=[MODALITIES]))
    for context in (True, False):
        row, other = small[MODALITIES, context], plain[MODALITIES, context]
        assert row.weighted_f1_without_synergy == pytest.approx(other.weighted_f1, abs=5e-4)
        assert row.weighted_f1_without_synergy_se == pytest.approx(other.weighted_f1_se, rel=0.05)


def test_the_error_of_what_the_synergy_gives_is_that_of_repeated_measurement():
    rows = [measure_ceilings(SMALL, seed, 4_000, subsets=[MODALITIES], contexts=[False])[0] for seed in range(40)]
    gains = np.array([row.weighted_f1 - row.weighted_f1_without_synergy for row in rows])
    said = np.sqrt(np.mean([row.weighted_f1_synergy_se**2 for row in rows]))
    assert said / gains.std(ddof=1) == pytest.approx(1, abs=0.4)
    assert all(
        row.weighted_f1_synergy_se < np.hypot(row.weighted_f1_se, row.weighted_f1_without_synergy_se) for row in rows
    )


@pytest.mark.parametrize(
    ("knobs", "subset"),
    [
        ({"synergy": ()}, MODALITIES),
        ({"synergy": ("audio",)}, MODALITIES),  # a bit of one modality is no product
        ({"synergy_strength": 0.0}, MODALITIES),
        ({"pairs": ()}, MODALITIES),
        ({}, ("text", "visual")),  # the product is of text and audio
    ],
    ids=str,
)
def test_where_no_product_can_be_seen_nothing_is_planted(knobs, subset):
    (row,) = measure_ceilings(replace(SMALL, **knobs), 0, 640, subsets=[subset], contexts=[True])
    assert row.weighted_f1_without_synergy == row.weighted_f1
    assert row.weighted_f1_without_synergy_se == row.weighted_f1_se
    assert row.weighted_f1_synergy_se == 0


def test_conflict_lowers_the_ceilings_of_audio_and_visual_only(monkeypatch):
    monkeypatch.setattr(module, "SUBSETS", [(m,) for m in MODALITIES])

    def at(rate):
        return by_name(measure_ceilings(replace(SMALL, conflict_rate=rate), 0, 20_000))

    low, high = at(0.0), at(0.9)
    for m in ("audio", "visual"):
        assert high[(m,), True].accuracy < low[(m,), True].accuracy - 0.01
    text = low[("text",), True], high[("text",), True]
    assert abs(text[0].accuracy - text[1].accuracy) < 4 * np.hypot(text[0].accuracy_se, text[1].accuracy_se)


def test_the_test_set_at_hand_is_scored_by_the_same_rules(small):
    test = simulate_spec(SMALL, 0).where("test")
    p = posterior(SMALL, draw_emission(SMALL, 0), test.features, test.speaker, test.offsets)
    row = small[MODALITIES, True]
    assert row.test_accuracy == pytest.approx(accuracy_score(test.label, p.argmax(1)), abs=1e-12)
    assert abs(row.test_weighted_f1 - f1_score(test.label, p.argmax(1), average="weighted")) < 0.05


def test_scores_of_counts_are_those_of_sklearn():
    rng = np.random.default_rng(0)
    label, predicted = rng.integers(0, 3, (2, 200))  # class 3 never occurs
    counts = confusion_matrix(label, predicted, labels=range(4))
    assert module._accuracy(counts) == pytest.approx(accuracy_score(label, predicted))
    assert module._weighted_f1(counts) == pytest.approx(f1_score(label, predicted, average="weighted"))


@pytest.mark.parametrize("seed", [0, 3])
def test_fresh_utterances_are_those_of_the_corpus_seen_through_fewer_directions(seed):
    spec = replace(IEMOCAP_SIM_HARD, splits=(SplitSize("test", 10, 400),))
    emission = draw_emission(spec, seed)
    core, data = span(emission), simulate_spec(spec, seed)
    seen = {}
    for m in MODALITIES:
        assert core.means[m].shape == (6, 7)
        pairwise = [np.linalg.norm(e.means[m][:, None] - e.means[m] + e.axis[m], axis=-1) for e in (emission, core)]
        np.testing.assert_allclose(*pairwise, atol=1e-12)
        rows = np.vstack([emission.means[m], emission.axis[m]])
        basis = np.linalg.pinv(rows) @ np.vstack([core.means[m], core.axis[m]])
        x = data.features[m] - emission.shift[m][data.speaker]
        seen[m] = x @ basis
    np.testing.assert_allclose(
        posterior(spec, core, seen, data.speaker, data.offsets),
        posterior(spec, emission, data.features, data.speaker, data.offsets),
        atol=1e-6,
    )


def test_fresh_utterances_are_independent_of_each_other_and_as_many_as_asked():
    drawn = {purpose: list(draw_fresh(SMALL, 0, purpose, 20_000, ("text",))) for purpose in ("optimise", "measure")}
    for chunks in drawn.values():
        assert len(chunks) == 32
        assert sum(data.utterances for data in chunks) == pytest.approx(20_000, rel=0.05)
    noise = [data.features["text"][:400].ravel() for data in itertools.chain(*drawn.values())]
    assert abs(np.corrcoef(noise)[np.triu_indices(len(noise), 1)]).max() < 0.12


def test_memory_is_bounded_by_chunks():
    assert max(data.utterances for data in draw_fresh(MELD_SIM_HARD, 0, "measure", 2_000_000, ())) < 1.01 * module.CHUNK


# The rule.


@pytest.mark.parametrize("sharpness", [0.02, 0.2, 1.0], ids=["weak", "middling", "strong"])
def test_no_other_rule_beats_the_best_f1_rule(sharpness):
    rng = np.random.default_rng(0)
    prior = np.array([0.47, 0.17, 0.12, 0.12, 0.07, 0.05])
    evidence = rng.normal(size=(20_000, 6)) * 3 * sharpness
    p = prior * np.exp(evidence)
    p /= p.sum(1, keepdims=True)
    best = best_f1_rule(p)
    highest = expected_f1(best, p)
    for _ in range(200):
        weights = p.mean(0) ** -rng.uniform(0, 1) * np.exp(rng.normal(0, 0.2, 6))
        assert expected_f1(Rule(weights, np.zeros(6)), p) < highest + 1e-3
        near = Rule(best.gain * np.exp(rng.normal(0, 0.05, 6)), best.cost + rng.normal(0, 0.01, 6))
        assert expected_f1(near, p) < highest + 1e-3


def test_expected_f1_is_that_of_sklearn_averaged_over_labels():
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.full(4, 0.3), 100_000)
    label = (p.cumsum(1) < rng.random((len(p), 1))).sum(1)
    rule = Rule(np.array([1.0, 2.0, 0.7, 1.0]), np.array([0.1, 0.0, 0.0, 0.2]))
    found = f1_score(label, rule.predict(p), average="weighted")
    assert expected_f1(rule, p) == pytest.approx(found, abs=0.005)


# Asking.


def test_a_second_question_is_answered_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SUBSETS", [("visual",)])
    monkeypatch.setenv("CSSBENCH_CACHE", str(tmp_path))
    first = ceilings(SMALL, 1, 2000)
    (file,) = tmp_path.rglob("*.json")
    assert file.name.startswith("iemocap-sim-hard-")
    with monkeypatch.context() as patch:
        patch.setattr(module, "measure_ceilings", None)
        assert ceilings(SMALL, 1, 2000) == first
    others = ceilings(SMALL, 2, 2000), ceilings(replace(SMALL, stay=0.5), 1, 2000), ceilings(SMALL, 1, 2500)
    assert len(list(tmp_path.rglob("*.json"))) == 4
    assert all(other != first for other in others)


def test_the_same_seed_gives_the_same_numbers(monkeypatch):
    monkeypatch.setattr(module, "SUBSETS", [("visual",), MODALITIES])
    assert list(map(asdict, measure_ceilings(SMALL, 5, 1000))) == list(map(asdict, measure_ceilings(SMALL, 5, 1000)))


def test_a_corpus_without_a_test_split_is_refused():
    with pytest.raises(UserError, match="no test split"):
        measure_ceilings(replace(SMALL, splits=(SplitSize("train", 2, 20),)), 0, 1000)
