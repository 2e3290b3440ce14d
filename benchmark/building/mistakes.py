"""Mistakes in what a corpus is built from: as many as there are are told at once, each on a line."""

from collections.abc import Iterable

from benchmark.base.errors import DataError


class MistakesError(DataError):
    """What is wrong with the files of a corpus; ``lines`` has every mistake with its place, value and remedy."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        more = len(self.lines) - 1
        super().__init__(self.lines[0] + (f" (and {more} more)" if more else ""))


def quoted(value: str) -> str:
    """A value as messages show it: in quotes, and not endless."""
    return repr(value if len(value) <= 60 else value[:59] + "…")
