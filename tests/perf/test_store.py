"""How long a store takes: `nox -s perf -- tests/perf/test_store.py`."""

import json
import subprocess
import sys
import time

import pytest

from reports.reading.seals import file_seal, seal

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
    }
    for number in range(RUNS):
        key = f"{number * 2654435761 % 2**64:016x}"
        spec = {"format": 1, "key": key, "group": key, "budget": key, "dataset": "meld", "method": "spf+pgm"}
        spec |= {"label": "css", "seed": number, "preset": "full", "training": training, "provenance": {}}
        (folder := root / "runs" / key).mkdir(parents=True)
        (folder / "spec.json").write_text(json.dumps(spec, indent=1))
        files = {"spec.json": file_seal(folder / "spec.json"), **dict.fromkeys("abcdef", "0" * 64)}
        whole = result | {"files": files}
        (folder / "result.json").write_text(json.dumps(whole | {"checksum": seal(whole)}, indent=1))
    return root


@pytest.mark.benchmark(group="store", timer=time.perf_counter)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_listing_ten_thousand_runs(benchmark, store, form):
    """The whole command, from the start of Python to its end."""
    command = [sys.executable, "-c", "from benchmark.cli import main; main()", "runs", "--store", str(store), *form]

    def listed():
        return subprocess.run(command, capture_output=True, check=True).stdout

    assert benchmark.pedantic(listed, rounds=3, warmup_rounds=1).count(b"full") == RUNS


@pytest.mark.benchmark(group="grid", timer=time.perf_counter)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_grid_on_one_and_two_workers(benchmark, tmp_path, workers):
    """Eight runs of equal length, from the first one's start: the ratio of the two is the use of the second core."""
    from benchmark.data.datasets import dataset
    from benchmark.execution.local import Scheduler
    from benchmark.execution.tasks import Task
    from benchmark.experiment.grid import expand
    from benchmark.experiment.presets import load_preset
    from benchmark.store.store import Store

    data = dataset("iemocap-sim", None)
    specs = expand(load_preset("quick"), [data], ["css"], range(8), training={"epochs": 10})
    store = Store(tmp_path)
    store.prepare()
    events = Scheduler(store, workers).run([Task(spec, data, None) for spec in specs])
    next(events)  # the first worker has started Python and torch
    benchmark.pedantic(lambda: list(events), rounds=1)
    assert all(store.is_whole(spec.key) for spec in specs)
    benchmark.extra_info |= {"runs a minute": round(60 * len(specs) / benchmark.stats.stats.total, 2)}


@pytest.mark.benchmark(group="tracking", timer=time.process_time)
def test_logging_sixty_runs_to_a_new_database(benchmark, tmp_path):
    """CPU seconds that MLflow takes of a `quick` grid (60 runs, 20 epochs), its import and migrations included."""
    from benchmark.tracking.tracker import Tracker
    from benchmark.tracking.uris import default_uri
    from tests.benchmark.synthetic import write_run

    folders = [write_run(tmp_path / "runs", f"{number:016x}") for number in range(60)]
    manifest = {"git": None, "data": {"kind": "simulated", "fingerprint": "f" * 64}}
    epoch = {f"metric_{number}": 0.5 for number in range(8)}

    def log():
        missing = []
        with Tracker(default_uri(tmp_path), missing.append) as tracker:
            for folder in folders:
                tracker.run_started(json.loads((folder / "spec.json").read_text()), manifest)
                for step in range(1, 21):
                    tracker.epoch(folder.name, epoch, step)
                tracker.run_finished(folder.name, folder)
            assert tracker.close(600) == 0, missing

    benchmark.pedantic(log, rounds=1)
