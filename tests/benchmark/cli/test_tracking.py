"""What MLflow missed is logged later, exactly once, whatever happened to the server in between."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark.store.store import Store
from benchmark.tracking import answers
from benchmark.tracking.logged import Logged
from benchmark.tracking.uris import default_uri
from tests.benchmark.harness import GRID, HUNG, Cli, Say, StartCli, digests, until
from tests.benchmark.synthetic import EPOCHS, write_run

KEYS = ("1111000000000000", "2222000000000000", "3333000000000000")


def logged(uri: str, dataset: str) -> list[Any]:
    """The runs of an experiment that stand for a run of the store."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(f"css-bench/{dataset}")
    return [run for run in client.search_runs([experiment.experiment_id]) if "key" in run.data.tags]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a database that has nothing of its two complete runs; tests here build on one another's."""
    held = Store(tmp_path_factory.mktemp("sync") / "store")
    for key in KEYS[:2]:
        write_run(held.runs, key)
    write_run(held.runs, KEYS[2], "unfinished")
    return held


@pytest.fixture(autouse=True)
def _own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def test_each_finished_run_is_logged_once_however_often_it_is_asked_for(say: Say, store: Store) -> None:
    uri = default_uri(store.root)
    code, out, err = say("sync", "--store", store.root)
    assert (code, "warning" in err) == (0, False)  # mlflow, imported by another test before, may tell of its tables
    assert f"2 complete runs, 0 of them already in MLflow at {uri}, 2 logged now" in out
    runs = logged(uri, "meld-sim")
    assert sorted(run.data.tags["key"] for run in runs) == list(KEYS[:2])
    from mlflow import MlflowClient  # not before: the command decides how much mlflow says

    for run in runs:
        assert run.info.status == "FINISHED"
        assert run.info.end_time - run.info.start_time == 60_000
        history = MlflowClient(uri).get_metric_history(run.info.run_id, "curve/validation/weighted_f1")
        assert [m.step for m in history] == list(range(1, EPOCHS + 1))

    assert "2 of them already" in say("sync", "--store", store.root)[1]
    (Logged(store.root, uri).folder / KEYS[0]).unlink()  # as after a crash between logging and remembering
    assert "1 of them already" in say("sync", "--store", store.root)[1]
    assert len(logged(uri, "meld-sim")) == 2
    assert Logged(store.root, uri).keys() == set(KEYS[:2])


def test_a_run_that_was_cut_off_in_mlflow_is_replaced(say: Say, store: Store) -> None:
    from mlflow import MlflowClient

    uri = default_uri(store.root)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("css-bench/meld-sim").experiment_id
    write_run(store.runs, "4" * 16)
    half = client.create_run(experiment, tags={"key": "4" * 16}).info.run_id
    assert say("sync", "--store", store.root)[0] == 0
    (run,) = [run for run in logged(uri, "meld-sim") if run.data.tags["key"] == "4" * 16]
    assert (run.info.status, run.info.run_id == half) == ("FINISHED", False)


def test_a_damaged_run_is_not_logged(say: Say, store: Store) -> None:
    folder = write_run(store.runs, "5" * 16)
    (folder / "history.parquet").write_bytes(b"torn")
    code, _, err = say("sync", "--store", store.root)
    assert (code, "left out: 1 damaged run;" in err) == (1, True)


def test_while_a_grid_is_being_logged_there_is_no_sync(say: Say, store: Store) -> None:
    with Logged(store.root, default_uri(store.root)).held():
        code, _, err = say("sync", "--store", store.root)
    assert (code, "another process is logging" in err) == (2, True)


def test_a_server_that_is_away_is_one_line_and_nothing_is_taken_for_logged(say: Say, store: Store) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
        code, out, err = say("sync", "--store", store.root, "--tracking-uri", uri)
    assert code == 1
    assert "Connection refused" in err
    assert "0 logged now" in out
    assert not Logged(store.root, uri).keys()


class Dripping(BaseHTTPRequestHandler):
    """Says that all is well, and answers everything else byte by byte until ``released``."""

    released = threading.Event()
    asked = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.path == "/health":
            return
        self.asked.set()
        with suppress(OSError):
            while not self.released.wait(0.02):
                self.wfile.write(b" ")

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_server_that_drips_is_told_of_and_given_up(say: Say, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow  # noqa: F401  # seconds, which are not the server's

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(answers, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(answers, "PATIENCE_SECONDS", 1.0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as drip:
        drip.daemon_threads = True
        threading.Thread(target=drip.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{drip.server_port}"
        try:
            code, out, err = say("sync", "--store", store.root, "--tracking-uri", uri)
        finally:
            Dripping.released.set()
            drip.shutdown()
    assert code == 1
    assert Dripping.asked.is_set()
    assert f"MLflow at {uri} has not answered for 0.2 s; it is given up once it has not answered for 1 s" in err
    assert "not, or not fully, in MLflow" in err
    assert "0 logged now" in out
    assert not Logged(store.root, uri).keys()


def test_a_server_is_waited_for_as_long_as_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SILENCE_SECONDS", 10.0)
    monkeypatch.setattr(answers, "PATIENCE_SECONDS", 0.5)
    told: list[str] = []
    server = answers.Answers("it", told.append)
    client = server.to(SimpleNamespace(ask=lambda: time.sleep(0.1)))
    busy = threading.Thread(target=lambda: [client.ask() for _ in range(12)])
    busy.start()
    server.wait_for(busy)
    assert not busy.is_alive()
    assert not told


@contextmanager
def server(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A real tracking server on loopback that answers."""
    folder.mkdir(exist_ok=True)
    words = ("--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/artifacts")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            *words,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--workers",
            "1",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def answers() -> bool:
        assert process.poll() is None, "the server does not start"
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    try:
        until(answers)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_server_killed_in_the_middle_of_a_grid_gets_every_run_once(
    start_cli: StartCli, cli_process: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri, store = f"http://127.0.0.1:{port}", tmp_path / "store"
    with server(tmp_path / "server", port):
        grid = start_cli(
            *GRID, "--methods", "adam,css,concat", "--workers", "1", "--store", store, "--tracking-uri", uri
        )
        until(lambda: list(store.glob("runs/*/checkpoint.safetensors")))
        time.sleep(2)  # so that something is logged
    _, err = grid.communicate(timeout=HUNG)
    assert grid.returncode == 0, err
    assert len(digests(store)) == 3
    assert err.startswith("warning: ")
    assert "cssbench sync" in err
    assert err.count("\n") == 1
    with server(tmp_path / "server", port):
        for expected in ("3 complete runs", "3 complete runs, 3 of them already"):
            said = cli_process("sync", "--store", store, "--tracking-uri", uri)
            assert (said.returncode, said.stdout.startswith(expected)) == (0, True), said.stderr
        runs = logged(uri, "iemocap-sim")
    assert sorted(run.data.tags["key"] for run in runs) == sorted(digests(store))
    assert {run.info.status for run in runs} == {"FINISHED"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_mlflows_pages_are_on_loopback_alone_and_the_runs_page_is_opened(
    say: Say, start_cli: StartCli, tmp_path: Path
) -> None:
    held = Store(tmp_path / "a b%20c?d#é" / "store")
    write_run(held.runs, KEYS[0])
    assert say("sync", "--store", held.root)[0] == 0
    port, opened = free_port(), tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}.part" && mv "{opened}.part" "{opened}"\n')
    browser.chmod(0o755)
    process = start_cli("ui", "--store", held.root, "--port", port, MLFLOW_TRACKING_URI="", BROWSER=str(browser))

    def connects(host: str) -> bool:
        with suppress(OSError), socket.create_connection((host, port), timeout=5):
            return True
        return False

    def asked(page: str, **query: str) -> Any:
        words = urllib.parse.urlencode(query)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}?{words}") as answer:
            return json.load(answer)

    try:
        until(lambda: connects("127.0.0.1"))
        assert not connects("127.0.0.2")  # a server on every address would answer here
        assert process.stdout
        assert "Ctrl-C ends it" in process.stdout.readline()
        page = process.stdout.readline().strip().removeprefix("css-bench/meld-sim: ")
        (found,) = re.findall(
            rf"^http://127.0.0.1:{port}/#/experiments/(\d+)/runs\?workflowType=machine_learning&viewStateShareKey=css-bench$",
            page,
        )
        answer = asked("api/2.0/mlflow/experiments/get", experiment_id=found)
        assert answer["experiment"]["name"] == "css-bench/meld-sim"
        assert "mlflow.sharedViewState.css-bench" in {tag["key"] for tag in answer["experiment"]["tags"]}
        (run,) = [run for run in logged(default_uri(held.root), "meld-sim") if run.data.tags["key"] == KEYS[0]]
        result = asked("get-artifact", path="result.json", run_uuid=run.info.run_id)
        assert result == json.loads((held.folder(KEYS[0]) / "result.json").read_text())
        until(opened.exists)
        assert opened.read_text().strip() == page
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_pages_that_cannot_be_shown_are_one_line(say: Say, tmp_path: Path) -> None:
    store = Store(tmp_path / "logged")
    write_run(store.runs, KEYS[0])
    assert say("sync", "--store", store.root)[0] == 0
    code, _, err = say("ui", "--store", store.root, "--tracking-uri", "http://user:secret@example.org")
    assert (code, "http://example.org is a server already" in err) == (2, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = say("ui", "--store", store.root, "--port", port)
    assert (code, out) == (2, "")
    assert f"port {port} cannot be used (Address already in use); name another one with --port" in err
    for port in (0, 80_000):
        code, out, err = say("ui", "--store", store.root, "--port", port)
        assert (code, out, f"--port must be from 1 to 65535, got {port}" in err) == (2, "", True)
    held = Store(tmp_path / "store")
    write_run(held.runs, KEYS[0])
    code, _, err = say("ui", "--store", held.root)
    assert (code, "nothing is logged at" in err) == (2, True)
    (held.root / "mlflow.db").write_bytes(b"no database" * 100)
    code, _, err = say("ui", "--store", held.root)
    assert (code, "is broken; cssbench sync makes it again" in err) == (2, True)


def test_an_address_where_mlflow_cannot_be_is_said_before_anything_is_made(finished: Store, say: Say) -> None:
    """Nothing is left to be made here, and nothing would be logged; it is said all the same."""
    code, _, err = say(*GRID, "--store", finished.root, "--tracking-uri", "htp://example.org")
    assert code == 0
    assert err.count("MLflow at htp://example.org cannot be used (MLflow knows no address that begins with htp") == 1
