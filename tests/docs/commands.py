"""The commands of the documentation's blocks: which program they call, and how they are tried cheaply."""

import ast
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import typer.main

from benchmark.cli import app
from tests.docs.pages import Block
from tests.paths import ROOT

OF_OTHERS = ("ray", "python3", "pip", "pre-commit", "export")
"""Programs that are not of this repository: what they do is theirs."""
ONLY_PARSED = {
    ("data", "fetch"): "asks the network",
    ("ui",): "serves until Ctrl-C",
    ("estimate",): "trains steps; tests/benchmark/cli/test_estimate.py does",
    ("evaluate",): "needs a checkpoint of the authors; tests/benchmark/evaluation has one",
    ("robustness",): "needs trained weights; tests/benchmark/workflows/test_robustness.py has them",
    ("sync",): "logs to MLflow; tests/benchmark/cli/test_tracking.py does",
    ("import-predictions", "every-epoch.parquet"): "needs scores of every epoch; tests/benchmark/cli has them",
    ("tune",): "trains; tests/benchmark/cli/test_tune.py does",
    ("verify",): "trains, without --files; the tutorial on corpora does",
}
TOO_MUCH = ("--gpus", "--executor", "--ceilings", "--minutes")
"""Options that need another machine, or much of this one: their lines are parsed alone."""
SESSIONS = {"benchmark": ("run",), "tune": ("tune",), "report": ("report",)}
"""The commands that sessions of nox pass their arguments to."""


@dataclass(frozen=True)
class Command:
    """A call of cssbench: its words, and whether it is executed or parsed alone."""

    words: tuple[str, ...]
    executed: bool


def commands(block: Block) -> Iterator[Command]:
    """The calls of cssbench in a block, in their order; raises ValueError at a line that calls nothing known."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words:
            end = words.index("&&") if "&&" in words else len(words)
            yield from _command(words[:end])
            words = words[end + 1 :]


def _command(words: list[str]) -> Iterator[Command]:
    program, rest = words[0].rpartition("/")[2], words[1:]
    if program == "cssbench":
        yield _call(rest)
    elif program == "nox":
        yield from _session(rest)
    elif program == "python" and rest[:1] == ["-m"]:
        if find_spec(rest[1]) is None:
            raise ValueError(f"there is no module {rest[1]}")
    elif program not in OF_OTHERS:
        raise ValueError(f"{program} is no program that the documentation may call")


def _session(words: list[str]) -> Iterator[Command]:
    names, _, arguments = " ".join(words).partition(" -- ")
    _, *sessions = names.split()  # -s
    for name in sessions:
        if name not in nox_sessions():
            raise ValueError(f"noxfile.py has no session {name}")
    if sessions[0] in SESSIONS:
        yield _call([*SESSIONS[sessions[0]], *shlex.split(arguments)])


def nox_sessions() -> set[str]:
    """The sessions of noxfile.py."""
    functions = [
        node for node in ast.parse((ROOT / "noxfile.py").read_text()).body if isinstance(node, ast.FunctionDef)
    ]
    return {function.name for function in functions if function.decorator_list}


def _call(words: list[str]) -> Command:
    """A call of cssbench; what would train says what it would do."""
    parsed = any(tuple(words[: len(start)]) == start for start in ONLY_PARSED) and "--files" not in words
    if words[0] == "run" and "--dry-run" not in words:
        words = [*words, "--dry-run"]
    return Command(tuple(words), executed=not parsed and not set(words) & set(TOO_MUCH))


def parse(words: tuple[str, ...]) -> None:
    """Check the words against the command's options, as the command line does; raises what it shows as an error."""
    command, rest, name = typer.main.get_command(app), list(words), "cssbench"
    while hasattr(command, "commands"):
        name = rest.pop(0)
        command = command.commands[name]
    command.make_context(name, rest)
