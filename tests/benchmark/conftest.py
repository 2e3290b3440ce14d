"""The command line in processes of its own, one finished grid that tests share, and a feature file of seconds."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmark.cli import main
from benchmark.store.store import Store
from tests.benchmark.harness import GRID, HUNG, MAIN, Cli, Say, StartCli, feature_items, write_features


@pytest.fixture(scope="session")
def start_cli(tmp_path_factory: pytest.TempPathFactory) -> StartCli:
    """``start_cli(*words, code=…)`` starts cssbench; its MLflow is a database that all tests share."""
    database = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"

    def start(*words: object, code: str = MAIN, **variables: str) -> "subprocess.Popen[str]":
        cache = os.environ["CSSBENCH_CACHE"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CSSBENCH_")}
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | {"MLFLOW_TRACKING_URI": database, "CSSBENCH_CACHE": cache} | variables,
            start_new_session=True,
        )

    return start


@pytest.fixture(scope="session")
def cli(start_cli: StartCli) -> Cli:
    """``cli(*words)`` runs cssbench to its end."""

    def run(*words: object, **options: str) -> "subprocess.CompletedProcess[str]":
        process = start_cli(*words, **options)
        out, err = process.communicate(timeout=HUNG)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


@pytest.fixture(scope="session")
def finished(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished grid of two runs: its store, and what the command said in ``.said``."""
    store = Store(tmp_path_factory.mktemp("grid") / "store")
    said = cli(*GRID, "--store", store.root, MLFLOW_TRACKING_URI="")
    assert said.returncode == 0, said.stderr
    store.said = said  # type: ignore[attr-defined]
    return store


@pytest.fixture(scope="session")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny feature file of MELD."""
    return write_features(tmp_path_factory.mktemp("features"), feature_items())


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """``say(*words)`` is the command line in this process: exit code, stdout, stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cssbench", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call
