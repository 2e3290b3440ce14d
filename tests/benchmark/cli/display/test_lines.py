"""Nothing that is printed may stop a command."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmark.harness import MAIN, Cli


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_cannot_be_encoded_is_replaced(cli_process: Cli, encoding: str) -> None:
    listed = cli_process("methods", PYTHONIOENCODING=encoding)
    assert listed.returncode == 0, listed.stderr
    assert "?" in listed.stdout  # the table's frame, or the × of a factorial


def test_a_grid_goes_through_under_ascii_with_its_report(cli_process: Cli, features: Path, tmp_path: Path) -> None:
    words = ("run", "--preset", "smoke", "--datasets", "meld", "--methods", "concat", "--seeds", "1", "--epochs", "1")
    where = ("--device", "cpu", "--workers", "1", "--data-dir", features, "--store", tmp_path / "store")
    made = cli_process(*words, *where, PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
    assert made.returncode == 0, made.stderr
    page = (tmp_path / "store" / "report" / "index.html").read_text(encoding="utf-8")
    assert "·" in page


def test_a_closed_pipe_is_silence(features: Path, tmp_path: Path) -> None:
    words = ("run", "--preset", "smoke", "--datasets", "meld", "--methods", "concat", "--seeds", "2", "--epochs", "1")
    where = ("--device", "cpu", "--workers", "1", "--data-dir", features, "--store", tmp_path / "store")
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *map(str, (*words, *where))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("2 runs, 0 of them")
    process.stdout.close()  # as head -1 does
    stderr = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0, stderr
    assert all(line.startswith("warning: meld: the audit") for line in stderr.splitlines())
    assert len(list((tmp_path / "store").glob("runs/*/result.json"))) == 2
    assert (tmp_path / "store" / "report" / "index.html").is_file()
