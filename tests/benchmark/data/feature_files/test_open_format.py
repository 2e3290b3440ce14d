import hashlib
import json
import pickle
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors import safe_open
from safetensors.numpy import save_file

from benchmark.base.errors import DataError
from benchmark.data import Conversations, load_features
from benchmark.data.feature_files.open_format import Source, open_features, recognises, save
from benchmark.data.feature_files.reading import import_features
from benchmark.data.simulation.export import export_corpus
from benchmark.data.simulation.knobs import parse_corpus
from benchmark.data.simulation.simulator import simulate_spec
from benchmark.data.views import ARRAYS, MODALITIES, TEXT_VIEWS
from tests.benchmark.data.feature_files.comparing import same
from tests.paths import ROOT


@st.composite
def corpora(draw):
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    n, classes, speakers = sum(lengths), draw(st.integers(1, 5)), draw(st.integers(1, 9))
    names = draw(st.sets(st.sampled_from(MODALITIES), min_size=1))
    finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
    plain = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
    return Conversations(
        features={
            m: draw(arrays(np.float32, (n, draw(st.integers(1, 3))), elements=finite)) for m in MODALITIES if m in names
        },
        label=draw(arrays(np.int64, n, elements=st.integers(0, classes - 1))),
        speaker=draw(arrays(np.int64, n, elements=st.integers(0, speakers - 1))),
        offsets=np.cumsum([0, *lengths]),
        ids=tuple(draw(st.lists(plain, min_size=len(lengths), max_size=len(lengths), unique=True))),
        split=tuple(draw(st.sampled_from(["train", "dev", "test"])) for _ in lengths),
        class_names=tuple(f"class {c}" for c in range(classes)),
        speakers=speakers,
    )


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corpora())
def test_conversations_come_back_equal_to_the_bit(tmp_path, conversations):
    path = tmp_path / "f.safetensors"
    save(path, conversations, "meld")
    assert same(load_features(path, modalities=list(conversations.features)), conversations)


@pytest.fixture
def pickled(tmp_path, meld_items):
    path = tmp_path / "meld.pkl"
    path.write_bytes(pickle.dumps(tuple(meld_items), 2))
    return path


@pytest.fixture
def opened(pickled):
    path = pickled.with_suffix(".safetensors")
    import_features(pickled, path)
    return path


def refusal(path, dataset=None, **options):
    with pytest.raises(DataError) as caught:
        load_features(path, dataset, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def rewritten(path, **changes):
    """The file with other metadata, written by the safetensors library."""
    with safe_open(path, "numpy") as file:
        held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata() | changes
    save_file(held, path, metadata)


def reheaded(path, arrays=None, **changes):
    """The file with another header, and other arrays, their checksums right."""
    with safe_open(path, "numpy") as file:
        held = {name: file.get_tensor(name) for name in file.keys()} | (arrays or {})  # noqa: SIM118
        metadata = file.metadata()
    sums = {
        name: hashlib.sha256(f"{x.dtype.str} {list(x.shape)}".encode() + x.tobytes()).hexdigest()
        for name, x in held.items()
    }
    header = json.dumps(json.loads(metadata["header"]) | {"arrays": sums} | changes)
    save_file(held, path, metadata | {"header": header, "sha256": hashlib.sha256(header.encode()).hexdigest()})


@pytest.mark.parametrize("view", TEXT_VIEWS)
@pytest.mark.parametrize("modalities", [("text",), ("text", "audio"), MODALITIES])
def test_pickle_and_open_file_give_the_same_conversations(pickled, opened, view, modalities):
    a, b = (load_features(p, "meld", text_view=view, modalities=modalities) for p in (pickled, opened))
    assert same(a, b)
    assert list(a.features) == list(modalities)


def test_views_of_the_text_are_items_3_to_6_their_mean_and_side_by_side(pickled, meld_items):
    views = [np.concatenate([np.stack(item[c]) for c in sorted(item)]) for item in meld_items[3:7]]
    for view, expected in zip("1234", views, strict=True):
        np.testing.assert_array_equal(load_features(pickled, text_view=view).features["text"], expected)
    np.testing.assert_array_equal(load_features(pickled, text_view="concat").features["text"], np.hstack(views))
    np.testing.assert_allclose(load_features(pickled, text_view="mean").features["text"], np.mean(views, axis=0), 1e-5)


def test_the_safetensors_library_reads_the_file(opened, pickled):
    with safe_open(opened, "numpy") as file:
        header = json.loads(file.metadata()["header"])
        assert set(file.keys()) == {*ARRAYS, "offsets", "speaker", "label"}
        np.testing.assert_array_equal(file.get_tensor("audio"), load_features(pickled).features["audio"])
    assert header["dataset"] == "meld"
    assert header["source"]["file"] == "meld.pkl"
    assert header["source"]["sha256"] == hashlib.sha256(pickled.read_bytes()).hexdigest()
    assert header["source"]["text_view"] == "1"


def test_a_file_written_by_the_safetensors_library_is_read(opened, pickled):
    rewritten(opened)
    assert same(load_features(opened), load_features(pickled))
    reheaded(opened)
    assert same(load_features(opened), load_features(pickled))


def test_the_same_conversations_give_the_same_bytes(pickled, opened, tmp_path):
    import_features(pickled, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == opened.read_bytes()


def test_arrays_are_mapped_and_what_is_written_to_them_stays_in_memory(opened):
    before = opened.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch warns of read-only arrays
        tensor = torch.from_numpy(load_features(opened).features["text"])
    tensor += 1
    assert opened.read_bytes() == before
    assert not np.array_equal(load_features(opened).features["text"], tensor.numpy())


def test_only_the_two_layouts_are_known_by_content(opened, pickled, tmp_path):
    assert recognises(opened)
    assert not recognises(pickled)
    (tmp_path / "x").write_bytes(b"short")
    assert not recognises(tmp_path / "x")


def test_an_unknown_version_is_refused(opened):
    rewritten(opened, version="2")
    assert "version '2' of the open format, where 1 is read" in refusal(opened)


def test_other_safetensors_are_refused(opened):
    save_file({"w": np.zeros(3, np.float32)}, opened)
    assert "not of format 'css-bench-features'" in refusal(opened)


def test_the_other_data_set_is_refused(opened):
    assert "features of meld, not of iemocap" in refusal(opened, "iemocap")


def test_a_file_cut_anywhere_is_refused(opened):
    content = opened.read_bytes()
    for end in {*range(9, 60), *range(60, len(content), 37), len(content) - 1}:
        opened.write_bytes(content[:end])
        refusal(opened)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_refused_or_read_as_it_was(opened, data):
    content = opened.read_bytes()
    expected = load_features(opened)
    at, flip = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 255))
    damaged = opened.with_name("damaged")
    damaged.write_bytes(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :])
    try:
        found = load_features(damaged)
    except DataError:
        return
    assert same(found, expected)  # the byte was of padding, or of an array that is not used


@pytest.mark.parametrize(
    ("header", "arrays", "said"),
    [
        ({"ids": ["a"] * 4}, {}, "each conversation has one of each"),
        ({"ids": ["a"]}, {}, "array offsets has shape"),
        ({"split": ["train"] * 3}, {}, "4 ids and 3 splits"),
        ({"split": ["train", "train", "train", "valid"]}, {}, "header is not as the format says (split.3"),
        ({"speakers": 1}, {}, "speakers from 0 to 2"),
        ({"speakers": 10**9}, {}, "header is not as the format says (speakers"),
        ({"dataset": "iemocap-mine"}, {}, "header is not as the format says (dataset"),
        ({"class_names": ["a", "b"]}, {}, "labels from 0 to 6, where 0 to 1 are known"),
        ({}, {"label": np.full(8, -1)}, "labels from -1"),
        ({}, {"label": np.zeros(7, np.int64)}, "array label has shape (7,)"),
        ({}, {"offsets": np.array([0, 3, 3, 6, 8])}, "offsets do not rise"),
        ({}, {"offsets": np.array([0, 1, 4, 6, 9])}, "offsets do not rise"),
        ({}, {"audio": np.full((8, 2), np.nan, np.float32)}, "audio has NaN or Inf"),
        ({}, {"audio": np.zeros((9, 2), np.float32)}, "array audio has shape"),
        ({}, {"audio": np.zeros((8, 2), np.int64)}, "array audio is of type I64"),
        ({}, {"audio": np.zeros((8, 2), np.float16)}, "header is not as the format says (audio.dtype"),
        ({}, {"audio": np.zeros((8, 0), np.float32)}, "header is not as the format says (audio.shape"),
        ({"more": 1}, {}, "header is not as the format says (more"),
    ],
)
def test_impossible_content_is_refused(opened, header, arrays, said):
    reheaded(opened, arrays, **header)
    assert said in refusal(opened)


@pytest.mark.parametrize(
    "head", [b"{" * 5000, b'{"a": ' * 5000, b'{"__metadata__": 3}', b'{"__metadata__": {}, "x": 1}', b"[]", b"{\xff}"]
)
def test_what_only_begins_like_it_is_refused(tmp_path, head):
    path = tmp_path / "f"
    path.write_bytes(len(head).to_bytes(8, "little") + head)
    refusal(path)
    path.write_bytes((2**40 - 1).to_bytes(8, "little") + b"{")
    refusal(path)


def test_what_the_file_has_not_got_is_named(opened, pickled, meld_items):
    meld_items[4] = meld_items[8] = None
    pickled.write_bytes(pickle.dumps(tuple(meld_items)))
    opened.unlink()
    import_features(pickled, opened)
    assert open_features(opened).features == ["text", "text3", "text4", "audio"]
    assert "no visual in it, which holds text, text3, text4, audio" in refusal(opened)
    options = {"modalities": ("text", "audio")}
    assert "no text2 in it" in refusal(opened, text_view="mean", **options)
    assert "item 4 (text2) is a NoneType" in refusal(pickled, text_view="mean", **options)
    assert "item 8 (visual) is a NoneType" in refusal(pickled)
    assert same(load_features(opened, **options), load_features(pickled, **options))


def test_views_of_different_widths_have_no_mean(opened, pickled, meld_items):
    meld_items[6] = {c: [np.zeros(2)] * len(rows) for c, rows in meld_items[6].items()}
    pickled.write_bytes(pickle.dumps(tuple(meld_items)))
    assert "no mean of text views of widths [2, 5]" in refusal(pickled, text_view="mean")
    assert load_features(pickled, text_view="concat").features["text"].shape == (8, 17)


def test_a_file_whose_text_is_one_view_has_no_other(opened):
    source = Source(file="x.pkl", sha256="0", text_view="mean", reader="r")
    c = load_features(opened)
    save(opened, c, "meld", source)
    assert same(load_features(opened, text_view="mean"), c)
    assert "no text view 1: its text is view mean of x.pkl" in refusal(opened)
    assert load_features(opened, modalities=("audio",)).features.keys() == {"audio"}


def test_the_open_file_is_not_imported_again(opened, tmp_path):
    with pytest.raises(DataError, match="open format already"):
        import_features(opened, tmp_path / "again")


def test_unlabelled_conversations_are_no_feature_file(opened, tmp_path):
    with pytest.raises(AssertionError):
        save(tmp_path / "x", replace(load_features(opened), label=None), "meld")
    assert not (tmp_path / "x").exists()


def test_imports_at_the_same_time_leave_one_whole_file(pickled, opened, tmp_path):
    out = tmp_path / "both.safetensors"
    code = (
        "import sys; from pathlib import Path; from benchmark.data.feature_files.reading import import_features;"
        "import_features(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    racers = [subprocess.Popen([sys.executable, "-c", code, pickled, out], cwd=ROOT) for _ in range(3)]
    assert [racer.wait() for racer in racers] == [0, 0, 0]
    assert out.read_bytes() == opened.read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_a_simulated_corpus_is_written_whole_and_never_taken_for_people(tmp_path: Path) -> None:
    out, (name, spec) = tmp_path / "meld_multimodal_features.safetensors", parse_corpus("meld-sim(scale=0.02,stay=0)")
    corpus = simulate_spec(spec, 3)
    export_corpus(out, corpus, name, spec, 3)

    held = load_features(out)
    assert held.ids == corpus.ids
    for m, x in corpus.features.items():
        np.testing.assert_array_equal(held.features[m], x)
    assert open_features(out).simulated == name
    with pytest.raises(DataError, match=r"a simulated corpus, not meld; run it as --datasets 'meld-sim\(scale=0.02"):
        load_features(out, "meld")


@pytest.mark.parametrize(
    "offsets",
    [
        lambda n, c: [0, 2**62, -(2**62), *range(3, c), n],  # differences wrap around to positive ones
        lambda n, c: [0, 2**63 - 1, -(2**63), *range(3, c), n],
        lambda n, c: [0, *[2**63 - 1] * (c - 1), n],
    ],
)
def test_offsets_that_wrap_around_are_refused(opened, tmp_path, offsets):
    whole = load_features(opened)
    n, c = len(whole.speaker), len(whole.ids)
    path = tmp_path / "wrapped.safetensors"
    wrapped = np.array(offsets(n, c), np.int64)
    assert len(wrapped) == c + 1
    save(path, replace(whole, offsets=wrapped), "meld")
    assert f"offsets do not rise from 0 to the number of utterances, {n}" in refusal(path)
