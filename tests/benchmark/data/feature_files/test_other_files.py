"""Files that are no pickles are named for what they are."""

import gzip
import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.base.errors import DataError, UserError
from benchmark.data import load_features
from benchmark.data.feature_files.reading import open_own
from benchmark.evaluation.checkpoints import read_checkpoint
from benchmark.evaluation.predictions.tables import read_table
from benchmark.workflows.lock import read_lock


def torch_saved() -> bytes:
    file = io.BytesIO()
    torch.save((1, 2), file)
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("meld.pkl", b"x")
    return file.getvalue()


def array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


FILES = {
    b"conversation,utterance,predicted\n1,0,3\n": "CSV",
    b"a\tb\n1\t2\n": "a table with tabs",
    "name;caf\u00e9\n".encode() * 500: "CSV with semicolons",
    b"<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title>": "a web page (Google Drive's, about its quota",
    b"\n <html><body>404": "a web page, saved",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n": "git lfs pull",
    gzip.compress(pickle.dumps((1, 2))): "gunzip",
    torch_saved(): "torch.load",
    zipped(): "a zip archive; unpack it first",
    array(): "an array of numpy's",
    b'{"text": [1, 2]}': "JSON",
    b"see the readme\n": "text, not a file of features",
}


@pytest.mark.parametrize(("content", "words"), FILES.items(), ids=range(len(FILES)))
def test_what_is_no_pickle_is_named_with_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "meld_multimodal_features.pkl"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_features(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: this is not a pickle but ")
    assert words in message
    assert "\n" not in message


IN_PLACE = {
    b"<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title>": "download it with a browser",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n": "git lfs pull",
    gzip.compress(b"a,b\n1,2\n"): "gunzip",
}


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        (open_own, "corpus.safetensors"),
        (read_checkpoint, "model.pt"),
        (lambda path: read_table(path, ["predicted"], "test utterance"), "theirs.csv"),
        (lambda path: read_table(path, ["predicted"], "test utterance"), "theirs.parquet"),
        (lambda path: read_lock(path, None), "benchmark.lock"),
    ],
)
@pytest.mark.parametrize(("content", "words"), IN_PLACE.items(), ids=range(len(IN_PLACE)))
def test_what_stands_in_place_of_any_file_is_named(
    tmp_path: Path, reader: Callable[[Path], object], name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        reader(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: this is ")
    assert words in str(caught.value)


@pytest.mark.parametrize("protocol", [0, 4])
def test_a_pickle_that_is_cut_off_is_still_called_so(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "f.pkl").write_bytes(pickle.dumps((np.zeros(3), "x", [1] * 9), protocol)[:-5])
    with pytest.raises(DataError, match="not a whole pickle"):
        load_features(tmp_path / "f.pkl")


def test_what_a_pickle_may_not_name_is_still_said_where_it_is_text(tmp_path: Path) -> None:
    (tmp_path / "f.pkl").write_bytes(b"cos\nsystem\n(S'touch canary'\ntR.")
    with pytest.raises(DataError, match=r"refused the name 'os.system' at byte 0; nothing was executed"):
        load_features(tmp_path / "f.pkl")
