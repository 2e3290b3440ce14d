"""Whole stores, of which a file was changed, under every command: what must hold whatever was changed.

Nothing outside the store changes, and nothing from outside is shown or copied; a number that is shown is that of the
whole store; a command that leaves a run out names it and does not exit with 0; every error is a line, and no fault.
"""

import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from benchmark.cli import main
from benchmark.tracking.logged import Logged
from tests.benchmark.small_store import make_small_store
from tests.benchmark.store_commands import COMMANDS
from tests.fuzz.store_changes import CHANGES, Change, remove
from tests.undrawn import undrawn

SECRET = "what nobody else may read"
ALL = {"runs", "runs --json", "report", "verify", "merge", "move"}
"""Commands that read every run, and have to name one whose result or specification is damaged."""


class _Quiet:
    """Stands for MLflow, which takes seconds: it reads what it is given, and keeps nothing."""

    is_rebuilt = False

    def __init__(self, uri: str, warn: object, logged: Logged) -> None:
        self._logged = logged

    def begin(self, *_: object) -> None:
        pass

    def run_kept(self, folder: Path) -> None:
        (folder / "result.json").read_bytes()
        self._logged.add(folder.name, "an id")

    def close(self, timeout: float | None = None) -> None:
        pass


@dataclass
class Said:
    """What a command said, and the results of the runs that its report read, by key."""

    code: int = 0
    out: str = ""
    err: str = ""
    analysed: dict[str, Any] = field(default_factory=dict)


@dataclass
class Fuzz:
    """A store as it was written, what every command says of it, and a place for copies."""

    folder: Path
    whole: Path = field(init=False)
    files: list[str] = field(init=False)
    key: str = field(init=False)
    rows: dict[str, Any] = field(init=False)
    unharmed: dict[str, Said] = field(init=False)

    def __post_init__(self) -> None:
        self.whole = make_small_store(self.folder / "whole")
        for name in ("figures", "tables"):
            shutil.rmtree(self.whole / "report" / name, ignore_errors=True)
        self.files = sorted(str(p.relative_to(self.whole)) for p in self.whole.rglob("*") if p.is_file())
        self.key = min(path.name for path in (self.whole / "runs").iterdir())
        self.unharmed = {command: self._attempt(command, None, Random(0))[0] for command in COMMANDS}
        self.rows = {row["key"]: row for row in json.loads(self.unharmed["runs --json"].out)}

    def case(self, seed: int, index: int) -> tuple[str, str, Change]:
        """The command, the file and its change of case number ``index``: the commands by turns."""
        draw = Random(f"{seed}/{index}")
        return [*COMMANDS][index % len(COMMANDS)], draw.choice(self.files), draw.choice(CHANGES)

    def failure(self, seed: int, index: int) -> str | None:
        """What does not hold in a case; None where everything does."""
        command, file, change = self.case(seed, index)
        said, wrong = self.answer(seed, index)
        wrong = wrong or self._wrong(command, file, said, is_gone=change is remove)
        if wrong is None:
            return None
        return (
            f"{command}, {change.__name__} of {file}: {wrong}\nexit {said.code}\n{said.out[-1500:]}\n{said.err[-1500:]}"
        )

    def answer(self, seed: int, index: int) -> tuple[Said, str | None]:
        """What the command of a case says, and what is wrong outside the store."""
        command, file, change = self.case(seed, index)
        return self._attempt(command, (file, change), Random(f"{seed}/{index}/change"))

    def _attempt(self, command: str, damage: tuple[str, Change] | None, draw: Random) -> tuple[Said, str | None]:
        """Run a command on a copy; what it said, and what is wrong outside the store."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            here = Path(name)
            outside, store, other = here / "elsewhere", here / "store", here / "other"
            outside.mkdir()
            (outside / "id").write_text(SECRET)
            shutil.copytree(self.whole / "runs" / self.key, outside / "run")
            shutil.copytree(self.whole, store)
            shutil.copytree(self.whole, other)
            harmed, intact = (other, store) if command == "merge into it" else (store, other)
            shutil.rmtree(min((intact / "runs").iterdir()))
            if damage:
                damage[1](harmed / damage[0], outside, draw)
            before = _content(outside)
            said = say([w.format(store=store, other=other, key=self.key) for w in COMMANDS[command]])
            said.out, said.err = (text.replace(str(here), "") for text in (said.out, said.err))
            if _content(outside) != before or {path.name for path in here.iterdir()} != {"elsewhere", "store", "other"}:
                return said, "something outside the store changed"
            if SECRET in said.out + said.err:
                return said, "a file outside the store was shown"
            if any(SECRET in str(content) for content in _content(intact).values()):
                return said, "a file outside the store was copied"
            return said, None

    def _wrong(self, command: str, file: str, said: Said, *, is_gone: bool) -> str | None:
        whole, told = self.unharmed[command], said.out + said.err
        if "a fault of css-bench" in told or "Traceback" in told:
            return "a fault"
        if said.code not in (0, 1, 2):
            return "an exit code of its own"
        if said.code and not told.strip():
            return "an exit code that nothing explains"
        if command == "runs --json" and said.out.strip():
            for row in json.loads(said.out):
                if row["state"] == "complete" and row != self.rows.get(row["key"]):
                    return f"a damaged number is shown: {row}"
        for key, result in said.analysed.items():
            if result != whole.analysed.get(key, result) or key not in self.rows:
                return f"a report has a damaged number of {key}"
        parts = Path(file).parts
        if is_gone and (parts[0] != "runs" or parts[2] == "result.json"):
            return None  # what was never written: a run that is unfinished, a look that was not taken
        is_hidden = parts[0] == "runs" and parts[1] not in told
        if command in ALL and is_hidden:
            return f"the damaged run {parts[1]} is not named"
        if parts[0] == "runs" and self._is_sealed(parts[2]):
            if any(line.startswith(parts[1]) and "files are whole" in line for line in said.out.splitlines()):
                return "a damaged run is called whole"
            if command in ALL - {"runs", "runs --json"} and not said.code:
                return "exit 0 hides a damaged run"
        is_made_again = COMMANDS[command][0] == "run" and parts[0] == "runs" and "1 run to make" in said.out
        if not said.code and command != "report" and not is_made_again and _known(said.out) != _known(whole.out):
            return f"exit 0, and other words than of a whole store:\n{whole.out}"
        return None

    def _is_sealed(self, name: str) -> bool:
        return name in ("spec.json", "result.json") or name in self._seals

    @property
    def _seals(self) -> dict[str, str]:
        seals: dict[str, str] = json.loads((self.whole / "runs" / self.key / "result.json").read_text())["files"]
        return seals


def _known(out: str) -> list[str]:
    """The words of an output, however wide its columns are."""
    return out.replace("│", " ").split()


def _content(folder: Path) -> dict[str, bytes | str]:
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def say(words: list[str]) -> Said:
    """The command line in this process; reports are read and not drawn."""
    said, out, err = Said(), io.StringIO(), io.StringIO()
    with _changed(said), redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", ["cssbench", *words]):
        try:
            main()
        except SystemExit as end:
            said.code = int(end.code or 0)
        except BaseException as error:
            said.code, said.err = -1, f"Traceback: {type(error).__name__}: {error}"
    said.out, said.err = out.getvalue(), said.err + err.getvalue()
    return said


@contextmanager
def _changed(said: Said) -> Iterator[None]:
    from reports.analysis import analyse
    from reports.pages import Written

    def write(store: Path, folder: Path, keys: Any) -> Written:
        stored = analyse(store, keys).stored
        said.analysed = {run.key: json.loads(json.dumps(run.result)) for run in stored.runs}
        return Written((), stored.damaged)

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CSSBENCH_STORE", "MLFLOW_"))}
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, kept, clear=True))
        stack.enter_context(patch("benchmark.tracking.tracker.Tracker", _Quiet))
        stack.enter_context(patch("reports.pages.write_report", write))
        stack.enter_context(undrawn())
        yield
