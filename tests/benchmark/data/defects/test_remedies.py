"""Each remedy on corpora that have its defect: it goes, exact counts are recorded, and all else keeps its bits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.audit import audit, audit_file, pages
from benchmark.base.errors import DataError
from benchmark.data import Conversations, simulate
from benchmark.data.datasets import dataset
from benchmark.data.defects.remedies import REMEDIES, remedied
from benchmark.data.inputs import Inputs
from tests.benchmark.data.defects.corpora import first_rows, leak_visual, rows_of

ALL = tuple(REMEDIES)


def counts(found):
    return {change.remedy: change.counts for change in found.changes}


def read_only(c):
    """The same, as if mapped into memory: an array that is written to raises."""
    for x in c.features.values():
        x.setflags(write=False)
    return c


def test_melds_visual_defect_goes_and_all_else_keeps_its_bits(meld):
    leak_visual(meld)
    before = audit(meld, "meld")
    assert {f.remedy for f in before.defects} == {"zero-leaked", None}
    found = remedied(read_only(meld), ("zero-leaked",))
    assert counts(found) == {"zero-leaked": {"dev visual vectors": 609, "test visual vectors": 1548}}

    mended = found.conversations
    after = audit(mended, "meld")
    assert [f.check for f in after.defects] == ["vectors"]  # so many vectors are all-zero
    assert {s: c.zero for s, c in after.vectors["visual"].items()} == {"train": 3407, "dev": 704, "test": 1806}
    assert not any(copies.identical or copies.near for copies in after.copies["visual"].values())
    assert all(mended.features[m] is meld.features[m] for m in ("text", "audio"))  # not copied: they may be mapped
    old, new = meld.features["visual"], mended.features["visual"]
    changed = (old != new).any(axis=1)
    assert changed.sum() == 609 + 1548
    assert not changed[rows_of(meld, "train")].any()
    assert not new[changed].any()
    assert (found.rows == np.arange(meld.utterances)).all()


def test_a_clean_corpus_is_left_as_it_is(iemocap):
    found = remedied(read_only(iemocap), ALL)
    assert not any(counts(found).values())
    assert all(found.conversations.features[m] is x for m, x in iemocap.features.items())
    assert [str(change) for change in found.changes] == ["nothing"] * 3


def test_vectors_that_repeat_everywhere_are_no_leak(meld):
    coarse = np.random.default_rng(3).integers(0, 3000, meld.utterances)
    meld.features["text"] = np.random.default_rng(4).standard_normal((3000, 12)).astype(np.float32)[coarse]
    assert counts(remedied(meld, ALL))["zero-leaked"] == {}


def test_rounded_copies_are_leaks_too_and_so_are_those_of_dev_in_test(meld):
    train, dev, test = (first_rows(meld, split, 16) for split in ("train", "dev", "test"))
    x = meld.features["visual"]
    x[test[:8]] = x[train[:8]].astype(np.float16)
    x[test[8:]] = x[dev[8:]]
    found = remedied(meld, ("zero-leaked",))
    assert counts(found) == {"zero-leaked": {"test visual vectors": 16}}
    assert audit(found.conversations, "meld").defects == ()


def test_a_leak_that_a_leak_of_dev_made_look_like_coincidence_goes_too(meld):
    train, dev = (rows_of(meld, split) for split in ("train", "dev"))
    x = meld.features["visual"]
    x[dev[:200]] = x[train[5]]  # one vector in several conversations of dev: there, repeating is usual
    x[first_rows(meld, "test", 8)] = x[dev[200:208]]
    assert not any("identical to a dev vector" in f.message for f in audit(meld, "meld").defects)
    found = counts(remedied(meld, ("zero-leaked",)))
    assert found["zero-leaked"] == {"dev visual vectors": 200, "test visual vectors": 8}


def test_utterances_copied_whole_are_zeroed_though_each_modality_repeats_by_itself(meld):
    rng = np.random.default_rng(6)
    for m, width in (("text", 12), ("audio", 8), ("visual", 342)):
        meld.features[m] = rng.standard_normal((400, width)).astype(np.float32)[rng.integers(0, 400, meld.utterances)]
    assert counts(remedied(meld, ("zero-leaked",)))["zero-leaked"] == {}
    train, test = (first_rows(meld, split, 9) for split in ("train", "test"))
    for x in meld.features.values():
        x[test] = x[train]
    assert counts(remedied(meld, ("zero-leaked",)))["zero-leaked"] == {f"test {m} vectors": 9 for m in meld.features}


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_numbers_that_are_none_become_0_and_the_others_of_the_vector_stay(iemocap, bad):
    x = iemocap.features["audio"]
    rows = [rows_of(iemocap, "train")[0], rows_of(iemocap, "test")[2]]
    x[rows, 1:3] = bad
    x.view(np.uint32)[rows[0], 1] = 0x7F800001  # a signalling NaN
    found = remedied(read_only(iemocap), ("zero-non-finite",))
    assert counts(found) == {"zero-non-finite": {"train audio numbers": 2, "test audio numbers": 2}}
    new = found.conversations.features["audio"]
    assert not new[rows, 1:3].any()
    new = new.copy()
    new[rows, 1:3] = x[rows, 1:3]
    assert new.tobytes() == x.tobytes()
    assert audit(found.conversations, "iemocap").defects == ()


def of_length(c, split, size):
    return [b for b in range(len(c)) if c.split[b] == split and c.lengths[b] == size]


def copy_conversation(c, source, target):
    for x in c.features.values():
        x[slice(*c.offsets[target : target + 2])] = x[slice(*c.offsets[source : source + 2])]


def test_conversations_that_are_copies_are_left_out_of_the_later_split(meld):
    size = next(n for n in range(3, 33) if all(len(of_length(meld, s, n)) > 1 for s in ("train", "dev", "test")))
    (a, within), (dev, _), (first, second) = (of_length(meld, s, size)[:2] for s in ("train", "dev", "test"))
    for target in (within, dev, first):
        copy_conversation(meld, a, target)
    found = remedied(meld, ALL)
    assert counts(found)["drop-copied-conversations"] == {
        "dev conversations": 1,
        "test conversations": 1,
        "dev utterances": size,
        "test utterances": size,
    }
    assert counts(found)["zero-leaked"] == {}  # nothing is left of them
    kept = [b for b in range(len(meld)) if b not in (dev, first)]
    assert found.conversations.ids == tuple(meld.ids[b] for b in kept)
    assert second in kept
    assert (found.rows == meld.rows(kept)).all()
    assert (found.conversations.label == meld.label[found.rows]).all()
    assert {f.check for f in audit(found.conversations, "meld").defects} == {"counts"}


def test_simulated_leakage_is_undone_exactly():
    clean, leaking = (simulate("meld-sim-hard", leakage=(0, 0, p)) for p in (0.0, 0.3))
    copied = (clean.features["visual"] != leaking.features["visual"]).any(axis=1)
    assert counts(remedied(leaking, ALL))["zero-leaked"] == {"test visual vectors": int(copied.sum())}


@given(st.data())
@settings(max_examples=60)
def test_twice_is_once(data):
    """Small corpora of few different vectors, zeros, NaN and near copies: everything there is to do at once."""
    lengths = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=9))
    split = tuple(data.draw(st.sampled_from(("train", "dev", "test"))) for _ in lengths)
    n, offsets = sum(lengths), np.concatenate([[0], np.cumsum(lengths)])
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    features = {}
    for m, width in (("text", 2), ("audio", 1), ("visual", 3)):
        pool = rng.standard_normal((data.draw(st.integers(2, 12)), width))
        pool[0] = 0
        x = pool[rng.integers(0, len(pool), n)] + rng.choice([0, 1e-4], (n, 1), p=[0.8, 0.2])
        x[rng.random(n) < 0.05] = np.nan
        features[m] = x.astype(np.float32)
    label = np.zeros(n, np.int64)
    c = Conversations(features, label, label, offsets, tuple(map(str, range(len(lengths)))), split, ("a", "b"), 1)
    names = tuple(name for name in ALL if data.draw(st.booleans()))
    once = remedied(c, names)
    twice = remedied(once.conversations, names)
    assert not any(counts(twice).values())
    assert twice.conversations.ids == once.conversations.ids
    for m, x in once.conversations.features.items():
        assert twice.conversations.features[m].tobytes() == x.tobytes()
    remedies = {f.remedy for f in audit(once.conversations).defects}
    assert not remedies & set(names)


# Through files and data sets.


def test_an_audit_after_remedies_says_what_they_changed(leaking):
    path, _ = leaking
    found = audit_file(path, Inputs(remedies=ALL))
    assert [change.remedy for change in found.remedies] == list(ALL)
    assert found.as_dict()["remedies"][2]["counts"] == {"dev visual vectors": 609, "test visual vectors": 1548}
    assert not any(copies.identical for copies in found.copies["visual"].values())
    assert found.sha256 == audit_file(path).sha256
    assert "609 dev visual vectors, 1548 test visual vectors" in pages.html(found)
    assert "drop-copied-conversations" not in pages.html(audit_file(path))


def test_sentences_go_with_their_conversations(meld, write):
    size = next(n for n in range(3, 33) if all(of_length(meld, s, n) for s in ("train", "test")))
    a, b = of_length(meld, "train", size)[0], of_length(meld, "test", size)[0]
    copy_conversation(meld, a, b)
    sentences = [f"sentence {row}" for row in range(meld.utterances)]
    sentences[slice(*meld.offsets[a : a + 2])] = [""] * size
    path = write(meld, sentences)
    assert audit_file(path).sentences.utterances == meld.utterances - size
    found = audit_file(path, Inputs(remedies=("drop-copied-conversations",)))
    assert found.sentences.utterances == meld.utterances - 2 * size


def test_an_audit_is_of_the_modalities_and_the_view_that_are_used(leaking):
    found = audit_file(leaking[0], Inputs(modalities=("text", "audio"), text_view="concat"))
    assert found.widths == {"text": 48, "audio": 8}
    assert found.defects == ()


def test_a_data_set_is_loaded_after_its_remedies_and_has_another_fingerprint(leaking):
    plain, mended = (dataset("meld", leaking[0].parent, Inputs(remedies=r)) for r in ((), ("zero-leaked",)))
    assert plain.load_remedied()[1] == ()
    c, (change,) = mended.load_remedied()
    assert change.counts == {"dev visual vectors": 609, "test visual vectors": 1548}
    assert (c.features["visual"] == mended.load().features["visual"]).all()
    assert not c.features["visual"][rows_of(c, "test")].any(axis=1).all()
    fingerprints = {d.fingerprint for d in (plain, mended, replace(mended, inputs=Inputs(remedies=ALL)))}
    assert len(fingerprints) == 3
    assert plain.content == mended.content == plain.fingerprint
    assert mended.description.endswith(", remedies zero-leaked")


def test_a_file_with_nan_can_be_used_with_its_remedy_alone(iemocap, write, tmp_path, meld):
    iemocap.features["audio"][rows_of(iemocap, "test")[0], :3] = np.nan
    write(iemocap).rename(tmp_path / "iemocap_multimodal_features.pkl")

    def data(*names):
        return dataset("iemocap", tmp_path, Inputs(remedies=names))

    for names in ((), ("zero-leaked",)):
        with pytest.raises(DataError, match=r"NaN or Inf.*--drop-defects zero-non-finite"):
            data(*names).load()
    c, (change,) = data("zero-non-finite").load_remedied()
    assert change.counts == {"test audio numbers": 3}
    assert np.isfinite(c.features["audio"]).all()

    write(meld).rename(tmp_path / "iemocap_multimodal_features.pkl")  # of the other corpus
    with pytest.raises(DataError, match="meld"):
        data("zero-non-finite").load()
