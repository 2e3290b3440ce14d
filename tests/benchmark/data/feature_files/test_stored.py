"""Large arrays stay in the file until they are wanted, and nothing of what they were read from stays in memory."""

import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from benchmark.base.errors import DataError
from benchmark.data.feature_files.stored import LARGE, StoredArray, loaded
from benchmark.data.feature_files.unpickle import read_pickle
from tests.benchmark.data.feature_files.hostile import FLOAT32, array_of
from tests.paths import ROOT

N = LARGE  # values, so that every dtype below is large
MATRIX = np.random.default_rng(0).standard_normal((4, N)).astype(np.float32)
ARRAYS = {
    "float32": MATRIX,
    "float64, Fortran": np.asfortranarray(MATRIX.astype(np.float64)),
    "float16": MATRIX.astype(np.float16),
    "big-endian": MATRIX.astype(">f4"),
    "int64": np.arange(-5, N),
    "bytes": np.arange(N).astype(np.uint8),
}


@pytest.mark.parametrize("protocol", range(1, 6))
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_a_large_array_is_stored_and_loads_equal(array, protocol):
    stored = read_pickle(pickle.dumps(array, protocol))
    assert isinstance(stored, StoredArray)
    assert (stored.shape, stored.ndim, len(stored), stored.dtype) == (array.shape, array.ndim, len(array), array.dtype)
    np.testing.assert_array_equal(loaded(stored), array)


@pytest.mark.parametrize("array", [np.array(["x" * N]), np.zeros(N, bool), np.zeros(LARGE // 4 - 1, np.float32)])
def test_strings_truths_and_small_arrays_are_not_stored(array):
    read = read_pickle(pickle.dumps(array, 4))
    assert isinstance(read, np.ndarray)
    np.testing.assert_array_equal(read, array)


def test_python_2s_strings_are_stored_too():
    values = np.arange(300, dtype="<f4")
    count, length = (300).to_bytes(2, "little"), (1200).to_bytes(4, "little")
    stored = read_pickle(array_of(b"(K\x01M" + count + b"\x85" + FLOAT32 + b"\x89T" + length + values.tobytes() + b"t"))
    assert isinstance(stored, StoredArray)
    np.testing.assert_array_equal(stored.load(), values)


def test_text_forms_that_are_not_the_values_are_copied():
    array = np.arange(300.0)
    read = read_pickle(pickle.dumps(array, 0))
    assert isinstance(read, np.ndarray)
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("protocol", range(6))
def test_an_array_that_is_fetched_again_is_the_same_array(protocol):
    first, second, text = read_pickle(pickle.dumps([MATRIX, MATRIX, "x" * 1000], protocol))
    assert first is second
    assert text == "x" * 1000


UNFILLED = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
STATE = b"(K\x01K\x01\x85" + FLOAT32 + b"\x89C\x04\x00\x00\x80?tb"


def test_an_array_takes_its_place_in_the_memo_when_it_gets_its_values():
    """Entries 0 and 1 were put before; 2 holds the number that took the place of another reference to the array."""
    array, first, second, other = read_pickle(
        b"(" + UNFILLED + b"q\x00q\x01q\x020K\x07q\x020h\x00" + STATE + b"h\x00h\x01h\x02t."
    )
    assert array is first is second
    assert array.tolist() == [1.0]
    assert other == 7


def test_an_array_that_was_used_before_it_had_values_stays_inert_there():
    early, array = read_pickle(UNFILLED + b"q\x00]h\x00a0" + b"]h\x00ah\x00" + STATE + b"\x86.")
    assert not isinstance(early[0], np.ndarray | StoredArray)
    assert array.tolist() == [1.0]


def test_giving_an_array_values_again_and_again_takes_no_longer_for_what_the_memo_holds():
    n = 20_000  # of each; their product would take a minute
    puts = b"".join(b"r" + i.to_bytes(4, "little") for i in range(n)) + b"2" * n
    gets = b"".join(b"j" + i.to_bytes(4, "little") + b"0" for i in range(n))
    read_pickle(UNFILLED + puts + (STATE + b"0") * n + gets + b"N.")


def test_what_nothing_fetches_is_not_remembered():
    content = b"".join(b"]r" + i.to_bytes(4, "little") + b"0" for i in range(20_000)) + b"N."
    tracemalloc.start()
    read_pickle(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**18


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path):
    path = tmp_path / "array"
    path.write_bytes(pickle.dumps(MATRIX, 4))
    with path.open("r+b") as file:
        stored = read_pickle(file)
        file.truncate(1000)
        with pytest.raises(DataError, match="was changed while it was read"):
            stored.load()


SCRIPT = """
import sys
from pathlib import Path
from benchmark.data.feature_files.cache import load_cached
from benchmark.data.feature_files.reading import import_features, load_features
def peak():  # KiB; ru_maxrss of a fresh process may still be its parent's
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
small, large, what = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
read = {
    "load": load_features,
    "cache": lambda path: load_cached(path, "meld"),
    "import": lambda path: import_features(path, path.with_suffix(".safetensors")),
}[what]
read(small)  # imports and warms up
before = peak()
c = read(large)
print((peak() - before) * 1024 / sum(x.nbytes for x in c.features.values()))
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file of MELD's layout of 40 MiB in protocol 2, whose four views of the text are most of it, and a small one."""
    folder, rng = tmp_path_factory.mktemp("large"), np.random.default_rng(0)
    for name, utterances in (("small", 1), ("large", 20)):
        ids = [*range(100), 1200]

        def dicts(value, ids=ids, utterances=utterances):
            return {c: [value() for _ in range(utterances)] for c in ids}

        def vectors(width, dicts=dicts):
            return dicts(lambda: rng.standard_normal(width).astype(np.float32))

        items = [dicts(str), dicts(lambda: np.eye(9)[0]), dicts(int), *(vectors(1024) for _ in range(4))]
        items += [vectors(300), vectors(342), dicts(str), ids[:-1], ids[-1:], None]
        (folder / name).write_bytes(pickle.dumps(tuple(items), 2))
    return folder


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("what", ["load", "cache", "import"])
def test_reading_takes_little_more_memory_than_the_arrays_that_are_used(large, what, tmp_path, monkeypatch):
    monkeypatch.setenv("CSSBENCH_CACHE", str(tmp_path))
    (large / f"{what}.pkl").hardlink_to(large / "large")
    (large / f"{what}-small.pkl").hardlink_to(large / "small")
    words = [sys.executable, "-c", SCRIPT, large / f"{what}-small.pkl", large / f"{what}.pkl", what]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    assert float(done.stdout) < 1.5
