"""An address where MLflow cannot be is found out without MLflow, in seconds."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmark.tracking import reachability
from benchmark.tracking.reachability import hindrance


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)


@pytest.fixture
def closed() -> Iterator[int]:
    """A port where nobody listens, taken so that nobody will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    ("uri", "cause"),
    [
        ("htp://example.org", "MLflow knows no address that begins with htp: but sqlite:///FILE"),
        ("sqlite://mlflow.db", "three slashes"),
        ("sqlite:////proc/nowhere/mlflow.db", "/proc cannot be written"),
        ("sqlite:////etc/passwd/mlflow.db", "/etc/passwd is a file"),
        ("sqlite:////tmp", "/tmp is a folder"),
        ("sqlite+nodriver:///x.db", "nodriver"),
        ("postgresql+nodriver://host/name", "nodriver"),
        ("mlruns", "it is a folder"),
        ("file:///tmp/mlruns", "it is a folder"),
        ("http://", "no host given"),
    ],
)
def test_what_mlflow_cannot_use_is_said_with_its_cause(uri: str, cause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != Path("/proc") and access(path, mode))  # not for root
    sentence = hindrance(uri)
    assert sentence is not None
    assert sentence.startswith(f"MLflow at {uri} cannot be used (")
    assert cause in sentence
    assert "check --tracking-uri" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("uri", ["sqlite:///mlflow.db", "sqlite://", "sqlite:///new/folder/x.db", "databricks"])
def test_what_mlflow_can_use_is_let_pass(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert hindrance(uri) is None
    assert not list(tmp_path.iterdir())


def test_a_folder_is_let_pass_where_the_user_has_allowed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert hindrance("mlruns") is None


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_is_away_is_said_without_the_password(scheme: str, closed: int) -> None:
    sentence = hindrance(f"{scheme}://user:secret@127.0.0.1:{closed}")
    assert sentence is not None
    assert f"MLflow at {scheme}://127.0.0.1:{closed} cannot be used (" in sentence
    assert "refused" in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize(("code", "is_said"), [(200, False), (401, False), (404, False), (500, True), (503, True)])
def test_a_server_that_answers_is_there_unless_it_fails(code: int, is_said: bool) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        sentence = hindrance(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
    assert asked == ["/health"]
    assert (sentence is not None) == is_said
    assert not is_said or str(code) in (sentence or "")


def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachability, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "timed out" in (hindrance(f"http://127.0.0.1:{silent.getsockname()[1]}") or "")


def test_a_name_that_nobody_looks_up_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachability, "SECONDS", 0.05)
    looked_up = threading.Event()

    def never(*_: object, **__: object) -> None:
        looked_up.wait()
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    try:
        assert "no answer within 0.1 s" in (hindrance("http://example.org") or "")
    finally:
        looked_up.set()


def test_a_database_server_that_is_away_is_said(closed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

    monkeypatch.setattr(PGDialect_psycopg2, "import_dbapi", lambda *_: None)
    uri = f"postgresql+psycopg2://user:secret@127.0.0.1:{closed}/runs"
    sentence = hindrance(uri)
    assert sentence is not None
    assert "refused" in sentence
    assert "secret" not in sentence


def test_neither_mlflow_nor_torch_is_imported(closed: int) -> None:
    code = f"""
import sys
from benchmark.tracking.reachability import hindrance
assert hindrance("http://127.0.0.1:{closed}") and hindrance("htp://x") and not hindrance("sqlite:///x.db")
assert not [name for name in sys.modules if name.startswith(("mlflow", "torch", "pandas"))]
"""
    subprocess.run([sys.executable, "-c", code], check=True)
