"""What a person sees while a grid runs: bars on a terminal, plain lines elsewhere."""

import math
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Retried, Started
from benchmark.experiment.grid import cost
from benchmark.experiment.spec import RunSpec


def bars(console: Console) -> Progress:
    """Bars with a count, the time, and a note; nothing where the console is not a terminal."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=12),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=not console.is_terminal,
    )


class Display:
    """Live progress of a grid: all runs in one bar, and one for each that is being trained.

    Args:
        specs: the runs to be made, by key.
        console: where to draw; not a terminal, it gets a line a finished run.
    """

    def __init__(self, specs: Mapping[str, RunSpec], console: Console) -> None:
        self.specs = specs
        self.outcomes: Counter[type[Event]] = Counter()
        self._best: dict[str, float] = {}
        self._epoch: dict[str, int] = {}
        self._bars: dict[str, TaskID] = {}
        self._left = sum(map(cost, specs.values()))  # work: epochs weighted by what they cost
        self._done = 0.0  # by this call: epochs of earlier ones say nothing about the time left
        self._start = self._trained_from = time.monotonic()
        self._progress = bars(console)
        self._all = self._progress.add_task("all runs", total=self._left, count=f"0/{len(specs)} runs", note="starting")

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, event: Event) -> None:
        """Show what happened."""
        spec = self.specs[event.key]
        epochs = spec.training.epochs
        name = f"{spec.dataset} · {spec.method.label} · seed {spec.seed}"
        if spec.protocol != "validated":
            name += f" · {spec.protocol}"
        match event:
            case Started():
                if not self._epoch:  # workers take seconds to start, which says nothing about the time left either
                    self._trained_from = time.monotonic()
                self._epoch.setdefault(event.key, 0)
                self._bars[event.key] = self._progress.add_task(name, total=epochs, count=f"epoch 0/{epochs}", note="")
            case Epoch(epoch=epoch, best=best):
                if not math.isnan(best):  # there is validation data
                    self._best[event.key] = best
                self._done += cost(spec) / epochs
                self._advance(spec, epoch)
                self._progress.update(
                    self._bars[event.key],
                    completed=epoch,
                    count=f"epoch {epoch}/{epochs}",
                    note=f"val F1 {100 * best:.1f}" if event.key in self._best else "",
                )
            case Retried(error=error):
                if (bar := self._bars.pop(event.key, None)) is not None:
                    self._progress.remove_task(bar)
                self._print(f"{name}: to be tried again, after: {_last_line(error)}")
            case Finished() | Failed() | Interrupted():
                self.outcomes[type(event)] += 1
                if (bar := self._bars.pop(event.key, None)) is not None:
                    self._progress.remove_task(bar)
                if not isinstance(event, Interrupted):
                    self._advance(spec, epochs)
                self._say(event, name)
        over, runs = sum(self.outcomes.values()), len(self.specs)
        note = self._time_left() if over < runs else ""
        self._progress.update(self._all, count=f"{over}/{runs} runs", note=note)

    def _advance(self, spec: RunSpec, epoch: int) -> None:
        """Count the run's work up to that epoch as no longer to be done."""
        share = (epoch - self._epoch.get(spec.key, 0)) * cost(spec) / spec.training.epochs
        self._epoch[spec.key] = epoch
        self._left -= share
        self._progress.advance(self._all, share)

    def _time_left(self) -> str:
        if not self._done:
            return "starting"
        seconds = (time.monotonic() - self._trained_from) * self._left / self._done
        return f"{timedelta(seconds=round(seconds))} left"

    def _say(self, event: Event, name: str) -> None:
        over, runs = sum(self.outcomes.values()), len(self.specs)
        match event:
            case Finished(key=key):
                elapsed = timedelta(seconds=round(time.monotonic() - self._start))
                outcome = f"{elapsed} elapsed, {self._time_left()}" if over < runs else f"{elapsed} elapsed"
                if key in self._best:
                    outcome = f"best validation F1 {100 * self._best[key]:.1f}; {outcome}"
            case Failed(error=error):
                outcome = "failed: " + _last_line(error)
            case _:
                outcome = "stopped"
        self._print(f"[{over:>{len(str(runs))}}/{runs}] {name}: {outcome}")

    def _print(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _last_line(error: str) -> str:
    """The exception itself, or how the worker died."""
    return error.strip().splitlines()[-1]
