"""What a worker is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.data.datasets import DataSet
from benchmark.specs import RunSpec


@dataclass(frozen=True)
class Task:
    """A run to be made: its specification, its data set, and the state of the code's repository."""

    spec: RunSpec
    dataset: DataSet
    git: Mapping[str, Any] | None
