"""What a worker is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmark.data.datasets import DataSet
from benchmark.specs import RunSpec


@dataclass(frozen=True)
class Task:
    """A run to be made: its specification, its data set, the code's repository, and what is known of the data."""

    spec: RunSpec
    dataset: DataSet
    git: Mapping[str, Any] | None
    examination: Mapping[str, Any] = field(default_factory=dict)
