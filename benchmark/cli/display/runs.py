"""The progress of a grid on a terminal: all runs in one bar, and one for each that is being trained."""

from collections.abc import Mapping

from rich.console import Console

from benchmark.cli.display.bars import Bars
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Retried, Started
from benchmark.execution.progress import GridProgress
from benchmark.experiment.spec import RunSpec


class RunDisplay(Bars):
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
        super().__init__(console, title, total=self._grid.work, count=self._grid.count, note=self._grid.time_left)

    def update(self, event: Event) -> None:
        """Show what happened."""
        line = self._grid.update(event)
        if not self._one_line:
            self._move_bar(event)
        if line is not None and not (self._one_line and isinstance(event, Finished)):
            self.say(line)
        self.move_all(self._grid.done, self._grid.count, self._grid.time_left)

    def _move_bar(self, event: Event) -> None:
        epochs = self._grid.specs[event.key].training.epochs
        match event:
            case Started():
                self.start_run(event.key, self._grid.name(event.key), epochs)
            case Epoch(epoch=epoch):
                best = self._grid.best(event.key)
                self.move_run(event.key, epoch, epochs, f"val F1 {best}" if best else "")
            case Retried() | Finished() | Failed() | Interrupted():
                self.end_run(event.key)
