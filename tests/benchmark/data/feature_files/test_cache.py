import logging
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.base.errors import DataError
from benchmark.base.files import cache_folder
from benchmark.data import load_features
from benchmark.data.feature_files import reading
from benchmark.data.feature_files.cache import load_cached
from benchmark.data.feature_files.open_format import save
from tests.benchmark.data.feature_files.comparing import same
from tests.paths import ROOT


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CSSBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def path(tmp_path, meld_items):
    path = tmp_path / "meld.pkl"
    path.write_bytes(pickle.dumps(tuple(meld_items)))
    return path


@pytest.fixture
def reads(monkeypatch):
    """Every pickle that is read."""
    seen, original = [], reading.read_pickle
    monkeypatch.setattr(reading, "read_pickle", lambda file: seen.append(file.name) or original(file))
    return seen


def kept(folder):
    (file,) = (folder / "features").iterdir()
    return file


def test_a_pickle_is_read_once(path, reads):
    assert same(load_cached(path, "meld"), load_cached(path, "meld"))
    assert len(reads) == 1
    assert same(load_cached(path, "meld"), load_features(path))


def test_a_copy_under_another_name_is_not_read_again(path, reads, tmp_path):
    load_cached(path, "meld")
    load_cached(Path(shutil.copy(path, tmp_path / "other")), "meld")
    assert len(reads) == 1


def test_another_content_of_the_same_size_and_date_is_read(path, reads, meld_items):
    load_cached(path, "meld")
    stat = path.stat()
    meld_items[2][2] = [4]
    path.write_bytes(pickle.dumps(tuple(meld_items)))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    assert load_cached(path, "meld").label[0] == 4
    assert len(reads) == 2


def test_every_choice_of_inputs_is_kept_apart(path, reads):
    choices = [(m, v) for m in (("text", "audio", "visual"), ("text",)) for v in ("1", "2", "mean", "concat")]
    for _ in range(2):
        for modalities, view in choices:
            expected = load_features(path, modalities=modalities, text_view=view)
            assert same(load_cached(path, "meld", modalities, view), expected)
    assert len(reads) == 3 * len(choices)  # twice above, once for the cache


@pytest.mark.parametrize("place", [0, 3, 8, 40, 0.1, 0.3, 0.5, 0.7, 0.9, -1])
@pytest.mark.parametrize("damage", ["flip", "cut"])
def test_a_damaged_cache_is_made_anew(path, folder, reads, place, damage):
    load_cached(path, "meld")
    expected = load_features(path)  # not mapped from the file that is damaged
    file = kept(folder)
    whole = file.read_bytes()
    at = int(place * len(whole)) if isinstance(place, float) else place % len(whole)
    file.write_bytes(whole[:at] + (bytes([whole[at] ^ 1]) + whole[at + 1 :] if damage == "flip" else b""))
    assert same(load_cached(path, "meld"), expected)
    assert len(reads) == 3
    assert file.read_bytes() == whole


def test_what_other_code_read_is_not_used(path, folder, reads, monkeypatch):
    load_cached(path, "meld")
    monkeypatch.setattr(reading, "reader_fingerprint", lambda: "other")
    load_cached(path, "meld")
    load_cached(path, "meld")
    assert len(reads) == 2
    kept(folder)  # it took the place of the first


def test_a_sound_file_of_another_source_is_not_used(path, folder, reads):
    c = load_cached(path, "meld")
    save(kept(folder), c, "meld")
    load_cached(path, "meld")
    assert len(reads) == 2


def test_a_cache_that_cannot_be_written_is_done_without(path, folder, caplog, reads):
    folder.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        assert same(load_cached(path, "meld"), load_features(path))
    assert "features are not cached" in caplog.text


def test_errors_are_those_of_reading_and_leave_nothing(path, folder, tmp_path):
    with pytest.raises(DataError, match="layout of meld, not of iemocap"):
        load_cached(path, "iemocap")
    with pytest.raises(DataError, match="No such file"):
        load_cached(tmp_path / "none", "meld")
    with pytest.raises(DataError, match="not a file"):
        load_cached(tmp_path, "meld")
    assert not folder.exists()


def test_a_file_in_the_open_format_is_not_kept_again(path, folder, tmp_path):
    reading.import_features(path, tmp_path / "f.safetensors")
    assert same(load_cached(tmp_path / "f.safetensors", "meld"), load_features(path))
    assert not folder.exists()


def test_starts_at_the_same_time_all_get_the_data(path, folder):
    code = (
        "import sys; from pathlib import Path; from benchmark.data.feature_files.cache import load_cached;"
        "print(load_cached(Path(sys.argv[1]), 'meld').features['text'].tolist())"
    )
    racers = [subprocess.Popen([sys.executable, "-c", code, path], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(3)]
    said = {racer.communicate()[0] for racer in racers}
    assert said == {f"{load_features(path).features['text'].tolist()}\n".encode()}
    kept(folder)


def test_without_a_choice_the_cache_is_the_users_own(monkeypatch):
    monkeypatch.setenv("CSSBENCH_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder().name in ("css-bench", "Cache")


def test_arrays_do_not_outlive_their_bytes(path, folder):
    text = load_cached(path, "meld").features["text"]
    expected = text.copy()
    kept(folder).unlink()
    np.testing.assert_array_equal(text, expected)
