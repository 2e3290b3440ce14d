"""A listener that remembers what it hears."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import benchmark
from benchmark.execution.events import Event
from benchmark.execution.listener import Hear
from benchmark.experiment.spec import RunSpec


class Heard(benchmark.Listener):
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.notices: list[str] = []
        self.events: list[Event] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    @contextmanager
    def runs(self, specs: Mapping[str, RunSpec], title: str = "all runs") -> Iterator[Hear]:
        yield self.events.append
