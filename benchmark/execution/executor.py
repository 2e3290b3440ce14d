"""What makes the runs of a grid: processes of this machine, or a cluster."""

from collections.abc import Generator, Sequence
from typing import Protocol

from benchmark.execution.events import Event
from benchmark.execution.tasks import Task


class Executor(Protocol):
    """Makes runs and says what happens; see :class:`benchmark.execution.scheduler.Scheduler`."""

    def run(self, tasks: Sequence[Task]) -> Generator[Event, None, None]:
        """Execute the tasks; every one that starts ends in exactly one event. Closing the iterator ends all at once."""

    def stop(self) -> None:
        """Let every run end after its current epoch, checkpointed, and start no other. For signal handlers too."""
