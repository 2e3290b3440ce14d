import json
import math
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmark.base.locks import locked
from benchmark.tracking import tracker as tracking
from benchmark.tracking.entries import summary
from benchmark.tracking.tracker import Tracker
from benchmark.tracking.uris import default_uri, resolve_uri

# MLflow 3.17 itself uses what SQLAlchemy 2.1 deprecates

EPOCHS = 25
DATA = {"kind": "simulated", "description": "made up", "fingerprint": "f" * 64}
MANIFEST = {"git": {"commit": "c0ffee", "dirty": True}, "data": DATA}


def spec(key: str, seed: int = 0, dataset: str = "iemocap-sim") -> dict[str, Any]:
    return {
        "format": 1,
        "key": key,
        "group": "g",
        "budget": "b",
        "dataset": dataset,
        "method": "spf+pgm",
        "label": "css",
        "seed": seed,
        "preset": "quick",
        "fusion": {"name": "spf", "options": {"rank": 8, "gates": True}},
        "training": {"lr": 1e-3, "class_weights": None},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that is complete."""
    folder = tmp_path_factory.mktemp("run")
    scores = {"epoch": 7, "weighted_f1": 0.5, "per_class_f1": [0.4, 0.6], "ece": None}
    result = {
        "selected": scores | {"confusion": [[3, 1], [0, 2]]},
        "last": scores,
        "peak_test": scores,
        "validation": {"epoch": 7, "weighted_f1": 0.75},
        "diverged": False,
        "masked_objectives": {"fused": 0},
        "parameters": {"total": 12},
        "timings": {"train": 2.5},
        "digests": {"weights": "00ff"},
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    manifest = MANIFEST | {"data": DATA | {"classes": ["calm", "angry"]}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in ("spec.json", "predictions.parquet", "steps.parquet"):
        (folder / name).write_bytes(name.encode())
    epochs = list(range(1, EPOCHS + 2))
    pq.write_table(
        pa.table({"epoch": epochs, "train_total": [float(-epoch) for epoch in epochs]}), folder / "history.parquet"
    )
    return folder


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> SimpleNamespace:
    """A grid with every way for a run to end, logged into a fresh database, which takes seconds: once for all tests."""
    root = tmp_path_factory.mktemp("a store")
    warnings: list[str] = []
    tracker = Tracker(default_uri(root), warnings.append)
    with tracker:
        tracker.begin("first", {"command": "cssbench run"})
        tracker.epoch("unknown", {"train_total": 1.0}, 1)
        tracker.run_finished("unknown", folder)
        tracker.run_started(spec("done", seed=3), MANIFEST)
        for step in range(1, EPOCHS + 1):
            tracker.epoch("done", {"validation_weighted_f1": step / EPOCHS, "train_total": -step}, step)
        tracker.epoch("done", {"nan": math.nan, "inf": math.inf, "none": None, "finite": 1.0}, EPOCHS)  # type: ignore[dict-item]
        tracker.run_finished("done", folder)
        tracker.epoch("done", {"late": 1.0}, EPOCHS)
        tracker.run_started(spec("failed", seed=4), MANIFEST | {"git": None})
        tracker.epoch("failed", {"train_total": 1.0}, 1)
        tracker.run_failed("failed", "x" * 10_000 + "ValueError: torn file")
        tracker.run_started(spec("interrupted", seed=5), MANIFEST)
        tracker.run_interrupted("interrupted")
        tracker.run_started(spec("open", seed=6), MANIFEST)
        tracker.run_started(spec("twice", seed=7, dataset="meld-sim"), MANIFEST)
        tracker.run_failed("twice", "killed")
        tracker.run_started(spec("twice", seed=7, dataset="meld-sim"), MANIFEST)
        tracker.run_finished("twice", folder)
        tracker.begin("second", {})
        tracker.run_started(spec("other", seed=8, dataset="meld-sim"), MANIFEST)
        tracker.run_failed("other", "")
        tracker.close(60)
    tracker.close()

    from mlflow import MlflowClient

    client = MlflowClient(default_uri(root))
    runs: dict[str, list[Any]] = {}
    for dataset in ("iemocap-sim", "meld-sim"):
        experiment = client.get_experiment_by_name(f"css-bench/{dataset}")
        for run in client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"]):
            runs.setdefault(run.data.tags.get("key", f"{dataset} {run.info.run_name}"), []).append(run)
    return SimpleNamespace(root=root, client=client, runs=runs, warnings=warnings)


def test_a_grid_is_logged_without_a_warning(grid: SimpleNamespace) -> None:  # test_cli: nor a word on the terminal
    assert not grid.warnings
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_an_invocation_has_one_parent_in_the_experiment_of_each_data_set(grid: SimpleNamespace) -> None:
    children = {"iemocap-sim first": ["done", "failed", "interrupted", "open"], "meld-sim first": ["twice", "twice"]}
    children["meld-sim second"] = ["other"]
    assert sum(map(len, grid.runs.values())) == 10
    for name, keys in children.items():
        (parent,) = grid.runs[name]
        nested = [run for key in set(keys) for run in grid.runs[key]]
        assert len(nested) == len(keys)
        assert {run.data.tags["mlflow.parentRunId"] for run in nested} == {parent.info.run_id}
        assert {run.info.experiment_id for run in nested} == {parent.info.experiment_id}
    assert grid.runs["meld-sim first"][0].data.tags["command"] == "cssbench run"


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("done", ["FINISHED"]),
        ("failed", ["FAILED"]),
        ("interrupted", ["KILLED"]),
        ("open", ["KILLED"]),
        ("twice", ["FAILED", "FINISHED"]),
        ("iemocap-sim first", ["KILLED"]),
        ("meld-sim first", ["FINISHED"]),  # the second attempt counts
        ("meld-sim second", ["FAILED"]),
    ],
)
def test_status_says_how_a_run_ended(grid: SimpleNamespace, name: str, statuses: list[str]) -> None:
    assert sorted(run.info.status for run in grid.runs[name]) == statuses


def test_name_params_and_tags_describe_the_run(grid: SimpleNamespace) -> None:
    (run,) = grid.runs["done"]
    assert run.info.run_name == "css seed 3"
    assert run.data.params == {
        "dataset": "iemocap-sim",
        "method": "spf+pgm",
        "label": "css",
        "seed": "3",
        "preset": "quick",
        "fusion.name": "spf",
        "fusion.rank": "8",
        "fusion.gates": "true",
        "training.lr": "0.001",
        "training.class_weights": "null",
    }
    expected = {"key": "done", "group": "g", "budget": "b", "data_kind": "simulated", "git_dirty": "true"}
    expected["replicates"] = "css, quick (g)"
    assert expected.items() <= run.data.tags.items()
    assert run.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert "git_dirty" not in grid.runs["failed"][0].data.tags


def test_epoch_metrics_keep_their_step_and_the_time_of_the_event(grid: SimpleNamespace) -> None:
    (run,) = grid.runs["done"]
    history = grid.client.get_metric_history(run.info.run_id, "curve/validation/weighted_f1")
    assert [(m.step, m.value) for m in history] == [(step, step / EPOCHS) for step in range(1, EPOCHS + 1)]
    assert all(run.info.start_time <= m.timestamp <= run.info.end_time for m in history)


def test_epochs_that_were_not_seen_live_come_from_the_history(grid: SimpleNamespace) -> None:
    (done,) = grid.runs["done"]
    finished = next(run for run in grid.runs["twice"] if run.info.status == "FINISHED")
    for run in (done, finished):  # all but the last epoch were live in the one, none in the other
        history = grid.client.get_metric_history(run.info.run_id, "curve/train/total")
        assert [(m.step, m.value) for m in history] == [(step, -step) for step in range(1, EPOCHS + 2)]


def test_the_data_set_is_an_input_with_its_fingerprint(grid: SimpleNamespace) -> None:
    (run,) = grid.runs["done"]
    (found,) = run.inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == ("iemocap-sim", "f" * 36)
    assert json.loads(found.dataset.source) == DATA


def test_only_finite_numbers_of_an_open_run_are_logged(grid: SimpleNamespace) -> None:
    (run,) = grid.runs["done"]
    assert run.data.metrics["training/finite"] == 1
    assert not [name for name in run.data.metrics if name.endswith(("nan", "inf", "none", "late"))]


def test_a_finished_run_has_its_scores_and_files(grid: SimpleNamespace, folder: Path) -> None:
    (run,) = grid.runs["done"]
    assert run.data.metrics == {
        "test/selected/epoch": 7,
        "test/selected/weighted_f1": 0.5,
        "test/last/epoch": 7,
        "test/last/weighted_f1": 0.5,
        "test/peak/epoch": 7,
        "test/peak/weighted_f1": 0.5,
        "validation/selected/epoch": 7,
        "validation/selected/weighted_f1": 0.75,
        "curve/validation/weighted_f1": 1,  # of the last epoch
        "curve/train/total": -EPOCHS - 1,
        "training/masked_objectives/fused": 0,
        "training/parameters/total": 12,
        "training/timings/train": 2.5,
        "training/finite": 1,
        "training/diverged": 0,
    }
    names = {file.path for file in grid.client.list_artifacts(run.info.run_id)}
    assert names == {*tracking.ARTIFACTS, "confusion.csv", "confusion.svg"}
    (confusion,) = (grid.root / "mlartifacts" / "iemocap-sim").glob(f"{run.info.run_id}/**/confusion.csv")
    assert confusion.read_text() == "label,calm,angry\ncalm,3,1\nangry,0,2\n"
    (copy,) = (grid.root / "mlartifacts" / "iemocap-sim").glob(f"{run.info.run_id}/**/result.json")
    assert copy.read_bytes() == (folder / "result.json").read_bytes()


def test_curves_are_the_first_charts_and_counts_come_after_the_scores(grid: SimpleNamespace) -> None:
    """MLflow's pages sort sections of charts by what is before the last slash of their names."""
    (run,) = grid.runs["done"]
    sections = sorted({name.rpartition("/")[0] for name in run.data.metrics})
    assert sections[:2] == ["curve/train", "curve/validation"]
    assert sections.index("test/selected") < sections.index("training") < sections.index("training/masked_objectives")


def test_the_parent_has_the_mean_of_each_methods_finished_runs(grid: SimpleNamespace) -> None:
    for name in ("iemocap-sim first", "meld-sim first"):
        (parent,) = grid.runs[name]
        assert parent.data.metrics == {"mean/test weighted_f1/css": 0.5, "runs/finished/css": 1}
    (parent,) = grid.runs["meld-sim second"]  # whose only run failed
    assert parent.data.metrics == {}


def test_a_summary_is_by_method_under_names_that_mlflow_takes() -> None:
    metrics = summary({"css(order=2)": {"a": 0.25, "b": 0.75}, "concat": {"c": 0.5}})
    assert metrics == {
        "mean/test weighted_f1/css-order-2": 0.5,
        "mean/test weighted_f1/concat": 0.5,
        "runs/finished/css-order-2": 2,
        "runs/finished/concat": 1,
    }


def test_a_failed_run_keeps_its_epochs_and_the_end_of_its_error(grid: SimpleNamespace) -> None:
    (run,) = grid.runs["failed"]
    assert run.data.metrics == {"curve/train/total": 1.0}
    assert run.data.tags["error"].endswith("xxxValueError: torn file")


def test_epochs_are_logged_while_the_run_is_going_on(grid: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "FLUSH_SECONDS", 0.02)
    warnings: list[str] = []
    with Tracker(default_uri(grid.root), warnings.append) as tracker:
        tracker.run_started(spec("live"), MANIFEST)
        tracker.epoch("live", {"train_total": 2.0}, 1)
        experiment = grid.client.get_experiment_by_name("css-bench/iemocap-sim").experiment_id

        def total() -> float | None:
            runs = grid.client.search_runs([experiment], "tags.key = 'live'")
            return runs[0].data.metrics.get("curve/train/total") if runs and runs[0].info.status == "RUNNING" else None

        assert eventually(lambda: total() == 2)
        tracker.epoch("live", {"train_total": 1.0}, 2)
        assert eventually(lambda: total() == 1)
    assert not warnings


def test_a_run_that_cannot_be_logged_holds_up_no_other_and_is_offered_again(
    grid: SimpleNamespace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "FLUSH_SECONDS", 0.02)
    monkeypatch.setattr(tracking, "RETRY_SECONDS", 0.02)
    warnings: list[str] = []
    with Tracker(default_uri(grid.root), warnings.append) as tracker:
        tracker.run_started(spec("torn", dataset="again"), MANIFEST)
        tracker.run_finished("torn", tmp_path)  # no result.json there
        assert eventually(lambda: "FileNotFoundError" in (tracker._cause or ""))
        tracker.run_started(spec("fine", dataset="again"), MANIFEST)
        tracker.run_finished("fine", folder)
        experiment = eventually(lambda: grid.client.get_experiment_by_name("css-bench/again")).experiment_id
        assert eventually(lambda: grid.client.search_runs([experiment], "tags.key = 'fine' and status = 'FINISHED'"))
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (run,) = grid.client.search_runs([experiment], "tags.key = 'torn'")
    assert (run.info.status, run.data.metrics["test/selected/weighted_f1"]) == ("FINISHED", 0.5)
    assert not warnings


def test_a_run_that_is_tried_again_goes_on_in_mlflow_and_a_finished_one_is_not_logged_twice(
    grid: SimpleNamespace, folder: Path
) -> None:
    for _ in range(2):  # the second time as in another store, or after the first store's was damaged
        with Tracker(default_uri(grid.root), pytest.fail) as tracker:
            tracker.run_started(spec("again"), MANIFEST)
            tracker.epoch("again", {"train_total": -1.0}, 1)
            tracker.run_started(spec("again"), MANIFEST)
            tracker.epoch("again", {"train_total": -2.0}, 2)
            time.sleep(0.01)  # MLflow keeps one of two equal metrics of one millisecond
            tracker.run_finished("again", folder)
    experiment = grid.client.get_experiment_by_name("css-bench/iemocap-sim").experiment_id
    (run,) = grid.client.search_runs([experiment], "tags.key = 'again'")
    history = grid.client.get_metric_history(run.info.run_id, "curve/train/total")
    assert [m.step for m in history] == list(range(1, EPOCHS + 2))


def test_whatever_fails_once_is_logged_once(
    grid: SimpleNamespace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call of MLflow's in turn is carried out and then seems to fail, as when an answer is lost on its way."""
    from mlflow import MlflowClient

    monkeypatch.setattr(tracking, "FLUSH_SECONDS", 0.02)
    monkeypatch.setattr(tracking, "RETRY_SECONDS", 0.02)
    failed = set()

    def once(name: str) -> Any:
        real = getattr(MlflowClient, name)

        def call(*arguments: Any, **options: Any) -> Any:
            answer = real(*arguments, **options)
            if name not in failed:
                failed.add(name)
                raise ConnectionError(name)
            return answer

        return call

    calls = ("create_experiment", "create_run", "log_inputs", "log_batch", "log_artifact", "log_text", "set_terminated")
    for name in calls:
        monkeypatch.setattr(MlflowClient, name, once(name))
    with Tracker(default_uri(grid.root), pytest.fail) as tracker:
        tracker.begin("unlucky", {})
        tracker.run_started(spec("unlucky", dataset="unlucky"), MANIFEST)
        tracker.run_finished("unlucky", folder)
        assert eventually(lambda: not tracker._unlogged)
    assert failed == set(calls)
    experiment = grid.client.get_experiment_by_name("css-bench/unlucky").experiment_id
    runs = {run.info.run_name: run for run in grid.client.search_runs([experiment])}
    assert set(runs) == {"unlucky", "css seed 0"}
    assert len(grid.client.search_runs([experiment])) == 2
    run = runs["css seed 0"]
    assert len(run.inputs.dataset_inputs) == 1
    assert [m.step for m in grid.client.get_metric_history(run.info.run_id, "curve/train/total")] == list(
        range(1, EPOCHS + 2)
    )


def test_two_processes_may_create_an_experiment_at_once(grid: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    find, calls = MlflowClient.get_experiment_by_name, iter([True])

    def too_early(client: MlflowClient, name: str) -> Any:
        return None if next(calls, False) else find(client, name)

    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", too_early)
    warnings: list[str] = []
    with Tracker(default_uri(grid.root), warnings.append) as tracker:
        tracker.run_started(spec("raced"), MANIFEST)
    assert not warnings
    experiment = find(grid.client, "css-bench/iemocap-sim").experiment_id
    assert len(grid.client.search_runs([experiment], "tags.key = 'raced'")) == 1


def test_one_process_at_a_time_opens_a_local_database(grid: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "FLUSH_SECONDS", 0.02)
    warnings: list[str] = []
    with Tracker(default_uri(grid.root), warnings.append) as tracker:
        with locked(grid.root / "mlartifacts"):
            tracker.run_started(spec("waiting"), MANIFEST)
            tracker.close(0.3)
        tracker._thread.join(30)
    assert ["1 of 1 run (" in warning for warning in warnings] == [True]
    assert not tracker._unlogged


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of a port where nobody listens, taken so that nobody will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def failing() -> Iterator[str]:
    """The address of a server that answers everything with 500 and asks to be left alone for an hour."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(500)
            self.send_header("Retry-After", "3600")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815 (the names are http.server's)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://user:secret@127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("server", "cause"), [("refusing", "Connection refused"), ("failing", "500")])
def test_a_server_that_fails_costs_one_warning(
    request: pytest.FixtureRequest, server: str, cause: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "FLUSH_SECONDS", 0.02)
    monkeypatch.setattr(tracking, "RETRY_SECONDS", 0.02)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    uri = request.getfixturevalue(server)
    warnings: list[str] = []
    with Tracker(uri, warnings.append) as tracker:
        for seed in range(3):
            tracker.run_started(spec(str(seed), seed), MANIFEST)
            tracker.run_finished(str(seed), folder)
        assert eventually(lambda: tracker._unlogged[0].failures > 1)
        assert not warnings
        begun = time.monotonic()
        tracker.close(10)
        assert time.monotonic() - begun < 10
    (warning,) = warnings
    shown = uri.replace("user:secret@", "")
    assert warning.startswith(f"not, or not fully, in MLflow at {shown}: 3 of 3 runs (")
    assert all(part in warning for part in (cause, "safe in the run store", "cssbench sync"))


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        (0, "none of them finished, so that there are no results to be logged later"),
        (1, "results of the 1 that finished are safe in the run store"),
        (2, "their results are safe in the run store"),
    ],
)
def test_no_result_is_called_safe_of_a_run_that_has_none(
    refusing: str, folder: Path, monkeypatch: pytest.MonkeyPatch, finished: int, said: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    warnings: list[str] = []
    with Tracker(refusing, warnings.append) as tracker:
        for number in range(2):
            tracker.run_started(spec(str(number)), MANIFEST)
            if number < finished:
                tracker.run_finished(str(number), folder)
            else:
                tracker.run_failed(str(number), "OSError: [Errno 28] No space left on device")
        tracker.close(60)
    (warning,) = warnings
    assert ": 2 of 2 runs (" in warning
    assert said in warning
    assert ("safe" in warning) == (finished > 0)


def test_a_server_that_never_answers_holds_up_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "FLUSH_SECONDS", 0.02)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    warnings: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracker = Tracker(f"http://127.0.0.1:{silent.getsockname()[1]}", warnings.append)
        tracker.begin("grid", {})
        tracker.run_started(spec("a"), MANIFEST)
        silent.settimeout(60)
        connection, _ = silent.accept()  # now the thread waits for an answer, and would for 10 s
        with connection:
            begun = time.monotonic()
            for step in range(1000):
                tracker.epoch("a", {"train_total": 1.0}, step)
            tracker.run_finished("a", folder)
            tracker.run_started(spec("b"), MANIFEST)
            assert time.monotonic() - begun < 1
            tracker.close(0.1)
            assert time.monotonic() - begun < 2
    (warning,) = warnings
    assert ": 2 of 2 runs (" in warning
    assert "did not answer within 0.1 s" in warning


def test_neither_importing_the_module_nor_a_grid_with_nothing_to_run_imports_mlflow(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from benchmark.tracking.tracker import Tracker
from benchmark.tracking.uris import default_uri
store = Path({str(tmp_path)!r})
with Tracker(default_uri(store), print) as tracker:
    tracker.begin("nothing", {{}})
    tracker.run_finished("unknown", store)
assert not [name for name in sys.modules if name.startswith(("mlflow", "torch"))]
assert not list(store.iterdir())
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(tracking.__file__).parent.parent)


def test_settings_of_the_user_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    with Tracker("http://127.0.0.1:9", pytest.fail):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"


def test_the_uri_is_the_option_else_the_environment_else_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://environment")
    assert resolve_uri("http://option", Path("store")) == "http://option"
    assert resolve_uri(None, Path("store")) == "http://environment"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    assert resolve_uri(None, Path("store")) == default_uri(Path("store")) == f"sqlite:///{tmp_path}/store/mlflow.db"


def eventually(condition: Any, seconds: float = 30) -> Any:
    """What `condition` returns once that is true, or what it returned last."""
    until = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return value
