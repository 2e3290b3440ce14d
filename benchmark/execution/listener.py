"""What whoever calls the front door hears while it works: lines to read, and the progress of runs and trials."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from benchmark.execution.events import Event
from benchmark.experiment.spec import RunSpec

Hear = Callable[[Event], None]
"""Takes what happens to a run."""


@dataclass(frozen=True)
class TrialRun:
    """The run of a trial that an event is about.

    Attributes:
        study, number: the trial's study and its number there.
        seed, epochs: the run's.
    """

    study: str
    number: int
    seed: int
    epochs: int


@dataclass(frozen=True)
class EndedTrial:
    """A trial that this process ended.

    Attributes:
        study, number, settings: which trial it is, and what it tried.
        scores: validation weighted F1 (fractions) of its finished runs, in the order of their seeds.
        seeds: how many runs it would have had at most.
        error: why it failed, or None.
    """

    study: str
    number: int
    settings: Mapping[str, Any]
    scores: tuple[float, ...]
    seeds: int
    error: str | None


class TrialProgress(Protocol):
    """Hears of the trials of studies."""

    def update(self, event: Event, run: TrialRun) -> None:
        """Something happened to a run of a trial."""

    def ended(self, trial: EndedTrial) -> None:
        """A trial ended."""


class Listener:
    """Hears everything and says nothing: override what should be shown.

    Methods are called from the thread that called the front door; what they raise ends the work, as Ctrl-C twice does.
    """

    def message(self, text: str) -> None:
        """One line about what is done."""

    def notice(self, text: str) -> None:
        """One line that a reader of the results has to know: a warning, or what was left out and why."""

    @contextmanager
    def runs(self, specs: Mapping[str, RunSpec], title: str = "all runs") -> Iterator[Hear]:
        """The runs of these specifications, by key, are made while the block lasts; ``title`` is what they are."""
        yield lambda event: None

    @contextmanager
    def trials(self, total: int, over: int) -> Iterator[TrialProgress]:
        """``total`` trials, of which ``over`` are over already, are made while the block lasts."""
        yield _Deaf()


class _Deaf:
    """Hears of trials and does nothing."""

    def update(self, event: Event, run: TrialRun) -> None:
        """Do nothing."""

    def ended(self, trial: EndedTrial) -> None:
        """Do nothing."""
