"""Runs that a report names and does not show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Omitted:
    """Runs of a data set that are not shown, and why: another budget than the one shown, or folds that are missing."""

    dataset: str
    budget: str
    runs: int
    methods: tuple[str, ...]
    differences: tuple[str, ...]
