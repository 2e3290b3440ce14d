"""What a table is: rows of text under headings, what a reader has to know of them, and their numbers in a frame."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import pandas as pd


class Link(str):
    """The text of a cell that is a link on a page, to `href`."""

    href: str

    def __new__(cls, text: str, href: str) -> "Link":
        """The text with where it leads."""
        link = super().__new__(cls, text)
        link.href = href
        return link


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
    """Rows of text under a header.

    marked: the positions of the rows that need attention. ids: what links to a row name, a value a row; empty without
    such links. closed: whether the reader of a page has to open it.
    """

    title: str
    header: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()
    ids: tuple[str, ...] = ()
    closed: bool = False

    @property
    def rows_are(self) -> Literal["method", "pair", "other"]:
        """Whether a row is about a method, or about two of them, whose names are then in its first cell."""
        first = self.header[0].text
        return "method" if first == "method" else "pair" if first == "comparison" else "other"

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
        frame: the numbers of its CSV file, where `reports.columns.units` has scores and shares in per cent.
    """

    name: str
    title: str
    note: str
    data: str
    dataset: str
    sentences: tuple[str, ...]
    listings: tuple[Listing, ...]
    frame: pd.DataFrame

    @property
    def shown(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.listings or self.sentences)


def listing(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str]], prose: Iterable[str] = (), **more: Any
) -> Listing:
    """A listing of texts; `prose` names the columns that may wrap, `more` are further fields of `Listing`."""
    wrapped = frozenset(prose)
    headings = tuple(Heading(name, "prose" if name in wrapped else "text") for name in header)
    return Listing(title, headings, tuple(map(tuple, rows)), **more)
