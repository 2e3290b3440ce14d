"""``nox -s benchmark`` in a terminal: Ctrl-C reaches the grid, and nox waits until it has ended."""

import os
import pty
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest

from tests.benchmark.harness import HUNG, MAIN, alive, digests, until
from tests.longest import LONGEST
from tests.paths import ROOT

NOX = next(filter(None, (shutil.which("nox", path=str(ROOT / ".venv" / "bin")), shutil.which("nox"))), None)
"""What runs the suite is not among what the suite needs: it is where README's line puts it, or on the PATH."""

NOXFILE = f"""
import sys
from pathlib import Path
import nox
sys.path.insert(0, {str(ROOT)!r})
import noxfile as ours
ours.Environment.programs = lambda environment, session: Path({str(Path(sys.executable).parent)!r})

@nox.session(venv_backend="none")
def grid(session):
    ours.run(session, ours.RUN, {Path(sys.executable).name!r}, "-c", {MAIN!r}, *session.posargs)

@nox.session(venv_backend="none")
def bytecode(session):
    ours.run(session, ours.DEV, {Path(sys.executable).name!r}, "-c", "import sys; sys.exit(sys.dont_write_bytecode)")
"""


@pytest.mark.skipif(NOX is None, reason="no nox in .venv or on the PATH")
def test_ctrl_c_lets_every_run_finish_its_epoch(tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_text(NOXFILE)
    store = tmp_path / "store"
    words = ("run", "--preset", "smoke", "--epochs", "200", "--datasets", "iemocap-sim", "--methods", "css")
    assert NOX is not None
    command = [NOX, "-s", "grid", "--", *words, "--seeds", "1", "--device", "cpu", "--workers", "1"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        os.execve(NOX, [*command, "--store", str(store)], os.environ | {"PYTHONPATH": path})
    os.set_blocking(terminal, False)
    said = b""

    def hear() -> bytes:
        nonlocal said
        with suppress(OSError):  # nothing to read, or the other end is gone
            said += os.read(terminal, 65536)
        return said

    def has_ended() -> bool:
        hear()
        return os.waitpid(pid, os.WNOHANG)[0] == pid

    until(lambda: hear() and list(store.glob("runs/*/checkpoint.safetensors")))
    os.write(terminal, b"\x03")
    until(has_ended)
    until(lambda: not alive(pid))  # what started the workers ends when the grid has, a moment after it
    text = hear().decode(errors="replace")
    assert "stopping after the current epoch" in text
    assert "what was done is kept" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is shown again
    assert not digests(store)
    assert list(store.glob("runs/*/checkpoint.safetensors"))


@pytest.mark.skipif(NOX is None, reason="no nox in .venv or on the PATH")
def test_compiled_modules_are_kept_whatever_the_shell_says(tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_text(NOXFILE)
    assert NOX is not None
    shell = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    said = subprocess.run(
        [NOX, "-s", "bytecode"], cwd=tmp_path, env=shell, capture_output=True, text=True, timeout=HUNG
    )
    assert said.returncode == 0, said.stderr


def test_the_files_that_take_longest_are_there_and_begin(request: pytest.FixtureRequest) -> None:
    longest = [ROOT / "tests" / name for name in LONGEST]
    assert [path for path in dict.fromkeys(longest) if path.is_file()] == longest
    files = list(dict.fromkeys(item.path for item in request.session.items))
    chosen = [path for path in longest if path in files]
    assert files[: len(chosen)] == chosen


def test_who_runs_the_benchmark_gets_no_tool_of_development() -> None:
    source = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    run, dev = re.findall(r"^(?:RUN|DEV) = Environment\(\s*\"\w+\",\s*\"([^\"]+)\"", source, re.MULTILINE)
    assert (run, dev) == (".", ".[dev]")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["optional-dependencies"]["dev"] == ["css-bench[torchjd,ray,test,browser,lint,types]"]
    assert not [
        need for need in project["dependencies"] if need.startswith(("ray", "mypy", "hypothesis", "pytest", "ruff"))
    ]
