"""What workers tell the coordinator about their runs."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Something happened to the run of that key."""

    key: str


@dataclass(frozen=True)
class Waiting(Event):
    """Another process is making the run, and is waited for."""


@dataclass(frozen=True)
class Started(Event):
    """A worker begins to make the run; not said of one that another process is making."""


@dataclass(frozen=True)
class Epoch(Event):
    """The run finished an epoch; ``metrics`` is its row of the history, ``best`` the best validation weighted F1.

    Without validation data that is NaN.
    """

    epoch: int
    metrics: Mapping[str, float]
    best: float


@dataclass(frozen=True)
class Finished(Event):
    """The run is complete and in the store."""


@dataclass(frozen=True)
class Interrupted(Event):
    """The run was stopped after an epoch; its checkpoint is in the store."""


@dataclass(frozen=True)
class Failed(Event):
    """The run raised, or its worker died; ``error`` is the traceback or what is known.

    ``lasting`` says that another attempt would end alike: the input is wrong.
    """

    error: str
    lasting: bool = False


@dataclass(frozen=True)
class Retried(Event):
    """The run failed for the first time and is going to be tried again."""

    error: str
