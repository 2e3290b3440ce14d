"""What the commands that write a report end with: a small table a data set, what is next, and where the report is."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.base.words import counted
from benchmark.cli.display.lines import tell

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from reports.scoreboard import Scoreboard

HEADER = ("method", "weighted F1, %", "n")


def show_scoreboards(boards: "Sequence[Scoreboard]") -> None:
    """A table and the answer of every data set; as wide as the terminal, and elsewhere a row a line."""
    console = _console()
    for board in boards:
        console.print(_table(board))
        if board.answer:
            tell(board.answer.removeprefix(f"{board.data}: "))
        if board.scores and (diverged := [s for s in board.scores if s.diverged]):
            runs = ", ".join(f"{s.method} {s.diverged} of {s.n}" for s in diverged)
            tell(f"Diverged on {board.dataset}: {runs}; their scores are in the means.")
        tell()


def show_report(page: Path) -> None:
    """Where the report is: a path, which is a link where the terminal has links."""
    console = _console()
    if console.is_terminal and not console.legacy_windows:
        uri = page.resolve().as_uri()
        print(f"report: \x1b]8;;{uri}\x1b\\{page}\x1b]8;;\x1b\\")
    else:
        tell(f"report: {page}")


def next_step(boards: "Sequence[Scoreboard]", words: Sequence[str], *, store: Path, workers: int) -> str:
    """The next sensible command after a grid, with the time that it takes; empty where there is nothing to say.

    words: the command that made the grid, without the program's name. workers: how many share the work.
    """
    if not boards:
        return ""
    few = [board for board in boards if board.seeds < board.needed]
    a_seed = sum(board.seconds_a_seed for board in boards)
    if few:
        needed = max(board.needed for board in few)
        seconds = sum((needed - board.seeds) * board.seconds_a_seed for board in few)
        return f"Next, seeds that a test needs ({_time(seconds / workers)}): {_with_seeds(words, needed)}"
    if any(board.undecided for board in boards) and "--until-decided" not in words:
        names = ", ".join(board.dataset for board in boards if board.undecided)
        fresh = [*_without(words, "--seeds", "--minutes", "--store"), "--until-decided", "--store", f"{store}-decided"]
        return (
            f"Next, as many seeds as decide {names}, declared anew ({_time(a_seed / workers)} for each further seed): "
            f"{_command(fresh)}"
        )
    seconds = a_seed * max(board.seeds for board in boards)
    again = _command(["verify", "--all", "--store", str(store)])
    return f"Next, whether these runs come out the same once more ({_time(seconds / workers)}): {again}"


def _console() -> "Console":
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=120, force_terminal=False)


def _table(board: "Scoreboard") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(board.data), title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1))
    for name in HEADER:
        table.add_column(name, justify="left" if name == "method" else "right", no_wrap=name != "method")
    table.add_column(f"{board.reference} − method", justify="right", no_wrap=True)
    table.add_column("verdict")
    for score in board.scores:
        table.add_row(*map(Text, (score.method, score.score, str(score.n), score.gain, score.verdict)))
    return table


def _with_seeds(words: Sequence[str], seeds: int) -> str:
    return _command([*_without(words, "--seeds", "--minutes"), "--seeds", str(seeds)])


def _without(words: Sequence[str], *options: str) -> list[str]:
    """The words of a command without these options and their values."""
    kept, skipped = [], False
    for word in words:
        if skipped:
            skipped = False
        elif word in options:
            skipped = True
        elif not word.startswith(tuple(f"{option}=" for option in options)):
            kept.append(word)
    return kept


def _command(words: Sequence[str]) -> str:
    return shlex.join(["cssbench", *words])


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"about {counted(max(1, round(seconds)), 'second')}"
    minutes = round(seconds / 60)
    return f"about {counted(minutes, 'minute')}" if minutes < 120 else f"about {counted(round(minutes / 60), 'hour')}"
