"""How long a store takes: `nox -s perf -- tests/perf/test_store.py`."""

import json
import subprocess
import sys
import time

import pytest

RUNS = 10_000


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of ten thousand finished runs, of the size that real ones have (JSON only: no listing reads tables)."""
    root = tmp_path_factory.mktemp("store")
    training = dict.fromkeys("abcdefghijkl", 0.125)
    scores = {"epoch": 7, "accuracy": 0.5123456789012345, "weighted_f1": 0.5123456789012345, "macro_f1": 0.4123456}
    details = {"per_class_f1": [0.123456789] * 7, "confusion": [[123] * 7] * 7, "nll": 1.5, "ece": 0.1, "brier": 0.7}
    result = {
        "selected": scores | details,
        "last": scores,
        "peak_test": scores,
        "files": dict.fromkeys("abcdefg", "0" * 64),
    }
    for number in range(RUNS):
        key = f"{number * 2654435761 % 2**64:016x}"
        spec = {"format": 1, "key": key, "group": key, "budget": key, "dataset": "meld", "method": "spf+pgm"}
        spec |= {"label": "css", "seed": number, "preset": "full", "training": training}
        (folder := root / "runs" / key).mkdir(parents=True)
        (folder / "spec.json").write_text(json.dumps(spec, indent=1))
        (folder / "result.json").write_text(json.dumps(result, indent=1))
    return root


@pytest.mark.benchmark(group="store", timer=time.perf_counter)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_listing_ten_thousand_runs(benchmark, store, form):
    """The whole command, from the start of Python to its end."""
    command = [sys.executable, "-c", "from benchmark.cli import main; main()", "runs", "--store", str(store), *form]

    def listed():
        return subprocess.run(command, capture_output=True, check=True).stdout

    assert benchmark.pedantic(listed, rounds=3, warmup_rounds=1).count(b"full") == RUNS
