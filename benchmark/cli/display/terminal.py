"""What a person at a terminal hears of the work: messages on stdout, notices on stderr, progress as bars or lines."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console

from benchmark.cli.display.lines import say
from benchmark.cli.display.runs import RunDisplay
from benchmark.cli.display.studies import StudyDisplay
from benchmark.execution.listener import Hear, Listener, TrialProgress
from benchmark.experiment.spec import RunSpec


class Terminal(Listener):
    """Shows the work on a console: bars on a terminal, a line a finished run or trial elsewhere.

    Args:
        console: where messages and progress go; stdout by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        # a notebook's `!` gives its commands a terminal, and shows no cursor movement but the return to a line's start
        self._one_line = "JPY_PARENT_PID" in os.environ

    def message(self, text: str) -> None:
        """Print a line on the console."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def notice(self, text: str) -> None:
        """Print a line on stderr; a live display makes room for it."""
        say(text)

    @contextmanager
    def runs(self, specs: Mapping[str, RunSpec], title: str = "all runs") -> Iterator[Hear]:
        """Show bars while the block lasts."""
        with RunDisplay(specs, self._console, title=title, one_line=self._one_line) as display:
            yield display.update

    @contextmanager
    def trials(self, total: int, over: int) -> Iterator[TrialProgress]:
        """Show bars while the block lasts."""
        with StudyDisplay(total, over, self._console, one_line=self._one_line) as display:
            yield display
