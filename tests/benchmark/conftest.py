"""The command line, here and in processes of its own, one finished grid that tests share, and a small feature file."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from benchmark.cli import main
from benchmark.store.store import Store
from tests.benchmark.harness import GRID, HUNG, MAIN, Cli, Say, StartCli, feature_items, write_features
from tests.shared import empty_database
from tests.undrawn import undrawn


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], dict[str, str]]:
    """The environment of a command: none of the user's settings, and an MLflow that all tests share."""
    database = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    shutil.copyfile(empty_database(tmp_path_factory), database)

    def now() -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CSSBENCH_")}
        cache = os.environ["CSSBENCH_CACHE"]
        return kept | {"MLFLOW_TRACKING_URI": f"sqlite:///{database}", "CSSBENCH_CACHE": cache}

    return now


@pytest.fixture(scope="session")
def start_cli(surroundings: Callable[[], dict[str, str]], examined: Path) -> StartCli:
    """``start_cli(*words, code=…)`` starts cssbench; ``examined`` is its cache."""

    def start(*words: object, code: str = MAIN, **variables: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=surroundings() | variables,
            start_new_session=True,
        )

    return start


@pytest.fixture(scope="session")
def cli_process(start_cli: StartCli) -> Cli:
    """``cli_process(*words)`` runs cssbench to its end, in a process of its own: seconds for what it imports."""

    def run(*words: object, **options: str) -> "subprocess.CompletedProcess[str]":
        process = start_cli(*words, **options)
        out, err = process.communicate(timeout=HUNG)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


@pytest.fixture(scope="session")
def cli(surroundings: Callable[[], dict[str, str]]) -> Cli:
    """``cli(*words)`` runs cssbench to its end, in this process, and draws no figures."""

    def run(*words: object, **variables: str) -> "subprocess.CompletedProcess[str]":
        assert not [name for name in variables if name == "code" or name.startswith("PYTHON")], "needs cli_process"
        line = ["cssbench", *map(str, words)]
        with (
            patch.dict(os.environ, surroundings() | variables, clear=True),
            patch.object(sys, "argv", line),
            undrawn(),
            redirect_stdout(io.StringIO()) as out,
            redirect_stderr(io.StringIO()) as err,
            pytest.raises(SystemExit) as left,
        ):
            main()
        return subprocess.CompletedProcess(line, int(left.value.code or 0), out.getvalue(), err.getvalue())

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
    """``say(*words)`` is the command line in this process, which draws no figures: exit code, stdout, stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cssbench", *map(str, words)])
        with undrawn(), pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call
