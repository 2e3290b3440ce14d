import math
from dataclasses import replace

import numpy as np
import pytest

from benchmark.base.errors import UserError
from benchmark.data.simulation import leakage as module
from benchmark.data.simulation.emissions import draw_latents
from benchmark.data.simulation.simulator import MELD_SIM_HARD, SPECS, simulate, simulate_spec
from benchmark.data.simulation.spec import MODALITIES, SplitSize

SHARE = (0.0, 0.25, 0.6)


@pytest.fixture(scope="module", params=["iemocap-sim-hard", "meld-sim-hard"])
def corpora(request):
    return SPECS[request.param], simulate(request.param, seed=2), simulate(request.param, seed=2, leakage=SHARE)


def rows_of(data, split):
    return np.flatnonzero(np.repeat(data.split, data.lengths) == split)


def test_the_stated_share_of_test_vectors_are_copies_and_nothing_else_changes(corpora):
    _, clean, leaky = corpora
    test = rows_of(clean, "test")
    for m, share in zip(MODALITIES, SHARE, strict=True):
        changed = (clean.features[m] != leaky.features[m]).any(1)
        assert not np.delete(changed, test).any()
        # A rare twin may not exist, so the share may fall a little short.
        slack = 4 * math.sqrt(share * (1 - share) / len(test))
        assert share - slack - 0.03 <= changed.mean() * len(changed) / len(test) <= share + slack
    for name in ("label", "speaker", "offsets"):
        np.testing.assert_array_equal(getattr(clean, name), getattr(leaky, name))
    assert (clean.ids, clean.split) == (leaky.ids, leaky.split)


def test_a_copy_is_of_a_training_utterance_alike_in_all_but_noise_and_speaker(corpora):
    spec, _, leaky = corpora
    latents = draw_latents(spec, 2, leaky.label)
    train, test = rows_of(leaky, "train"), rows_of(leaky, "test")
    for column, m in enumerate(MODALITIES[1:], 1):
        where = {leaky.features[m][row].tobytes(): row for row in train}
        copies = [(row, where[key]) for row in test if (key := leaky.features[m][row].tobytes()) in where]
        assert copies
        ours, theirs = np.array(copies).T
        np.testing.assert_array_equal(leaky.label[ours], leaky.label[theirs])
        assert len(set(theirs.tolist())) > len(ours) / 4
        np.testing.assert_array_equal(latents.shown[ours, column], latents.shown[theirs, column])
        np.testing.assert_array_equal(latents.bits[ours, column], latents.bits[theirs, column])


def test_leaks_of_one_modality_leave_those_of_another_alone():
    both, one = (simulate("iemocap-sim-hard", leakage=share) for share in ((0.0, 0.5, 0.5), (0.0, 0.0, 0.5)))
    np.testing.assert_array_equal(both.features["visual"], one.features["visual"])


def test_by_default_nothing_leaks():
    assert MELD_SIM_HARD.leakage == (0, 0, 0)
    data = simulate("meld-sim-hard")
    for m in MODALITIES:
        assert len(np.unique(data.features[m], axis=0)) == data.utterances


def test_copies_come_from_the_first_training_utterances(monkeypatch):
    monkeypatch.setattr(module, "POOL", 500)
    data = simulate("meld-sim-hard", leakage=(0.0, 0.0, 1.0))
    x = data.features["visual"]
    source = {row.tobytes(): i for i, row in enumerate(x[rows_of(data, "train")])}
    found = [source.get(row.tobytes(), -1) for row in x[rows_of(data, "test")]]
    assert 100 < max(found) < 500
    assert -1 in found  # no twin among so few


@pytest.mark.parametrize("leakage", [(0.1, 0.1), (0, 0, 1.5), (0, -0.1, 0), (0, 0, math.nan)])
def test_an_impossible_share_is_refused(leakage):
    with pytest.raises(UserError, match=r"leakage is .* must be three numbers in"):
        simulate("meld-sim-hard", leakage=leakage)


@pytest.mark.parametrize("splits", [("test",), ("train", "dev"), ("test", "train")])
def test_leakage_needs_a_train_split_before_a_test_split(splits):
    sizes = tuple(SplitSize(name, 2, 9) for name in splits)
    with pytest.raises(UserError, match="train before a test"):
        simulate_spec(replace(MELD_SIM_HARD, splits=sizes, leakage=(0, 0, 0.1)))
