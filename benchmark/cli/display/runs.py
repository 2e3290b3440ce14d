"""The progress of a grid on a terminal: all runs in one bar, and one for each that is being trained."""

from collections.abc import Mapping
from functools import partial
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Retried, Started
from benchmark.execution.progress import GridProgress
from benchmark.experiment.spec import RunSpec

_WIDE = 80
"""Columns of a terminal that has room for a bar."""


def bars(console: Console) -> Progress:
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


class RunDisplay:
    """Live progress of a grid.

    Args:
        specs: the runs to be made, by key.
        console: where to draw; not a terminal, it gets a line a finished run.
        title: what they are.
        one_line: draw the bar of all runs alone, and say only what went wrong: for what shows no cursor movements.
    """

    def __init__(
        self, specs: Mapping[str, RunSpec], console: Console, *, title: str = "all runs", one_line: bool = False
    ) -> None:
        self._grid = GridProgress(specs)
        self._one_line = one_line
        self._bars: dict[str, TaskID] = {}
        self._progress = bars(console)
        self._all = self._progress.add_task(
            title, total=self._grid.work, count=self._grid.count, note=self._grid.time_left
        )

    def __enter__(self) -> "RunDisplay":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, event: Event) -> None:
        """Show what happened."""
        line = self._grid.update(event)
        if not self._one_line:
            self._update_bar(event)
        if line is not None and not (self._one_line and isinstance(event, Finished)):
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._progress.update(self._all, completed=self._grid.done, count=self._grid.count, note=self._grid.time_left)

    def _update_bar(self, event: Event) -> None:
        """Show the run's own bar while it is trained."""
        epochs = self._grid.specs[event.key].training.epochs
        match event:
            case Started():
                name = self._grid.name(event.key)
                self._bars[event.key] = self._progress.add_task(name, total=epochs, count=f"epoch 0/{epochs}", note="")
            case Epoch(epoch=epoch):
                best = self._grid.best(event.key)
                self._progress.update(
                    self._bars[event.key],
                    completed=epoch,
                    count=f"epoch {epoch}/{epochs}",
                    note=f"val F1 {best}" if best else "",
                )
            case Retried() | Finished() | Failed() | Interrupted():
                if (bar := self._bars.pop(event.key, None)) is not None:
                    self._progress.remove_task(bar)
