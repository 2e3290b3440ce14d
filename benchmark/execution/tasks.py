"""What a worker is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmark.data.conversations import Conversations
from benchmark.data.defects.remedies import Change
from benchmark.experiment.spec import RunSpec


class Data(Protocol):
    """What a run needs of a :class:`benchmark.data.datasets.DataSet`."""

    @property
    def kind(self) -> str:
        """``real`` or ``simulated``."""

    @property
    def description(self) -> str:
        """One line for people."""

    @property
    def published(self) -> bool:
        """Whether it is the community's file."""

    def __hash__(self) -> int: ...

    def load_remedied(self) -> tuple[Conversations, tuple[Change, ...]]:
        """The conversations, and what each remedy changed."""


@dataclass(frozen=True)
class Task:
    """A run to be made: its specification, its data set, the code's repository, and what is known of the data."""

    spec: RunSpec
    dataset: Data
    git: Mapping[str, Any] | None
    examination: Mapping[str, Any] = field(default_factory=dict)
