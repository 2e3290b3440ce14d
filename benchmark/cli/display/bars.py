"""Bars on a terminal: one of everything, and one for each run that is being trained."""

from functools import partial
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

_WIDE = 80
"""Columns of a terminal that has room for a bar."""


def _bars(console: Console) -> Progress:
    """Bars with a count, the time, and a note; nothing where the console is not a terminal.

    A narrow terminal has no room for a bar, and without colours one is not to be told from its background: the count
    says the same.
    """
    words = partial(Column, no_wrap=True, overflow="ellipsis", ratio=1)
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False, table_column=words()),
        *([BarColumn(bar_width=12)] if console.width >= _WIDE and not console.no_color else []),
        TextColumn("{task.fields[count]}", table_column=Column(no_wrap=True)),
        TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
        TextColumn("{task.fields[note]}", table_column=words()),
    ]
    return Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
    )


class Bars:
    """The live bars of a grid or a search; to be used as a context.

    Args:
        console: where to draw.
        title, total, done, count, note: of the bar of everything.
    """

    def __init__(self, console: Console, title: str, *, total: float, done: int = 0, count: str, note: str) -> None:
        self._runs: dict[str, TaskID] = {}
        self._progress = _bars(console)
        self._all = self._progress.add_task(title, total=total, completed=done, count=count, note=note)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def move_all(self, done: float, count: str, note: str) -> None:
        """Move the bar of everything."""
        self._progress.update(self._all, completed=done, count=count, note=note)

    def start_run(self, key: str, name: str, epochs: int) -> None:
        """Add the bar of a run."""
        self._runs[key] = self._progress.add_task(name, total=epochs, count=f"epoch 0/{epochs}", note="")

    def move_run(self, key: str, epoch: int, epochs: int, note: str) -> None:
        """Move the bar of a run to an epoch."""
        self._progress.update(self._runs[key], completed=epoch, count=f"epoch {epoch}/{epochs}", note=note)

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def end_run(self, key: str) -> None:
        """Take away the bar of a run, if it has one."""
        if (bar := self._runs.pop(key, None)) is not None:
            self._progress.remove_task(bar)
