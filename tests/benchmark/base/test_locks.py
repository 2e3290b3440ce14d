"""Locks between processes, and a system that has none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.base.locks import locked, take
from tests.benchmark.harness import MAIN
from tests.paths import ROOT

TRY = "import os, sys; from benchmark.base.locks import take; print(take(os.open(sys.argv[1], os.O_RDONLY), shared={}))"
WITHOUT = f"import sys; sys.modules['fcntl'] = None; {MAIN}"


def taken_elsewhere(path: Path, *, shared: bool) -> bool:
    """Whether another process gets the lock."""
    done = subprocess.run(
        [sys.executable, "-c", TRY.format(shared), path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout == "True\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "granted"), [(False, False, False), (True, False, False), (True, True, True)]
)
def test_a_lock_is_shared_only_by_those_who_all_say_so(tmp_path: Path, ours: bool, theirs: bool, granted: bool) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    assert take(descriptor, shared=ours)
    assert taken_elsewhere(tmp_path, shared=theirs) is granted
    os.close(descriptor)
    assert taken_elsewhere(tmp_path, shared=theirs)


def test_a_folder_is_locked_while_the_block_lasts(tmp_path: Path) -> None:
    with locked(tmp_path / "new"):
        assert not taken_elsewhere(tmp_path / "new", shared=False)
    assert taken_elsewhere(tmp_path / "new", shared=False)


@pytest.mark.parametrize("words", [("run", "--preset", "smoke"), ("runs",), ("tune",), ("sync",), ("verify", "--all")])
def test_a_system_without_posix_locks_is_told_so_in_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "cssbench-store" / "runs").mkdir(parents=True)
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *words], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "css-bench needs the file locks of a POSIX system" in done.stderr
