"""What a person sees while a grid runs: bars on a terminal, plain lines elsewhere."""

from collections import Counter
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as Remaining

from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Started
from benchmark.specs import RunSpec


class Display:
    """Live progress of a grid: all runs in one bar, and one for each that is being trained.

    Args:
        specs: the runs to be made, by key.
        console: where to draw; not a terminal, it gets a line a finished run.
    """

    def __init__(self, specs: Mapping[str, RunSpec], console: Console) -> None:
        self.specs = specs
        self.console = console
        self.outcomes: Counter[type[Event]] = Counter()
        self._best: dict[str, float] = {}
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            Remaining(compact=True, elapsed_when_finished=True),
            console=console,
            disable=not console.is_terminal,
        )
        self._all = self._progress.add_task("[bold]runs", total=self._epochs(specs), note="")

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
        name = f"{spec.dataset} · {spec.method.label} · seed {spec.seed}"
        epochs = spec.training.epochs
        match event:
            case Started():
                self._bars[event.key] = self._progress.add_task(name, total=epochs, note="")
            case Epoch(epoch=epoch, best=best):
                self._best[event.key] = best
                if event.key in self._bars:
                    self._progress.update(
                        self._bars[event.key], completed=epoch, note=f"best validation F1 {100 * best:.1f}"
                    )
                self._progress.advance(self._all)
            case Finished() | Failed() | Interrupted():
                self.outcomes[type(event)] += 1
                if (bar := self._bars.pop(event.key, None)) is not None:
                    self._progress.remove_task(bar)
                self._say(event, name)
        done = sum(self.outcomes.values())
        self._progress.update(self._all, note=f"{done}/{len(self.specs)} runs")

    def _say(self, event: Event, name: str) -> None:
        count = f"[{sum(self.outcomes.values()):>3}/{len(self.specs)}]"
        match event:
            case Finished():
                outcome = f"best validation weighted F1 {100 * self._best.get(event.key, float('nan')):.1f}"
            case Interrupted():
                outcome = "stopped; the same command goes on from its last epoch"
            case Failed(error=error):
                outcome = "failed: " + error.strip().splitlines()[-1]
            case _:
                return
        self._progress.console.print(f"{count} {name}: {outcome}", markup=False, highlight=False)

    @staticmethod
    def _epochs(specs: Mapping[str, RunSpec]) -> int:
        return sum(spec.training.epochs for spec in specs.values())
