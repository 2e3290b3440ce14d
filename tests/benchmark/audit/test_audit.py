"""Each check on corpora that have the defect and on corpora that have not; whole files."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmark.audit import audit, audit_file, pages, summary
from benchmark.audit.counts import KNOWN
from benchmark.base.errors import DataError
from benchmark.data import load_features
from benchmark.data.defects.duplicates import Repeats
from benchmark.data.defects.vectors import VectorCounts
from tests.benchmark.data.defects.corpora import first_rows, leak_visual, rows_of


def said(found, check, severity="defect"):
    return [f.message for f in found.findings if (f.check, f.severity) == (check, severity)]


def sentences_of(c):
    return [f"sentence {row}" for row in range(c.utterances)]


@pytest.mark.parametrize("dataset", ["iemocap", "meld"])
def test_a_corpus_without_defects_is_clean(dataset, request):
    c = request.getfixturevalue(dataset)
    found = audit(c, dataset, sentences_of(c))
    assert found.defects == ()
    assert found.counts == found.known == KNOWN[dataset]
    assert [f.check for f in found.findings] == ([] if dataset == "iemocap" else ["speakers"])
    for pairs in found.copies.values():
        for copies in pairs.values():
            assert (copies.identical, copies.near, copies.expected, copies.near_expected) == (0, 0, 0, 0)


def test_melds_visual_defect_is_found_with_its_exact_counts(leaking):
    path, places = leaking
    found = audit_file(path)
    visual = found.vectors["visual"]
    assert {s: (c.zero, c.vectors) for s, c in visual.items()} == {
        "train": (3407, 9989),
        "dev": (95, 1109),
        "test": (258, 2610),
    }
    for split, copied, zeros in (("dev", 609, 95), ("test", 1548, 258)):
        copies = found.copies["visual"][f"{split} in train"]
        assert (copies.identical, copies.expected, copies.near) == (copied, 0, 0)
        assert copies.with_zeros == copied + zeros
        by_id = next(p for p in copies.pairing if p.numbered_by == "id")
        assert (by_id.same_conversation, by_id.same_utterance) == (copied, places[split])
        by_position = next(p for p in copies.pairing if p.numbered_by == "position")
        assert by_position.same_conversation < copied  # train has no id 60
    assert found.copies["text"]["test in train"].identical == 0
    text = " ".join(f.message for f in found.defects)
    assert "1548 of 2352 test vectors" in text
    assert "1548 to one of the conversation with the same id" in text
    assert "train 3407 of 9989 (34.1%), dev 95 of 1109 (8.6%), test 258 of 2610 (9.9%)" in text
    assert {f.check for f in found.defects} == {"vectors", "copies"}


def test_counts_that_are_not_the_known_ones_are_a_defect(iemocap):
    label = iemocap.label.copy()
    row = int(np.flatnonzero(label == 0)[0])
    label[row] = 1
    assert "train labels: 503 840 1324" in said(audit(replace(iemocap, label=label), "iemocap"), "counts")[0]
    fewer = audit(iemocap.select(range(1, len(iemocap))), "iemocap")
    message = said(fewer, "counts")[0]
    assert "train conversations: 119, known are 120" in message
    assert "train utterances: 5700, known are 5810" in message
    no_test = said(audit(iemocap.where("train"), "iemocap"), "counts")[0]
    assert "no test split" in no_test


def test_counts_of_an_unknown_corpus_are_a_note(iemocap):
    found = audit(iemocap.select(range(1, len(iemocap))))
    assert found.known is None
    assert not found.defects
    assert len(said(found, "counts", "note")) == 1


def test_nan_and_inf_are_counted_and_refused_by_the_reader(iemocap, write):
    test = rows_of(iemocap, "test")
    iemocap.features["audio"][test[0], :3] = np.nan
    iemocap.features["audio"].view(np.uint32)[test[0], 2] = 0x7F800001  # a signalling NaN
    iemocap.features["audio"][test[1], 2] = -np.inf
    path = write(iemocap)
    with pytest.raises(DataError, match="NaN or Inf"):
        load_features(path)
    found = audit_file(path)
    assert found.vectors["audio"]["test"] == VectorCounts(1623, 2, 3, 1, 0, 0)
    assert found.vectors["audio"]["train"] == VectorCounts(5810, 0, 0, 0, 0, 0)
    assert said(found, "vectors") == ["audio: vectors with NaN or Inf: test 2 (3 NaN, 1 Inf)"]
    json.dumps(found.as_dict(), allow_nan=False)


@pytest.mark.parametrize(("value", "name"), [(0, "zero"), (-0.0, "zero"), (7, "constant")])
@pytest.mark.parametrize(("count", "severity"), [(81, "note"), (82, "defect")])
def test_empty_vectors_are_a_defect_above_one_in_twenty(iemocap, value, name, count, severity):
    iemocap.features["audio"][rows_of(iemocap, "test")[:count]] = value
    found = audit(iemocap, "iemocap", sentences_of(iemocap))
    assert getattr(found.vectors["audio"]["test"], name) == count
    assert getattr(found.vectors["audio"]["train"], name) == 0
    assert any(f"test {count} of 1623" in message for message in said(found, "vectors", severity))
    assert found.copies["audio"]["test in train"].identical == 0


@pytest.mark.parametrize(("count", "severity"), [(1, "note"), (8, "defect")])
def test_one_copied_vector_is_a_note_and_copies_in_eight_conversations_are_a_defect(meld, count, severity):
    test, train = (first_rows(meld, split, count) for split in ("test", "train"))
    meld.features["audio"][test] = meld.features["audio"][train]
    found = audit(meld, "meld")
    assert found.copies["audio"]["test in train"].identical == count
    assert found.copies["audio"]["dev in train"].identical == 0
    assert found.copies["all modalities"]["test in train"].identical == 0
    (message,) = said(found, "copies", severity)
    are = "is" if count == 1 else "are"
    assert f"audio: {count} of 2610 test vectors that are not zero {are} identical to a train vector (0 exp" in message
    assert f"p = {found.copies['audio']['test in train'].p:.2g})" in message
    assert bool(found.defects) == (severity == "defect")


def test_vectors_that_repeat_everywhere_are_a_note(meld):
    coarse = np.random.default_rng(3).integers(0, 3000, meld.utterances)
    meld.features["text"] = np.random.default_rng(4).standard_normal((3000, 12)).astype(np.float32)[coarse]
    found = audit(meld, "meld")
    copies = found.copies["text"]["test in train"]
    assert copies.identical > 2000
    assert copies.expected == pytest.approx(copies.identical, rel=0.1)
    assert said(found, "copies") == []
    assert found.repeats["text"]["train"].repeated == 9989 - len(np.unique(coarse[rows_of(meld, "train")]))


def test_copies_within_a_split_are_counted_and_no_defect(iemocap):
    first, second = iemocap.offsets[0], iemocap.offsets[1]
    x = iemocap.features["audio"]
    x[first + 1] = x[first]
    x[second] = x[first]
    found = audit(iemocap, "iemocap")
    assert found.repeats["audio"]["train"] == Repeats(repeated=2, in_other_conversations=3)
    assert found.repeats["audio"]["test"] == Repeats(0, 0)
    assert not found.defects


@pytest.mark.parametrize(("noise", "near"), [("float16", 9), (1e-4, 9), (1e-2, 0)])
def test_near_copies_are_found_and_others_are_not(iemocap, noise, near):
    x = iemocap.features["visual"]
    test, train = (first_rows(iemocap, split, 9) for split in ("test", "train"))
    copied = x[train]
    step = np.random.default_rng(5).standard_normal(copied.shape).astype(np.float32)
    x[test] = copied.astype(np.float16) if noise == "float16" else copied + noise * step
    found = audit(iemocap, "iemocap")
    assert found.copies["visual"]["test in train"].near == near
    assert bool(said(found, "copies")) == bool(near)


def test_near_copies_are_those_of_all_pairs(iemocap):
    x = np.round(iemocap.features["audio"][:, :2], 2)  # so narrow that there are many
    x[:, 1] *= 1000
    iemocap.features["audio"] = x
    found = audit(iemocap, "iemocap").copies["audio"]["test in train"]
    test, train = (np.unique(x[rows_of(iemocap, s)].astype(np.float64), axis=0) for s in ("test", "train"))
    sd = train.std(axis=0)
    gap = np.sqrt((((test[:, None] - train[None]) / sd) ** 2).mean(axis=2)).min(axis=1)
    known = {tuple(row) for row in train}
    assert found.near == sum(g <= 1e-3 for g, row in zip(gap, test, strict=True) if tuple(row) not in known)


def test_features_that_hardly_vary_neither_hide_nor_make_near_copies(iemocap):
    x = iemocap.features["visual"]
    x[:, 0] *= 1e-30
    x[:, 1] = 5
    test, train = rows_of(iemocap, "test"), rows_of(iemocap, "train")
    x[test[0], 1:] = x[train[0], 1:]
    found = audit(iemocap, "iemocap")
    assert found.copies["visual"]["test in train"].near == 1
    assert found.scales["visual"]["all"].constant_features == 2
    assert "visual: features that do not vary: 2" in said(found, "vectors", "note")


def copy_conversation(c, source, target, size):
    for x in c.features.values():
        x[c.offsets[target] : c.offsets[target] + size] = x[c.offsets[source] : c.offsets[source] + size]


def of_length(c, split, least):
    by_length = {}
    for b in np.flatnonzero(np.array(c.split) == split):
        by_length.setdefault(int(c.lengths[b]), []).append(int(b))
    return {n: b for n, b in by_length.items() if n >= least}


def test_a_conversation_in_two_splits_is_a_defect_by_features(meld):
    train, test = of_length(meld, "train", 3), of_length(meld, "test", 3)
    size = next(n for n in train if n in test)
    a, b = train[size][0], test[size][0]
    copy_conversation(meld, a, b, size)
    found = audit(meld, "meld")
    assert found.conversations[0].across == ((f"{meld.ids[a]} (train)", f"{meld.ids[b]} (test)"),)
    assert found.copies["all modalities"]["test in train"].identical == size
    assert "in two splits" in said(found, "conversations")[0]


def test_a_conversation_twice_in_a_split_is_a_note(meld):
    a, b = next(b for b in of_length(meld, "train", 3).values() if len(b) > 1)[:2]
    copy_conversation(meld, a, b, int(meld.lengths[a]))
    found = audit(meld, "meld")
    assert len(found.conversations[0].within) == 1
    assert not found.defects


@pytest.mark.parametrize(("least", "found_by"), [(3, True), (1, False)])
def test_a_conversation_in_two_splits_is_found_by_sentences_unless_it_is_short(meld, least, found_by):
    train, test = of_length(meld, "train", 1), of_length(meld, "test", 1)
    size = next(n for n in sorted(train) if n in test and n >= least)
    a, b, sentences = train[size][0], test[size][0], sentences_of(meld)
    for place in range(size):
        sentences[meld.offsets[b] + place] = f"  {sentences[meld.offsets[a] + place].upper()}"
    found = audit(meld, "meld", sentences)
    assert bool(found.conversations[1].across) == bool(said(found, "conversations")) == found_by
    assert found.sentences.known_from_train["test"] == size


def test_placeholders_for_sentences_are_no_shared_conversations(meld):
    found = audit(meld, "meld", ["[inaudible]"] * meld.utterances)
    assert not found.defects
    assert found.sentences.conflicting == 1


def test_a_speaker_in_two_splits_is_a_defect(iemocap):
    assert audit(iemocap, "iemocap").speakers.per_split == {"train": 8, "test": 2}
    moved = tuple(name.replace("Ses05", "Ses04", 1) for name in iemocap.ids)
    found = audit(replace(iemocap, ids=moved), "iemocap")
    assert found.speakers.shared == ("Ses04 F", "Ses04 M")
    assert len(said(found, "speakers")) == 1


def test_speakers_without_names_are_said_to_be_unknown(meld):
    found = audit(meld, "meld")
    assert found.speakers is None
    assert len(said(found, "speakers", "note")) == 1


def test_sentences_with_two_labels_are_a_note(iemocap):
    sentences = sentences_of(iemocap)
    happy, sad = (np.flatnonzero(iemocap.label == k) for k in (0, 1))
    for row in (*happy[:2], sad[0]):
        sentences[row] = "Okay."
    for row in happy[2:5]:
        sentences[row] = "Great."
    found = audit(iemocap, "iemocap", sentences)
    assert (found.sentences.conflicting, found.sentences.conflicting_utterances) == (1, 3)
    assert "sentences with two labels or more: 1, in 3 utterances" in said(found, "sentences", "note")[0]
    assert not found.defects


def test_scales_are_those_of_the_numbers(iemocap):
    iemocap.features["audio"] = iemocap.features["audio"] * 3 + np.arange(8, dtype=np.float32)
    iemocap.features["audio"][0, 0] = np.nan
    found = audit(iemocap).scales["audio"]
    x = iemocap.features["audio"][1:].astype(np.float64)
    scale = found["all"]
    assert scale.mean == pytest.approx(x.mean())
    assert scale.sd == pytest.approx(x.std())
    assert (scale.low, scale.high) == (x.min(), x.max())
    assert scale.smallest_sd == pytest.approx(x.std(axis=0).min())
    assert scale.largest_sd == pytest.approx(x.std(axis=0).max())
    assert set(found) == {"train", "test", "all"}


@pytest.mark.parametrize("value", [np.nan, 0, 3e38])
def test_a_modality_without_any_information_is_audited(iemocap, value):
    iemocap.features["visual"][:] = value
    found = audit(iemocap, "iemocap")
    assert found.defects
    json.dumps(found.as_dict(), allow_nan=False)
    assert pages.html(found)


def test_any_modality_may_be_absent(iemocap):
    only_text = replace(iemocap, features={"text": iemocap.features["text"]})
    assert set(audit(only_text, "iemocap").copies) == {"text", "all modalities"}


def test_sentences_of_any_form_hinder_nothing(iemocap_items, tmp_path):
    import pickle

    for value in (None, [], {}, {"c1": "abc", "c2": [["x"]], "c3": [3, b"x"]}, {"c3": np.array(["x", "y"])}):
        iemocap_items[9] = value
        (tmp_path / "file").write_bytes(pickle.dumps(tuple(iemocap_items)))
        found = audit_file(tmp_path / "file")
        assert found.sentences.utterances == (2 if value and isinstance(value["c3"], np.ndarray) else 0)


def test_the_page_shows_names_of_the_file_as_text(iemocap, write, tmp_path):
    page = pages.html(replace(audit_file(write(iemocap)), file="<script>x</script>.pkl"))
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    assert "http:" not in page  # self-contained
    assert "https:" not in page


def test_the_summary_is_short_and_says_what_is_wrong(meld):
    clean = summary(audit(meld, "meld"))
    assert clean["clean"]
    assert clean["defects"] == []
    leak_visual(meld)
    found = audit(meld, "meld")
    short = summary(found)
    assert not short["clean"]
    assert short["defects"] == [f.message for f in found.defects]
    assert short["utterances"] == {"train": 9989, "dev": 1109, "test": 2610}
    json.dumps(short, allow_nan=False)


@pytest.mark.real_data
def test_the_real_iemocap_is_reported_faithfully(real_data):
    found = audit_file(real_data / "iemocap_multimodal_features.pkl")
    assert found.defects == ()
    assert found.published is False
    assert found.counts == KNOWN["iemocap"]
    assert {s: c.zero for s, c in found.vectors["audio"].items()} == {"train": 148, "test": 8}  # 2.1 % of 7433
    assert found.speakers.per_split == {"train": 8, "test": 2}
    assert found.sentences.utterances == 0


@pytest.mark.real_data
def test_the_real_meld_is_reported_faithfully(real_data):
    found = audit_file(real_data / "meld_multimodal_features.pkl")
    assert found.defects == ()
    assert found.counts == KNOWN["meld"]
    assert all(c.zero == c.constant == c.non_finite == 0 for m in found.vectors.values() for c in m.values())
    copies = found.copies["text"]["test in train"]
    assert copies.identical == pytest.approx(copies.expected, rel=0.1)  # short sentences
    assert found.copies["audio"]["test in train"].identical == 0
    assert found.sentences.conflicting > 100
