"""Tables as LaTeX that a paper can use: booktabs, a short caption, the explanation as a note, and a label."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import shorten

from reports.tables.model import Heading, Listing, Table
from reports.text import latex as text

PACKAGES = "% packages: booktabs, graphicx"
CAPTION = 190
"""The most characters of a caption, which are three lines in a column of 345 pt at 10 pt."""
PAGE = 38
"""The most lines of a `table` environment, which leave room for its caption and its note on a page."""
PROSE = 32
"""The characters of prose that a line surely holds."""
_COLUMNS = {"name": "l", "number": "r", "text": "l", "prose": r"p{0.45\linewidth}"}


def latex_file(tables: Sequence[Table]) -> str:
    """The tables of one name as a file, a `table` environment a listing.

    A listing that is higher than a page is several environments. Labels are `tab:cssbench-<table>-<data set>`, with a
    number from the second one on.
    """
    parts, labels = [PACKAGES], set[str]()
    for table in tables:
        for listing in (page for whole in table.listings for page in _pages(whole)):
            label = _label(table, labels)
            labels.add(label)
            parts.append(latex(listing, _caption(table, listing), table.note, label))
    return "\n".join(parts)


def _pages(listing: Listing) -> Iterator[Listing]:
    """The listing in parts that fit a page each."""
    rows: list[tuple[str, ...]] = []
    height = 0
    for row in listing.rows:
        lines = max(
            len(text) // PROSE + 1 if h.kind == "prose" else 1 for h, text in zip(listing.header, row, strict=True)
        )
        if rows and height + lines > PAGE:
            yield replace(listing, rows=tuple(rows))
            rows, height = [], 0
        rows.append(row)
        height += lines
    yield replace(listing, rows=tuple(rows))


def latex(listing: Listing, caption: str, note: str, label: str) -> str:
    """The listing as a LaTeX table (packages booktabs and graphicx), as wide as the text at most."""
    groups = listing.groups
    top = " & ".join(rf"\multicolumn{{{span}}}{{c}}{{{text(name)}}}" for name, span in groups)
    starts = [sum(span for _, span in groups[:i]) + 1 for i in range(len(groups))]
    rules = " ".join(
        rf"\cmidrule(lr){{{start}-{start + span - 1}}}"
        for start, (name, span) in zip(starts, groups, strict=True)
        if name
    )
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{text(caption)}}}",
            rf"\label{{{label}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{''.join(_COLUMNS[h.kind] for h in listing.header)}}}",
            r"\toprule",
            *([rf"{top} \\", rules] if listing.grouped else []),
            _row([_heading(h) for h in listing.header]),
            r"\midrule",
            *(_row([text(cell) for cell in row]) for row in listing.rows),
            r"\bottomrule",
            r"\end{tabular}}",
            rf"\par\smallskip\parbox{{\linewidth}}{{\footnotesize {text(note)}}}",
            r"\end{table}",
            "",
        ]
    )


def _row(cells: Sequence[str]) -> str:
    line = " & ".join(cells) + r" \\"
    return "{}" + line if line.startswith(("[", "*")) else line  # an option of the line's end before it otherwise


def _heading(heading: Heading) -> str:
    return "$n$" if heading.text == "n" else text(heading.text)


def _caption(table: Table, listing: Listing) -> str:
    """What the table is, of which data, and which part of it; where the data come from is never cut off."""
    parts = (", ".join([table.title, *_dataset(table)]), table.data, listing.title)
    return shorten(
        " ".join(part if part.endswith("?") else f"{part}." for part in parts if part), CAPTION, placeholder=" …"
    )


def _dataset(table: Table) -> list[str]:
    """The data set's name; nothing where a table is of all of them and has its own name in that place."""
    return [] if table.dataset.lower() in ("", table.name, table.title.lower()) else [table.dataset]


def _label(table: Table, taken: set[str]) -> str:
    """A label of ASCII letters, digits and points that no earlier listing has; only a data set's name has hyphens."""
    named = (table.name.replace("-", ""), *_dataset(table))
    names = (re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-") for name in named)
    first = label = "-".join(["tab:cssbench", *filter(None, names)])
    count = 1
    while label in taken:
        count += 1
        label = f"{first}-{count}"
    return label
