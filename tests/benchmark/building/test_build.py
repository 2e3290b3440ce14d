"""A corpus from arrays: what it holds, and every mistake by its place, value and remedy."""

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmark.audit import audit_file
from benchmark.base.errors import DataError
from benchmark.building import Built, MistakesError, build
from benchmark.data import load_features
from benchmark.data.datasets import dataset
from tests.benchmark.building.monologues import HEADER, write_monologues, write_table
from tests.benchmark.harness import Say

ROWS: Sequence[Sequence[object]] = (
    ("a", 0, "A", "sad", "train", "well"),
    ("a", 1, "B", "glad", "train", "yes, well"),
    ("b", 0, "A", "sad", "dev", "no"),
    ("c", 0, "A", "glad", "test", "well"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four utterances with text of two numbers."""
    write_table(tmp_path, ROWS)
    np.save(tmp_path / "text.npy", np.arange(8, dtype=np.float64).reshape(4, 2))
    return tmp_path


def changed(line: int, **fields: object) -> list[list[object]]:
    """The rows with other values in that line of the table."""
    rows = [list(row) for row in ROWS]
    for name, value in fields.items():
        rows[line - 2][HEADER.index(name)] = value
    return rows


def refusal(folder: Path, **options: Any) -> str:
    """All that is said against building from the folder, which then has no other file."""
    before = sorted(folder.iterdir())
    with pytest.raises(DataError) as caught:
        build(folder, "mine", **options)
    assert sorted(folder.iterdir()) == before
    lines = caught.value.lines if isinstance(caught.value, MistakesError) else [str(caught.value)]
    assert all(len(line.splitlines()) == 1 for line in lines)
    return "\n".join(lines)


def test_a_corpus_holds_what_its_files_say(folder: Path) -> None:
    built = build(folder, "mine")
    held = load_features(built.file, modalities=("text",))
    assert held.label is not None
    assert (held.ids, held.split, held.class_names) == (("a", "b", "c"), ("train", "dev", "test"), ("glad", "sad"))
    assert (held.label.tolist(), held.speaker.tolist(), held.speakers) == ([1, 0, 1, 0], [0, 1, 0, 0], 2)
    assert held.offsets.tolist() == [0, 2, 3, 4]
    assert held.features["text"].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert dataset("mine", folder).inputs.modalities == ("text",)
    assert built.strangers == []


def test_rows_in_another_order_are_sorted_with_their_vectors(folder: Path) -> None:
    write_table(folder, [ROWS[1], ROWS[3], ROWS[0], ROWS[2]])
    held = load_features(build(folder, "mine").file, modalities=("text",))
    assert held.ids == ("a", "c", "b")
    assert held.features["text"].tolist() == [[4, 5], [0, 1], [2, 3], [6, 7]]


def test_sentences_are_kept_for_the_audit_which_compares_them(folder: Path) -> None:
    messages = [finding.message for finding in audit_file(build(folder, "mine").file).findings]
    assert "utterances whose sentence is in train too: 0 of dev, 1 of test" in messages
    write_table(folder, [row[:5] for row in ROWS], HEADER[:5])
    built = build(folder, "wordless")
    assert any("no sentences" in finding.message for finding in audit_file(built.file).findings)


def test_damaged_sentences_are_an_error_and_cost_a_run_nothing(folder: Path) -> None:
    file = build(folder, "mine").file
    content = file.read_bytes()
    assert content.count(b"yes, well") == 1
    file.write_bytes(content.replace(b"yes, well", b"yes, hell"))
    with pytest.raises(DataError, match="sentences are damaged"):
        audit_file(file)
    assert len(dataset("mine", folder).load()) == 3


def test_every_kind_of_file_gives_the_same_numbers(folder: Path) -> None:
    array = np.load(folder / "text.npy")
    expected = build(folder, "npy").file
    (folder / "text.npy").unlink()
    np.savez_compressed(folder / "text.npz", anything=array)
    tables = [
        pa.table({"x": array[:, 0], "y": array[:, 1]}),
        pa.table({"x": pa.array(array.tolist())}),
        pa.table({"x": pa.array(array.tolist(), pa.list_(pa.float32(), 2))}),
    ]
    files = [build(folder, "npz").file]
    (folder / "text.npz").unlink()
    for i, table in enumerate(tables):
        pq.write_table(table, folder / "text.parquet")
        files.append(build(folder, f"parquet{i}").file)
    for file in files:
        assert (load_features(file, modalities=("text",)).features["text"] == array).all()
    assert expected.stat().st_size > 0


@pytest.mark.parametrize(
    ("rows", "mistake"),
    [
        (changed(3, split="val"), "utterances.csv, line 3: split is 'val'; write dev"),
        (changed(3, split="x"), "utterances.csv, line 3: split is 'x'; write train, dev or test"),
        (changed(3, utterance="one"), "utterances.csv, line 3: utterance is 'one'; give its number"),
        (changed(3, utterance=-1), "utterances.csv, line 3: utterance is '-1'"),
        (changed(3, label=""), "utterances.csv, line 3: label is empty; fill it in"),
        (changed(4, label="sadd"), "utterances.csv, line 4: label is 'sadd', no class of the training utterances;"),
        (changed(3, utterance=0), "utterances.csv, line 3: utterance 0 of conversation 'a' is in line 2 already"),
        (changed(3, utterance=2), "utterances.csv, line 3: conversation 'a' has utterance 2 and no 1; number its"),
        (changed(4, utterance=1), "utterances.csv, line 4: conversation 'b' has utterance 1 and no 0"),
        (changed(3, split="dev"), "utterances.csv, line 3: conversation 'a' is in dev here and in train in line 2;"),
        (changed(4, split="test"), "utterances.csv: no utterance in split dev"),
        ([row[:5] for row in ROWS], "utterances.csv, line 2: 5 fields where the header has 6; put a field with commas"),
        ([(*row[:2], "A", "sad", *row[4:]) for row in ROWS], "1 class: give 2 to 255, all different"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_table_is_named_by_line_column_value_and_remedy(
    folder: Path, rows: Sequence[Sequence[object]], mistake: str
) -> None:
    write_table(folder, rows)
    assert mistake in refusal(folder)


def test_numbers_from_one_are_as_good_and_mixed_ones_are_not(folder: Path) -> None:
    write_table(folder, [(row[0], int(str(row[1])) + 1, *row[2:]) for row in ROWS])
    assert build(folder, "mine").conversations.utterances == 4
    write_table(folder, changed(2, utterance=2))
    assert "conversation 'a' has utterance 1 and no 0" in refusal_of_other(folder)


def refusal_of_other(folder: Path) -> str:
    with pytest.raises(MistakesError) as caught:
        build(folder, "other")
    return "\n".join(caught.value.lines)


def test_all_mistakes_are_told_at_once(folder: Path, say: Say) -> None:
    rows = changed(3, split="val", label="")
    rows[0][1] = "x"
    write_table(folder, rows)
    assert len(refusal(folder).splitlines()) == 3
    code, _, err = say("data", "build", "--from", folder, "--name", "mine")
    assert code == 2
    assert err.count("utterances.csv, line") == 3
    assert f"error: 3 mistakes in {folder}: correct them; nothing was written" in err


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (b"conversation,utterance,speaker,split\na,0,A,train\n", "line 1: no column label in"),
        (b"conversation;utterance;speaker;label;split\n", "columns are separated by ';'; save it as CSV with commas"),
        (b"conversation,utterance,speaker,label,split,label\n", "column label is there twice"),
        (b"conversation,utterance,speaker,label,split\n", "no utterance under the header"),
        (b"", "no column conversation or utterance"),
        (b"conversation,utterance,speaker,label,split\na,0,\xe9,x,train\n", "not UTF-8"),
        (b'conversation,utterance,speaker,label,split\na,0,"A,x,train\n', "not CSV"),
    ],
)
def test_a_file_that_is_no_such_table_is_named_for_what_it_is(folder: Path, content: bytes, mistake: str) -> None:
    (folder / "utterances.csv").write_bytes(content)
    assert mistake in refusal(folder)


def objects(path: Path) -> None:
    np.save(path, np.array([{}, {}, {}, {}], dtype=object), allow_pickle=True)


def saved(array: Any) -> Callable[[Path], None]:
    return lambda path: np.save(path, array)


@pytest.mark.parametrize(
    ("write", "mistake"),
    [
        (saved(np.zeros((3, 2))), "text.npy: 3 rows where utterances.csv has 4; give a row for each"),
        (saved(np.zeros(4)), "an array of shape (4,); give one of shape (utterances, features)"),
        (saved(np.array([["a"]] * 4)), "values of type <U1, not numbers; save it as float32"),
        (saved(np.array([[0, 1], [2, np.nan], [4, 5], [6, 7]])),
         "text.npy[1, 1] is nan (utterances.csv, line 3); give a finite number"),
        (saved(np.array([[0, 1], [2, 1e300], [4, 5], [6, 7]])), "text.npy[1, 1] is 1e+300 (beyond float32; "),
        (saved(np.full((4, 2), np.inf)), "(and 5 more in text.npy)"),
        (objects, "an array of objects, or a pickle, which could run code; save numbers as float32"),
        (lambda path: path.write_bytes(pickle.dumps([1, 2])), "not an array of numpy's"),
        (lambda path: path.write_bytes(b"\x93NUMPY"), "not an array of numpy's"),
        (lambda path: path.write_bytes(b"PK\x03\x04 not a zip"), "not an array of numpy's"),
        (lambda path: path.unlink(), "no text, audio or visual (.npy, .npz, .parquet) in"),
    ],
)  # fmt: skip
def test_an_array_that_cannot_be_used_is_refused_by_place_and_value(
    folder: Path, write: Callable[[Path], None], mistake: str
) -> None:
    write(folder / "text.npy")
    assert mistake in refusal(folder)


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        (pa.table({"x": ["a"] * 4}), "column 'x' is of type string"),
        (pa.table({"x": [[1.0], [2.0], [3.0, 4.0], [5.0]]}), "row 2 from 0: 2 values where row 0 has 1"),
        (pa.table({"x": [["a"]] * 4}), "lists of string, not of numbers"),
        (pa.table({"x": [1.0, None, 2.0, 3.0]}), "text.parquet[1, 0] is nan (utterances.csv, line 3)"),
        (pa.table({"x": [1.0]}), "1 rows where utterances.csv has 4"),
    ],
)
def test_a_parquet_file_that_cannot_be_used_is_refused(folder: Path, table: Any, mistake: str) -> None:
    (folder / "text.npy").unlink()
    pq.write_table(table, folder / "text.parquet")
    assert mistake in refusal(folder)
    (folder / "text.parquet").write_bytes(b"PAR1 cut")
    assert "text.parquet: " in refusal(folder)


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (pickle.dumps([1, 2]), "an array of objects, or a pickle, which could run code"),
        (b"PK\x03\x04 not a zip", "not an array of numpy's"),
    ],
)
def test_an_archive_that_is_none_is_refused(folder: Path, content: bytes, mistake: str) -> None:
    (folder / "audio.npz").write_bytes(content)
    assert mistake in refusal(folder)
    np.savez(folder / "audio.npz", audio=np.array([{}], dtype=object))
    assert "an array of objects, or a pickle, which could run code" in refusal(folder)


def test_two_arrays_where_one_is_meant_are_refused_and_others_named(folder: Path) -> None:
    np.savez(folder / "audio.npz", a=np.zeros((4, 1)), b=np.zeros((4, 1)))
    assert "audio.npz: arrays a, b; leave one, or name the one to use audio" in refusal(folder)
    np.savez(folder / "audio.npz", audio=np.zeros((4, 1)), b=np.zeros((4, 1)))
    np.save(folder / "vision.npy", np.zeros((4, 1)))
    built = build(folder, "mine")
    assert (list(built.conversations.features), built.ignored) == (["text", "audio"], ["vision.npy"])
    np.save(folder / "audio.npy", np.zeros((4, 1)))
    with pytest.raises(DataError, match=r"audio\.npy and audio\.npz; leave one file of audio"):
        build(folder, "other")


def test_classes_can_be_named_in_their_order(folder: Path) -> None:
    assert build(folder, "mine", classes=["sad", "glad", "angry"]).conversations.class_names == ("sad", "glad", "angry")
    with pytest.raises(MistakesError, match=r"line 3: label is 'glad', no class; the classes are sad, bad: correct it"):
        build(folder, "other", classes=["sad", "bad"])


def test_classes_that_are_numbers_are_in_the_order_of_their_values(folder: Path) -> None:
    write_table(folder, [(*row[:3], {"sad": 10, "glad": -9}[str(row[3])], *row[4:]) for row in ROWS])
    assert build(folder, "mine").conversations.class_names == ("-9", "10")


def test_nothing_is_overwritten_and_a_name_has_to_be_its_own(folder: Path, tmp_path: Path) -> None:
    build(folder, "mine")
    assert "is there already: remove it" in refusal(folder)
    with pytest.raises(DataError, match="cannot be called 'meld'"):
        build(folder, "meld")
    with pytest.raises(DataError, match="no folder"):
        build(folder, "other", tmp_path / "none")
    with pytest.raises(DataError, match="no folder"):
        build(tmp_path / "none", "other")


def test_the_command_says_counts_strangers_and_what_comes_next(tmp_path: Path, say: Say) -> None:
    write_monologues(tmp_path)
    code, out, err = say("data", "build", "--from", tmp_path, "--name", "mosi")
    assert code == 0, err
    assert "mosi.safetensors: 1 speaker; text 6, audio 4" in " ".join(out.split())
    assert out.endswith(
        f"Next: cssbench data audit {tmp_path}/mosi.safetensors\n"
        f"      cssbench run --datasets mosi --data-dir {tmp_path}\n"
    )
    assert "reading audio.npz" in err
    write_table(tmp_path, changed(5, speaker="C"))
    np.save(tmp_path / "text.npy", np.zeros((4, 2)))
    (tmp_path / "audio.npz").rename(tmp_path / "sound.npz")
    code, _, err = say("data", "build", "--from", tmp_path, "--name", "strange")
    assert code == 0
    assert "note: 1 of 3 speakers never in train" in err
    assert "no modality, so not used: sound.npz" in err


def test_building_twice_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    first: Built = build(folder, "mine")
    assert build(folder, "mine", tmp_path / "out").file.read_bytes() == first.file.read_bytes()
