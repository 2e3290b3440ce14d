import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.base.errors import DataError
from benchmark.data.feature_files import reading
from benchmark.data.feature_files.reading import (
    PUBLISHED_SHA256,
    find_feature_file,
    fingerprint,
    load_features,
)
from tests.paths import ROOT

REAL = ROOT.parent / "shared" / "data"
MiB = 2**20


def saved(path, items, protocol=4):
    path.write_bytes(pickle.dumps(tuple(items), protocol))
    return path


def refusal(path, dataset=None):
    with pytest.raises(DataError) as caught:
        load_features(path, dataset)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture(params=["iemocap", "meld"])
def items(request):
    return request.getfixturevalue(f"{request.param}_items")


@pytest.mark.parametrize("protocol", range(6))
def test_a_file_of_any_protocol_is_read(tmp_path, items, protocol):
    c = load_features(saved(tmp_path / "features", items, protocol))
    assert len(c) == len(items[0])
    assert c.features["text"].shape == (c.utterances, 5)
    if len(items) == 12:
        np.testing.assert_array_equal(c.features["text"][0], items[3]["c1"][0])


def test_sets_of_ids_are_read(tmp_path, items):
    items[10], items[11] = set(items[10]), frozenset(items[11])
    assert len(load_features(str(saved(tmp_path / "features", items)))) == len(items[0])


def test_the_other_layout_is_an_error_that_names_both(tmp_path, iemocap_items):
    path = saved(tmp_path / "features", iemocap_items)
    assert load_features(path, "iemocap")
    message = refusal(path, "meld")
    assert message.startswith(f"{path}: ")
    assert "layout of iemocap, not of meld" in message


def test_an_unknown_data_set_is_an_error_that_lists_the_known(tmp_path):
    assert "'iemocap-sim' are known: choose from iemocap, meld" in refusal(tmp_path / "features", "iemocap-sim")


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    assert "No such file" in refusal(tmp_path / "features.pkl")


def test_a_folder_is_no_file(tmp_path):
    assert "not a file" in refusal(tmp_path)


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "features").touch()
    assert "empty file" in refusal(tmp_path / "features")


def test_a_file_above_the_limit_is_not_opened(tmp_path):
    path = tmp_path / "features"
    with path.open("wb") as file:
        file.truncate(reading.MAX_BYTES + 1)  # sparse: takes no room on the disk
    assert f"where {reading.MAX_BYTES} at most are read" in refusal(path)


def test_lack_of_memory_is_an_error_with_a_remedy(tmp_path, items, monkeypatch):
    def full(_content):
        raise MemoryError

    monkeypatch.setattr(reading, "read_pickle", full)
    assert "needs more memory than there is" in refusal(saved(tmp_path / "features", items))


def test_a_file_that_would_run_a_command_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("features").write_bytes(b"cposix\nsystem\nX\x0c\x00\x00\x00touch canary\x85R.")
    assert "refused the name 'posix.system' at byte 0; nothing was executed" in refusal("features")
    assert not Path("canary").exists()


def named_often(vector, times):
    """A 12-tuple by hand: one conversation whose utterances are all the same objects."""
    items = [{"c": [v] * times} for v in ("u", "F", 0, vector, 0, 0, 0, vector, vector, "s")]
    return [*items, ["c"], []]


BOMBS = {
    "one vector named often": named_often(np.zeros(1000), 20_000),
    "array without values": named_often(np.zeros(3), 1)[:3] + [{"c": np.empty((10**12, 0))}] * 7 + [["c"], []],
    "long array without values": [{"c": np.empty((10**12, 0))}] * 10 + [["c"], []],
    "ids without values": [*named_often(np.zeros(3), 1)[:10], np.empty((10**12, 0)), []],
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_takes_little_memory(tmp_path, bomb):
    path = saved(tmp_path / "features", BOMBS[bomb])
    tracemalloc.start()
    try:
        refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 100 * MiB + path.stat().st_size
    finally:
        tracemalloc.stop()


def test_billion_laughs_are_refused_without_laughing(tmp_path):
    laughs = []
    for _ in range(200):
        laughs = [laughs] * 10
    path = saved(tmp_path / "features", [{"c": laughs}] * 10 + [laughs, laughs])
    assert "is missing from the items" in refusal(path)


def test_deep_nesting_is_refused_without_recursion(tmp_path):
    path = tmp_path / "features"
    path.write_bytes(
        b"(" + b"]" * 200_000 + b"a" * 199_999 + b"0" + b"N" * 11 + b"]" * 200_000 + b"a" * 199_999 + b"t."
    )
    assert "item 0 (ids) is a NoneType" in refusal(path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.integers(0, 5))
def test_a_changed_file_is_read_or_refused_and_nothing_else(tmp_path, items, data, protocol):
    content = bytearray(pickle.dumps(tuple(items), protocol))
    places = st.integers(0, len(content) - 1)
    for at, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=6)):
        content[at] = byte
    path = tmp_path / "features"
    path.write_bytes(content)
    try:
        c = load_features(path)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017  # either outcome is right
    else:
        assert all(np.isfinite(x).all() for x in c.features.values())
        assert 0 <= c.label.min() <= c.label.max() < len(c.class_names)


def test_a_feature_file_is_found_by_its_usual_name(tmp_path, items):
    path = saved(tmp_path / "iemocap_multimodal_features.pkl", items)
    assert find_feature_file(tmp_path, "iemocap") == path


def test_a_missing_feature_file_is_an_error_that_says_what_is_there(tmp_path):
    (tmp_path / "other.pkl").touch()
    with pytest.raises(
        DataError, match=r"no meld_multimodal_features.pkl \(or .safetensors\) in .*, which holds other.pkl; put"
    ):
        find_feature_file(tmp_path, "meld")
    for n in range(12):
        (tmp_path / f"{n:x}").touch()
    with pytest.raises(DataError, match=r"which holds 0, 1, .*9 and 3 more; put"):
        find_feature_file(tmp_path, "meld")


def test_an_empty_or_missing_folder_is_an_error_that_says_what_was_looked_for(tmp_path):
    with pytest.raises(DataError, match="which holds nothing"):
        find_feature_file(tmp_path, "meld")
    with pytest.raises(DataError, match=r"no folder .*nowhere to look for meld_multimodal_features.pkl in"):
        find_feature_file(tmp_path / "nowhere", "meld")


def test_the_fingerprint_is_the_sha256_of_the_content(tmp_path):
    (tmp_path / "features").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert fingerprint(tmp_path / "features") == expected
    with pytest.raises(DataError, match="No such file"):
        fingerprint(tmp_path / "missing")


def test_the_published_fingerprints_are_two_sha256():
    assert set(PUBLISHED_SHA256) == {"iemocap", "meld"}
    assert all(len(bytes.fromhex(digest)) == 32 for digest in PUBLISHED_SHA256.values())


def test_reading_needs_neither_torch_nor_pandas():
    script = (
        "import sys, benchmark.data.feature_files.reading; assert not {'torch', 'pandas', 'mlflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def real(dataset):
    if not REAL.is_dir():
        pytest.skip(f"no {REAL}")
    return load_features(find_feature_file(REAL, dataset), dataset)


def counts(c):
    """Per split: conversations, utterances, and utterances of each label."""
    parts = {split: c.where(split) for split in dict.fromkeys(c.split)}
    return {
        s: (len(p), p.utterances, np.bincount(p.label, minlength=len(c.class_names)).tolist()) for s, p in parts.items()
    }


@pytest.mark.real_data
def test_the_real_iemocap_has_its_known_counts():
    c = real("iemocap")
    assert counts(c) == {
        "train": (120, 5810, [504, 839, 1324, 933, 742, 1468]),
        "test": (31, 1623, [144, 245, 384, 170, 299, 381]),
    }
    assert {m: x.shape for m, x in c.features.items()} == {
        "text": (7433, 384),
        "audio": (7433, 16),
        "visual": (7433, 6),
    }
    assert c.lengths.max() == 110
    assert sorted(set(c.speaker.tolist())) == [0, 1]
    assert list(c.ids) == sorted(c.ids)


@pytest.mark.real_data
def test_the_real_meld_has_its_known_counts():
    c = real("meld")
    assert counts(c) == {
        "train": (1038, 9989, [4710, 1205, 268, 683, 1743, 271, 1109]),
        "dev": (114, 1109, [470, 150, 40, 111, 163, 22, 153]),
        "test": (280, 2610, [1256, 281, 50, 208, 402, 68, 345]),
    }
    assert {m: x.shape for m, x in c.features.items()} == {
        "text": (13708, 384),
        "audio": (13708, 16),
        "visual": (13708, 6),
    }
    assert c.lengths.max() == 33
    assert c.speaker.max() < 9
    assert c.ids == tuple(str(n) for n in range(1433) if n != 60)
