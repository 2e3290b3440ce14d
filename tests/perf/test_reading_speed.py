"""A full-size pickle of MELD's layout: CPU seconds, and peak memory above the imports, of first and later starts."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.paths import ROOT

pytestmark = pytest.mark.benchmark(group="full-size feature file, whole processes", timer=lambda: sum(os.times()[2:4]))

UTTERANCES, IDS = 13_708, [c for c in range(1433) if c != 60]
SCRIPT = """
import sys
from pathlib import Path
def peak():  # KiB
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
from benchmark.data.datasets import dataset
from benchmark.data.feature_files.reading import import_features, load_features
before, path = peak(), Path(sys.argv[1])
read = {
    "pickle": lambda: load_features(path),
    "cache": lambda: dataset("meld", path.parent).load(),
    "import": lambda: import_features(path, path.with_suffix(".out")),
}[sys.argv[2]]
used = sum(x.nbytes for x in read().features.values())
print((peak() - before) / 1024, used / 2**20)
"""


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """13,708 × (4·1024 + 300 + 342) float32 in protocol 2: 402 MB."""
    rng, lengths = np.random.default_rng(0), np.full(len(IDS), UTTERANCES // len(IDS))
    lengths[: UTTERANCES % len(IDS)] += 1

    def dicts(value):
        return {c: [value() for _ in range(n)] for c, n in zip(IDS, lengths.tolist(), strict=True)}

    def vectors(width):
        return dicts(lambda: rng.standard_normal(width, np.float32))

    items = [dicts(str), dicts(lambda: np.eye(9)[0]), dicts(int), *(vectors(w) for w in (1024,) * 4), vectors(300)]
    items += [vectors(342), dicts(str), [c for c in IDS if c < 1153], [c for c in IDS if c >= 1153], None]
    path = tmp_path_factory.mktemp("full") / "meld_multimodal_features.pkl"
    with path.open("wb") as file:
        pickle.dump(tuple(items), file, 2)
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(("what", "rounds"), [("pickle", 2), ("import", 1), ("cache", 5)])
def test_full_size_file(benchmark, full, what, rounds):
    """Of the cache: later starts, since the warm-up is the first."""
    environment = os.environ | {"CSSBENCH_CACHE": str(full.parent / "cache")}

    def start():
        words = [sys.executable, "-c", SCRIPT, full, what]
        return subprocess.run(words, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    said = benchmark.pedantic(start, rounds=rounds, warmup_rounds=int(what == "cache"))
    peak, used = map(float, said.split())
    benchmark.extra_info |= {"peak MiB": round(peak), "arrays MiB": round(used), "ratio": round(peak / used, 2)}
