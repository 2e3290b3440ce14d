import copy
import pickle
import tracemalloc

import numpy as np
import pytest

from benchmark.base.errors import DataError
from benchmark.base.words import counted
from benchmark.data.feature_files.conversion import convert, sentences
from benchmark.data.feature_files.layouts import TEXT_AUDIO, recognised
from benchmark.data.feature_files.unpickle import read_pickle
from tests.benchmark.data.feature_files.comparing import same

IDS, SPEAKERS, LABELS, TEXT, AUDIO, VISUAL, TRAIN, TEST = 0, 1, 2, 3, 7, 8, 10, 11
MiB = 2**20


def converted(items, dataset=None, most_bytes=MiB):
    return convert(tuple(items), dataset, most_bytes)


def refusal(items, **options):
    with pytest.raises(DataError) as caught:
        converted(items, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.fixture(params=["iemocap", "meld"])
def items(request):
    return request.getfixturevalue(f"{request.param}_items")


def first(items):
    """The first conversation in the order of ids."""
    return sorted(items[IDS])[0]


def test_iemocap_becomes_conversations_in_the_order_of_their_ids(iemocap_items):
    c = converted(iemocap_items)
    assert c.ids == ("c1", "c2", "c3")
    assert c.split == ("train", "train", "test")
    assert c.lengths.tolist() == [3, 1, 2]
    assert c.label.tolist() == [4, 5, 0, 4, 4, 5]
    assert c.speaker.tolist() == [1, 0, 1, 1, 1, 0]  # M is 0, F is 1
    assert c.speakers == 2
    assert c.class_names == ("happy", "sad", "neutral", "angry", "excited", "frustrated")


def test_meld_becomes_conversations_in_the_order_of_the_integers(meld_items):
    c = converted(meld_items)
    assert c.ids == ("2", "10", "1100", "1153")
    assert c.split == ("train", "train", "dev", "test")
    assert c.lengths.tolist() == [1, 3, 2, 2]
    assert c.label.tolist() == [5, 5, 6, 0, 5, 6, 5, 6]
    assert c.speaker.tolist() == [0, 0, 1, 2, 0, 1, 0, 1]
    assert c.speakers == 9
    assert c.class_names == ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger")


def test_the_types_are_those_of_conversations(items):
    c = converted(items)
    assert {c.label.dtype, c.speaker.dtype, c.offsets.dtype} == {np.dtype(np.int64)}
    assert {x.dtype for x in c.features.values()} == {np.dtype(np.float32)}
    assert list(c.features) == ["text", "audio", "visual"]


def test_features_are_the_first_view_of_text_then_audio_and_visual(items):
    c = converted(items)
    for modality, index in (("text", TEXT), ("audio", AUDIO), ("visual", VISUAL)):
        expected = np.concatenate([np.stack(items[index][id]) for id in sorted(items[index])])
        np.testing.assert_array_equal(c.features[modality], expected)


@pytest.mark.parametrize("kind", [np.float16, np.float64, ">f4", np.int8, list, tuple, np.stack])
def test_any_form_of_vectors_gives_the_same_features(items, kind):
    for index in (TEXT, AUDIO, VISUAL):
        items[index] = {c: [np.round(4 * row) for row in rows] for c, rows in items[index].items()}
    expected = converted(items)
    for index in (TEXT, AUDIO, VISUAL):
        for c, rows in items[index].items():
            if kind is np.stack:
                items[index][c] = np.stack(rows)
            else:
                items[index][c] = [kind(row.tolist()) if kind in (list, tuple) else row.astype(kind) for row in rows]
    for modality, rows in converted(items).features.items():
        np.testing.assert_array_equal(rows, expected.features[modality])


def test_arrays_and_tuples_stand_for_lists(items):
    expected = converted(items)
    for index in (IDS, SPEAKERS, LABELS):
        items[index] = {c: np.array(values) for c, values in items[index].items()}
    items[TRAIN], items[TEST] = np.array(items[TRAIN]), tuple(items[TEST])
    read = converted(items)
    np.testing.assert_array_equal(read.label, expected.label)
    np.testing.assert_array_equal(read.speaker, expected.speaker)
    assert (read.ids, read.split) == (expected.ids, expected.split)


def test_items_that_are_not_read_may_be_anything(items):
    for index in (4, 5, 6, 9, *range(12, len(items))):
        items[index] = None
    converted(items)


def test_nothing_is_changed_in_what_was_read(items):
    before = copy.deepcopy(items)
    converted(items)
    np.testing.assert_equal(items, before)


@pytest.mark.parametrize(
    ("raw", "found"), [((0,) * 11, "a tuple of 11 items"), ([0] * 12, "a list of 12 items"), (3, "an int")]
)
def test_an_unknown_layout_says_what_was_found_and_what_is_accepted(raw, found):
    with pytest.raises(
        DataError, match=f"found {found}, accepted is a tuple of 12 items .iemocap. or a tuple of 13 items"
    ):
        convert(raw, None, MiB)


def test_the_other_layout_is_an_error_that_says_so(iemocap_items, meld_items):
    assert "layout of iemocap, not of meld" in refusal(iemocap_items, dataset="meld")
    assert "layout of meld, not of iemocap" in refusal(meld_items, dataset="iemocap")
    assert converted(meld_items, dataset="meld")


@pytest.mark.parametrize("index", [IDS, SPEAKERS, LABELS, TEXT, AUDIO, VISUAL])
def test_an_item_that_is_no_dict_is_named(items, index):
    items[index] = [1, 2]
    assert f"item {index} (" in refusal(items)


@pytest.mark.parametrize("index", [TRAIN, TEST])
@pytest.mark.parametrize("value", [None, {}, "c1", 3])
def test_ids_of_a_split_that_are_no_list_are_an_error(items, index, value):
    items[index] = value
    assert f"item {index} (" in refusal(items)


def test_zero_conversations_are_an_error(items):
    assert "zero conversations" in refusal([{} if isinstance(item, dict) else [] for item in items])


@pytest.mark.parametrize("index", [IDS, SPEAKERS, LABELS, TEXT, AUDIO, VISUAL])
def test_a_conversation_that_an_item_lacks_is_named(items, index):
    c = first(items)
    del items[index][c]
    assert f"conversation {c!r} is missing from item {index}" in refusal(items)


def test_a_conversation_in_no_split_is_named(items):
    c = items[TRAIN].pop()
    assert f"conversation {c!r} is in no split" in refusal(items)


def test_a_conversation_in_both_splits_is_named(items):
    items[TEST].append(first(items))
    assert f"conversation {first(items)!r} is in both splits" in refusal(items)


def test_a_conversation_listed_twice_is_named(items):
    items[TRAIN].append(first(items))
    assert f"conversation {first(items)!r} is listed twice in the train ids" in refusal(items)


@pytest.mark.parametrize("stranger", ["c9", 60, 1.0, None, True, ["c1"], ("c1", ()), "x" * 10_000])
def test_a_listed_conversation_that_no_item_has_is_named(items, stranger):
    items[TRAIN].append(stranger)
    assert "of the train ids is missing from the items" in refusal(items)


def test_an_endless_array_of_listed_conversations_is_not_walked_through(items):
    items[TRAIN] = np.empty((10**12, 0))
    assert "is missing from the items" in refusal(items)


@pytest.mark.parametrize("odd", [None, 1.0, True, "a\nb", "\ud800"])
def test_a_conversation_id_of_another_kind_is_an_error(items, odd):
    items[TEXT][odd] = items[TEXT][first(items)]
    assert "conversation id" in refusal(items)


def test_melds_splits_must_be_the_official_ones(meld_items):
    meld_items[TRAIN], meld_items[TEST] = [10, 1100, 1153], [2]
    assert "conversation 2 is in the test ids, but belongs to MELD's train split" in refusal(meld_items)
    meld_items[TRAIN], meld_items[TEST] = [2, 10, 1100, 1153], []
    assert "conversation 1153 is in the train ids, but belongs to MELD's test split" in refusal(meld_items)


@pytest.mark.parametrize(("index", "name"), [(1, "speakers"), (2, "labels"), (3, "text"), (7, "audio"), (8, "visual")])
def test_differing_numbers_of_utterances_are_named_with_both_counts(items, index, name):
    c = first(items)
    n = len(items[IDS][c])
    items[index][c] = [*items[index][c], items[index][c][0]]
    assert f"conversation {c!r} has {counted(n, 'utterance')} in ids and {n + 1} in {name}" in refusal(items)


def test_a_conversation_without_utterances_is_named(items):
    for item in items[:10]:
        item[first(items)] = []
    assert f"conversation {first(items)!r} has no utterances" in refusal(items)


@pytest.mark.parametrize("value", [None, 3, "text", np.array(1.0), {0: 1}])
def test_utterances_that_are_no_list_are_an_error(items, value):
    items[AUDIO][first(items)] = value
    assert f"conversation {first(items)!r}: audio is a" in refusal(items)


WRONG_VECTORS = [
    np.zeros(9),
    np.zeros(0),
    np.zeros((1, 4)),
    np.array(1.0),
    np.array(["a", "b", "c", "d"]),
    np.array([True, False, True, False]),
    np.zeros((4, 10**9, 0)),
    [],
    [0.0] * 9,
    ["a", "b", "c", "d"],
    [[0.0] * 4],
    [[[]], [], [], []],
    0.5,
    "abcd",
    None,
]


@pytest.mark.parametrize("value", WRONG_VECTORS, ids=repr)
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_ragged_or_misshapen_vector_is_located(items, value, place):
    c = sorted(items[AUDIO])[0 if place == "first" else -1]
    u = 0 if place == "first" else len(items[AUDIO][c]) - 1
    items[AUDIO][c][u] = value
    message = refusal(items)
    assert "audio" in message
    assert "conversation" in message
    if place == "last":
        assert f"conversation {c!r}, utterance {u} (from 0): audio is a" in message
        assert "not a vector of 4 numbers" in message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize(("index", "name"), [(TEXT, "text"), (AUDIO, "audio"), (VISUAL, "visual")])
def test_features_that_are_not_finite_are_located_and_counted(items, index, name, value):
    c = sorted(items[index])[-1]
    items[index][c][1] = items[index][c][1].astype(np.float64)
    items[index][c][1][:2] = value
    assert f"conversation {c!r}, utterance 1 (from 0): {name} has NaN or Inf, 2 in all, in 1 utterance (" in refusal(
        items
    )


@pytest.mark.parametrize("label", [-1, 7, 2**63, 1.0, "1", True, None, [1], np.zeros(2), np.float32(1)])
def test_a_label_out_of_range_or_not_an_integer_is_located(items, label):
    c = first(items)
    items[LABELS][c][0] = label
    message = refusal(items)
    assert f"conversation {c!r}, utterance 0 (from 0): label " in message
    assert f"is not an integer from 0 to {5 if len(items) == 12 else 6}" in message


def test_label_6_is_melds_only(iemocap_items):
    iemocap_items[LABELS]["c3"][1] = 6
    assert "conversation 'c3', utterance 1 (from 0): label 6 is not an integer from 0 to 5" in refusal(iemocap_items)


@pytest.mark.parametrize("speaker", ["X", "", "MF", "m", 0, None, b"M", ["M"], np.array(["M", "F"])])
def test_an_unknown_speaker_of_iemocap_is_located(iemocap_items, speaker):
    iemocap_items[SPEAKERS]["c3"][1] = speaker
    assert "conversation 'c3', utterance 1 (from 0): speaker " in refusal(iemocap_items)


@pytest.mark.parametrize(
    "row", [np.zeros(9), np.ones(9), np.eye(9)[0] / 2, -np.eye(9)[0], np.full(9, np.nan), [np.inf, -np.inf, *[1.0] * 7]]
)
def test_a_speaker_of_meld_that_is_not_one_hot_is_located(meld_items, row):
    meld_items[SPEAKERS][1100][1] = row
    message = refusal(meld_items)
    assert "conversation 1100, utterance 1 (from 0): speaker [" in message
    assert "is not one-hot" in message


@pytest.mark.parametrize("row", ["M", np.eye(8)[0], 3, np.eye(9)])
def test_a_speaker_of_meld_that_is_no_row_of_nine_is_located(meld_items, row):
    meld_items[SPEAKERS][1100][1] = row
    assert "conversation 1100, utterance 1 (from 0): speakers is a" in refusal(meld_items)


def test_a_speaker_row_may_be_a_list_of_integers(meld_items):
    expected = converted(meld_items).speaker
    meld_items[SPEAKERS] = {c: [row.astype(int).tolist() for row in rows] for c, rows in meld_items[SPEAKERS].items()}
    np.testing.assert_array_equal(converted(meld_items).speaker, expected)


def test_a_vector_named_a_million_times_is_refused_before_memory_is_taken(items):
    c = first(items)
    for index in range(10):
        items[index][c] = items[index][c][:1] * 1_000_000
    tracemalloc.start()
    assert "vectors repeat" in refusal(items, most_bytes=2 * MiB)
    assert tracemalloc.get_traced_memory()[1] < MiB
    tracemalloc.stop()


def test_nested_billion_laughs_in_the_place_of_a_vector_are_not_expanded(items):
    laughs = [0.0]
    for _ in range(100):
        laughs = [laughs] * 4
    items[AUDIO][first(items)][0] = laughs
    assert "audio is a list of 4 items, not a vector" in refusal(items)
    items[LABELS][first(items)][0] = laughs
    items[SPEAKERS][first(items)][0] = laughs
    refusal(items)


def test_mmgcns_tuples_are_the_same_with_one_view_of_text(items):
    shorter = [*items[:4], *items[7:12], *items[12:]]
    assert len(shorter) == {12: 9, 13: 10}[len(items)]
    ours, theirs = converted(items), converted(shorter)
    assert (theirs.ids, theirs.split, theirs.class_names) == (ours.ids, ours.split, ours.class_names)
    for a, b in ((ours.label, theirs.label), (ours.speaker, theirs.speaker), (ours.offsets, theirs.offsets)):
        np.testing.assert_array_equal(a, b)
    assert list(theirs.features) == ["text", "audio", "visual"]
    for m in ours.features:
        np.testing.assert_array_equal(ours.features[m], theirs.features[m])

    with pytest.raises(DataError, match=r"no text2 in a tuple of .* items; choose another --text-view"):
        convert(tuple(shorter), None, MiB, ["text2", "audio"])
    shorter[7] = 3
    assert "item 7 (train ids) is an int" in refusal(shorter)


@pytest.fixture
def text_and_audio(meld_items):
    """DialogueRNN's MELD_features_raw.pkl: ids, speakers, labels, text, audio, sentences, train, test, sentiments."""
    ids, speakers, labels, text, *_, audio, _, sentences, train, test, sentiments = meld_items
    return [ids, speakers, labels, text, audio, sentences, train, test, sentiments]


def test_nine_items_without_visual_features_are_melds_text_and_audio(meld_items, text_and_audio):
    usual = convert(tuple(meld_items), "meld", MiB, ["text", "audio"])
    assert same(convert(tuple(text_and_audio), "meld", MiB, ["text", "audio"]), usual)
    assert sentences(tuple(text_and_audio), usual) == sentences(tuple(meld_items), usual)
    with pytest.raises(DataError, match="no visual in a tuple of 9 items; choose others with --modalities"):
        convert(tuple(text_and_audio), "meld", MiB)


@pytest.mark.parametrize("damaged", range(8))
def test_a_damaged_tuple_is_still_read_as_what_it_fits_best(text_and_audio, damaged):
    text_and_audio[damaged] = None
    assert recognised(tuple(text_and_audio)) is TEXT_AUDIO


def test_an_unknown_number_of_items_is_told_what_it_fits_best_and_why_not(meld_items, iemocap_items):
    assert "it fits meld's of 13 items best, but it has 14 items, not 13" in refusal([*meld_items, None])
    assert "it fits iemocap's of 12 items best, but it has 14 items, not 12" in refusal([*iemocap_items, None, None])


def test_a_split_of_ones_own_is_told_of_the_open_format(meld_items):
    meld_items[TRAIN], meld_items[TEST] = [2, 1100, 1153], [10]
    message = refusal(meld_items)
    assert "conversation 10 is in the test ids, but belongs to MELD's train split" in message
    assert "open format (docs/feature-format.md)" in message


def test_a_set_is_called_a_set(iemocap_items):
    for value in ({1, 2}, frozenset({1, 2})):
        assert "item 0 (ids) is a set of 2 items" in refusal(read_pickle(pickle.dumps([value, *iemocap_items[1:]])))
