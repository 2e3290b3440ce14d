"""`nox -s benchmark` runs everything; `nox -s tests` checks everything.

Sessions share two environments: `.nox/run` has what the package needs, `.nox/dev` what its development needs besides.
The site of docs/ has a third one, `.nox/docs`, the lowest versions that pyproject.toml allows a fourth, `.nox/lowest`.
"""

import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests"]


@dataclass(frozen=True)
class Environment:
    """An environment of several sessions: what it installs, and what that takes, as it was measured once."""

    name: str
    package: str
    holds: str
    takes: str
    constraints: str = "constraints.txt"

    def programs(self, session: nox.Session) -> Path:
        """Install the package, pinned, unless that has been done; returns the folder of the environment's programs."""
        root = Path.cwd() / ".nox" / self.name
        programs = root / ("Scripts" if os.name == "nt" else "bin")
        wanted = b"".join(Path(name).read_bytes() for name in ("pyproject.toml", self.constraints))
        stamp = root / "installed"
        if not stamp.exists() or stamp.read_bytes() != wanted:
            session.log(f"Installing {self.holds} into .nox/{self.name}, once: {self.takes}.")
            started = time.monotonic()
            shutil.rmtree(root, ignore_errors=True)
            session.run("python", "-m", "venv", str(root), external=True)
            # pip draws its progress on a terminal; a log stays short
            install = ("-m", "pip", "install", *(() if sys.stdout.isatty() else ("-q",)), "-c", self.constraints)
            for what in self.requests():
                session.run(str(programs / "python"), *install, *what, external=True)
            stamp.write_bytes(wanted)
            session.log(f"Installed in {time.monotonic() - started:.0f} s.")
        return programs

    def requests(self) -> list[list[str]]:
        """What pip is asked for, one after the other: the package, or one of its extras alone."""
        if self.package.startswith("."):
            # torch first and alone: the pinned request decides which build is taken, not another package's range.
            return [["torch"], ["-e", self.package]]
        return [nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"][self.package]]


RUN = Environment(
    "run", ".", "PyTorch, MLflow, Optuna and this package", "1.8 GB on disk with a CPU build of torch, a minute or two"
)
DEV = Environment(
    "dev",
    ".[dev]",
    "this package with Ray, TorchJD and all that checks it",
    "2.6 GB on disk with a CPU build of torch, two or three minutes",
)
DOCS = Environment("docs", "docs", "Sphinx and its theme", "140 MB on disk, some ten seconds")
LOWEST = Environment(
    "lowest",
    ".[torchjd,ray,test]",
    "this package with the lowest versions that it allows",
    "2.3 GB on disk with a CPU build of torch, two minutes",
    constraints="constraints-lowest.txt",
)

LOWEST_TESTS = (
    *("tests/css/test_modulator.py", "tests/css/test_slsqp.py"),  # torch, numpy, scipy, jaxtyping, clarabel
    "tests/baselines/aggregators",  # TorchJD
    *("tests/benchmark/data/feature_files", "tests/benchmark/fetching"),  # pyarrow, safetensors, requests, gdown
    *("tests/benchmark/cli/test_run.py", "tests/benchmark/cli/test_doctor.py"),  # typer, rich, pydantic, platformdirs
    *("tests/benchmark/tuning", "tests/benchmark/tracking"),  # Optuna, MLflow
    "tests/benchmark/execution/ray",
    *("tests/reports/test_build.py", "tests/reports/test_frames.py"),  # pandas, scikit-learn, matplotlib, Jinja
)
"""What uses each dependency, in a few minutes."""


KEEP_BYTECODE: dict[str, str | None] = {"PYTHONDONTWRITEBYTECODE": None}
"""Compiled modules are kept, whatever the shell says: each of hundreds of processes would compile them all anew."""


def run(session: nox.Session, environment: Environment, program: str, *arguments: str) -> None:
    """Run a program of an environment; after Ctrl-C it has the time that it takes to end by itself."""
    wait: dict[str, None] = {"interrupt_timeout": None, "terminate_timeout": None}
    session.run(str(environment.programs(session) / program), *arguments, external=True, env=KEEP_BYTECODE, **wait)


@nox.session(venv_backend="none")
def benchmark(session: nox.Session) -> None:
    """Train the default methods and write the report; arguments go to `cssbench run`."""
    run(session, RUN, "cssbench", "run", *session.posargs)


@nox.session(venv_backend="none")
def tune(session: nox.Session) -> None:
    """Search rank and order of CSS on both built-in corpora; arguments go to `cssbench tune`."""
    run(session, RUN, "cssbench", "tune", *(session.posargs or ("--trials", "8", "--seeds", "4")))


@nox.session(venv_backend="none")
def report(session: nox.Session) -> None:
    """Write the report of a store; arguments go to `cssbench report`."""
    run(session, RUN, "cssbench", "report", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the test suite on all cores; arguments go to pytest, `-n 0` among them for one process."""
    workers = min((os.cpu_count() or 1) + 1, 8)  # one more than cores: many a test waits for a process
    # whole files, for the stores that their tests share, in the order of tests/conftest.py: the longest first
    spread = ("-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder")
    run(session, DEV, "pytest", *spread, *session.posargs)


@nox.session(venv_backend="none")
def lowest(session: nox.Session) -> None:
    """Test what each dependency is for with the lowest versions that pyproject.toml allows; arguments go to pytest."""
    # an old release may warn of what Python or a younger package deprecates: that is no fault of this package
    run(session, LOWEST, "pytest", "-n", "2", "-W", "default", *(session.posargs or LOWEST_TESTS))


@nox.session(venv_backend="none")
def soak(session: nox.Session) -> None:
    """Kill grids at sixty random moments and compare their bits with an undisturbed one's."""
    os.environ |= {"CSSBENCH_KILLS": "60"}
    run(session, DEV, "pytest", "tests/benchmark/execution/test_kills.py", "-s", *session.posargs)


@nox.session(venv_backend="none")
def perf(session: nox.Session) -> None:
    """Time what has to be fast, in CPU seconds; results are kept, arguments go to pytest-benchmark."""
    # one thread, and the allocator of benchmark/execution/worker.py
    os.environ |= {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "1073741824"}
    timing = ("--benchmark-only", "--benchmark-timer=time.process_time", "--benchmark-group-by=group")
    kept = ("--benchmark-autosave", "--benchmark-storage=.nox/perf")
    run(session, DEV, "pytest", "tests/perf", *timing, *kept, *session.posargs)


@nox.session(venv_backend="none")
def growth(session: nox.Session) -> None:
    """Fit how time and memory grow with sizes: the table of docs/speed.md; minutes."""
    os.environ |= {"OMP_NUM_THREADS": "1"}
    run(session, DEV, "python", "-m", "tests.perf.growth", *session.posargs)


@nox.session(venv_backend="none")
def fuzz(session: nox.Session) -> None:
    """Throw hostile pickles at the reader, and changed stores at every command; arguments: minutes, --only, --seed."""
    run(session, DEV, "python", "-m", "tests.fuzz", *session.posargs)


@nox.session(venv_backend="none")
def controls(session: nox.Session) -> None:
    """Plant effects and see whether the harness finds them; arguments go to pytest."""
    run(
        session,
        DEV,
        "pytest",
        "tests/controls",
        "-o",
        "python_files=control_*.py",
        "-s",
        "-W",
        "default",
        *session.posargs,
    )


@nox.session(venv_backend="none")
def browser(session: nox.Session) -> None:
    """Read a report in the system's chromium: sorting, filters, keyboard, print, axe; arguments go to pytest."""
    if not (os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")):
        session.warn("NO CHROMIUM HERE: the report was NOT read in a browser. Debian: apt-get install chromium")
        return
    run(session, DEV, "pytest", "tests/browser", "-o", "python_files=browser_*.py", *session.posargs)


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Build the site of docs/ into .nox/docs-site; a warning or a dead link fails. Arguments go to sphinx-build."""
    sources, trees, site = (f".nox/docs-{what}" for what in ("sources", "trees", "site"))
    run(session, DOCS, "python", "-m", "tests.docs.site", sources)
    strictly = ("-W", "--keep-going", "-q", "-c", "docs", "-d", trees)
    run(session, DOCS, "sphinx-build", *strictly, *session.posargs, sources, site)
    session.log(f"The site begins at {site}/index.html; it opens from disk.")


@nox.session(venv_backend="none")
def package(session: nox.Session) -> None:
    """Build sdist and wheel, install the wheel into a new environment, and use it elsewhere; argument: an interpreter.

    Everything lies in a temporary folder, 1.8 GB with a CPU build of torch, and goes with it.
    """
    (interpreter,) = session.posargs or ["python"]
    quiet = () if sys.stdout.isatty() else ("-q",)
    pinned = ("-m", "pip", "install", *quiet, "-c", str(Path("constraints.txt").resolve()))
    with tempfile.TemporaryDirectory(prefix="cssbench-package-") as name:
        folder = Path(name)
        tools, clean = (str(folder / env / "bin" / "python") for env in ("tools", "clean"))
        for env in ("tools", "clean"):
            session.run(interpreter, "-m", "venv", str(folder / env), external=True)
        session.run(tools, "-m", "pip", "install", *quiet, "build", "twine", external=True)
        # from copies, so that nothing is left in the checkout, and only files that git knows can get into the package
        files = session.run("git", "ls-files", "-z", external=True, silent=True, log=False).split("\0")
        for file in filter(None, files):
            (folder / "source" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / "source" / file)
        with session.chdir(folder / "source"):  # the wheel is built of the sdist
            session.run(tools, "-m", "build", "--outdir", str(folder / "dist"), external=True, silent=True)
        distributions = sorted(map(str, (folder / "dist").iterdir()))
        session.run(tools, "-m", "twine", "check", "--strict", *distributions, external=True)
        (wheel,) = (file for file in distributions if file.endswith(".whl"))
        for what in ("torch", wheel):
            session.run(clean, *pinned, what, external=True)
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        cssbench = str(folder / "clean" / "bin" / "cssbench")
        commands = (
            *(["--version"], ["methods"], ["presets"], ["presets", "quick"], ["data", "list"], ["doctor"]),
            ["run", "--preset", "smoke", "--methods", "css,adam", "--datasets", "meld-sim", "--seeds", "2"],
            *(["runs"], ["report"], ["verify", "--all", "--files"]),
        )
        with session.chdir(elsewhere):
            for words in commands:
                session.run(cssbench, *words, external=True, silent=not sys.stdout.isatty())
            assert (elsewhere / "cssbench-store" / "report" / "index.html").stat().st_size > 100_000
        session.log(f"{Path(wheel).name} works from {elsewhere}.")


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Check style and format."""
    run(session, DEV, "ruff", "check", ".")
    run(session, DEV, "ruff", "format", "--check", ".")


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Check types."""
    run(session, DEV, "mypy")


@nox.session(venv_backend="none")
def calibrate(session: nox.Session) -> None:
    """Measure how often the statistics are wrong, write docs/calibration.md; `-- --runs 300` is quicker."""
    run(session, DEV, "python", "-m", "tests.calibration", *session.posargs)
