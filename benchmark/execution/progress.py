"""How far a grid is: what is over, how long the rest will take, and what is to be said of a run that ended."""

import math
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from benchmark.base.words import run_name
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Retried, Started, Waiting
from benchmark.experiment.grid import cost
from benchmark.experiment.spec import RunSpec


class GridProgress:
    """Takes in what happens to the runs of a grid.

    Args:
        specs: the runs to be made, by key.

    Attributes:
        outcomes: how many runs ended, by kind of event.
        work: of the whole grid, in epochs weighted by what they cost.
        done: of that, what needs no more doing.
    """

    def __init__(self, specs: Mapping[str, RunSpec]) -> None:
        self.specs = specs
        self.outcomes: Counter[type[Event]] = Counter()
        self.work = sum(map(cost, specs.values()))
        self.done = 0.0
        self._trained = 0.0  # by this call: epochs of earlier ones say nothing about the time left
        self._best: dict[str, float] = {}
        self._epoch: dict[str, int] = {}
        self._elsewhere: set[str] = set()
        self._start = self._trained_from = time.monotonic()

    @property
    def count(self) -> str:
        """How many runs are done, of how many; those that were stopped are not."""
        stopped = self.outcomes[Interrupted]
        done = f"{self.outcomes.total() - stopped}/{len(self.specs)} runs"
        return f"{done}, {stopped} stopped" if stopped else done

    @property
    def time_left(self) -> str:
        """How long the rest will take, as far as it can be told."""
        if self.outcomes.total() == len(self.specs):
            return ""
        if self._elsewhere and not self._epoch:
            return "made by another process"
        if not self._trained:
            return "starting"
        seconds = (time.monotonic() - self._trained_from) * (self.work - self.done) / self._trained
        return f"{timedelta(seconds=round(seconds))} left"

    def name(self, key: str) -> str:
        """The run, for people."""
        spec = self.specs[key]
        name = run_name(spec.record())
        return name if spec.validates else f"{name} · {spec.protocol}"

    def best(self, key: str) -> str:
        """The run's best validation score so far; empty without validation data."""
        return f"{100 * self._best[key]:.1f}" if key in self._best else ""

    def update(self, event: Event) -> str | None:
        """Take in what happened; returns the line to be said of it, if there is one."""
        spec = self.specs[event.key]
        epochs = spec.training.epochs
        match event:
            case Started():
                if not self._epoch:  # workers take seconds to start, which says nothing about the time left either
                    self._trained_from = time.monotonic()
                self._epoch.setdefault(event.key, 0)
            case Epoch(epoch=epoch, best=best):
                if not math.isnan(best):  # there is validation data
                    self._best[event.key] = best
                self._trained += cost(spec) / epochs
                self._advance(spec, epoch)
            case Waiting():
                self._elsewhere.add(event.key)
                return f"{self.name(event.key)}: made by another process, waiting for it"
            case Retried(error=error):
                return f"{self.name(event.key)}: to be tried again, after: {_last_line(error)}"
            case Finished() | Failed() | Interrupted():
                self.outcomes[type(event)] += 1
                if not isinstance(event, Interrupted):
                    self._advance(spec, epochs)
                number = f"{self.outcomes.total():>{len(str(len(self.specs)))}}/{len(self.specs)}"
                return f"[{number}] {self.name(event.key)}: {self._outcome(event)}"
        return None

    def _advance(self, spec: RunSpec, epoch: int) -> None:
        """Count the run's work up to that epoch as no longer to be done."""
        self.done += (epoch - self._epoch.get(spec.key, 0)) * cost(spec) / spec.training.epochs
        self._epoch[spec.key] = epoch

    def _outcome(self, event: Event) -> str:
        match event:
            case Finished(key=key):
                elapsed = f"{timedelta(seconds=round(time.monotonic() - self._start))} elapsed"
                outcome = ", ".join(filter(None, (elapsed, self.time_left)))
                return f"best validation F1 {self.best(key)}; {outcome}" if self.best(key) else outcome
            case Failed(error=error):
                return "failed: " + _last_line(error)
            case _:
                return "stopped"


def _last_line(error: str) -> str:
    """The exception itself, or how the worker died."""
    return error.strip().splitlines()[-1]
