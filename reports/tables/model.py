"""What a table is: rows of text under headings, what a reader has to know of them, and their numbers in a frame."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import pandas as pd


@dataclass(frozen=True)
class Heading:
    """The heading of a column; `group` stands above neighbours that share it.

    kind: how the column's cells are set: a `name` of the row, a `number`, a word or two of `text`, or `prose`, which
    may wrap.
    """

    text: str
    kind: Literal["name", "number", "text", "prose"] = "text"
    group: str = ""


@dataclass(frozen=True)
class Listing:
    """Rows of text under a header; `marked` are the positions of the rows that need attention."""

    title: str
    header: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()

    @property
    def grouped(self) -> bool:
        """Whether some of its columns have a group."""
        return any(heading.group for heading in self.header)

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The groups of neighbouring columns, and how many columns each spans."""
        return [(group, len(list(columns))) for group, columns in groupby(self.header, key=lambda h: h.group)]


@dataclass(frozen=True, eq=False)
class Table:
    """A table of one data set.

    Attributes:
        name, title: of its files, and what pages call it.
        note: how to read it. sentences: what else there is to say of these data.
        data, dataset: where the data come from, as a clause, and what pages call the data set.
        listings: what people read.
        frame: the numbers of its CSV file. units: what they are in, where people read something else.
    """

    name: str
    title: str
    note: str
    data: str
    dataset: str
    sentences: tuple[str, ...]
    listings: tuple[Listing, ...]
    frame: pd.DataFrame
    units: str = ""

    @property
    def shown(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.listings or self.sentences)


def listing(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str]], prose: Iterable[str] = (), **more: frozenset[int]
) -> Listing:
    """A listing of texts; `prose` names the columns that may wrap."""
    wrapped = frozenset(prose)
    headings = tuple(Heading(name, "prose" if name in wrapped else "text") for name in header)
    return Listing(title, headings, tuple(map(tuple, rows)), **more)
