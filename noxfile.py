"""`nox -s benchmark` runs everything; `nox -s tests` checks everything. All sessions share one environment."""

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests"]

ENVIRONMENT = Path(".nox") / "shared"


def shared(session: nox.Session) -> str:
    """Install the project and its tools, pinned, into the one environment; returns its folder of programs."""
    root = Path.cwd() / ENVIRONMENT
    programs = root / ("Scripts" if os.name == "nt" else "bin")
    wanted = b"".join(Path(name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    stamp = root / "installed"
    if not stamp.exists() or stamp.read_bytes() != wanted:
        shutil.rmtree(root, ignore_errors=True)
        session.run("python", "-m", "venv", str(root), external=True)
        python = str(programs / "python")
        # torch first and alone: the pinned request decides which build is taken, not another package's range.
        session.run(python, "-m", "pip", "install", "-q", "-c", "constraints.txt", "torch", external=True)
        session.run(
            python,
            "-m",
            "pip",
            "install",
            "-q",
            "-c",
            "constraints.txt",
            "-e",
            ".[torchjd,ray,test,lint,types]",
            external=True,
        )
        stamp.write_bytes(wanted)
    return str(programs)


def run(session: nox.Session, program: str, *arguments: str) -> None:
    """Run a program of the shared environment; after Ctrl-C it has the time that it takes to end by itself."""
    wait: dict[str, None] = {"interrupt_timeout": None, "terminate_timeout": None}
    session.run(str(Path(shared(session)) / program), *arguments, external=True, **wait)


@nox.session(venv_backend="none")
def benchmark(session: nox.Session) -> None:
    """Train the default methods and write the report; arguments go to `cssbench run`."""
    run(session, "cssbench", "run", *session.posargs)


@nox.session(venv_backend="none")
def tune(session: nox.Session) -> None:
    """Search rank and order of CSS on both built-in corpora; arguments go to `cssbench tune`."""
    run(session, "cssbench", "tune", *(session.posargs or ("--trials", "8", "--seeds", "4")))


@nox.session(venv_backend="none")
def report(session: nox.Session) -> None:
    """Write the report of a store; arguments go to `cssbench report`."""
    run(session, "cssbench", "report", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the test suite on all cores; arguments go to pytest, `-n 0` among them for one process."""
    run(session, "pytest", "-n", "auto", "--maxprocesses", "8", "--dist", "worksteal", *session.posargs)


@nox.session(venv_backend="none")
def soak(session: nox.Session) -> None:
    """Kill grids at sixty random moments and compare their bits with an undisturbed one's."""
    os.environ |= {"CSSBENCH_KILLS": "60"}
    run(session, "pytest", "tests/benchmark/execution/test_kills.py", "-s", *session.posargs)


@nox.session(venv_backend="none")
def perf(session: nox.Session) -> None:
    """Time what has to be fast; arguments go to pytest-benchmark."""
    # one thread, and the allocator of benchmark/execution/worker.py
    os.environ |= {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "1073741824"}
    run(session, "pytest", "tests/perf", "--benchmark-only", "--benchmark-group-by=group", *session.posargs)


@nox.session(venv_backend="none")
def fuzz(session: nox.Session) -> None:
    """Throw hostile pickles at the reader; arguments: minutes, --workers, --seed."""
    run(session, "python", "-m", "tests.fuzz", *session.posargs)


@nox.session(venv_backend="none")
def controls(session: nox.Session) -> None:
    """Plant effects and see whether the harness finds them; arguments go to pytest."""
    run(session, "pytest", "tests/controls", "-o", "python_files=control_*.py", "-s", "-W", "default", *session.posargs)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Check style and format."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Check types."""
    run(session, "mypy")


@nox.session(venv_backend="none")
def calibrate(session: nox.Session) -> None:
    """Measure how often the statistics are wrong, write docs/calibration.md; `-- --runs 300` is quicker."""
    run(session, "python", "-m", "tests.calibration", *session.posargs)
