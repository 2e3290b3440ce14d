"""Tables whose cells are text (verdicts, rankings): as HTML by the page's template, here as Markdown and LaTeX."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from reports.text import LATEX


@dataclass(frozen=True)
class Listing:
    """Rows of text under a header; `prose` are the columns that may wrap."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    prose: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table of one data set: file name, title, how to read it, sentences, listings, and the frame of its CSV file."""

    name: str
    title: str
    note: str
    data: str
    dataset: str
    sentences: tuple[str, ...]
    listings: tuple[Listing, ...]
    frame: pd.DataFrame


def markdown(listing: Listing) -> str:
    """The listing as a Markdown table."""
    lines = [listing.header, tuple("---" for _ in listing.header), *listing.rows]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines)


def latex(listing: Listing, caption: str) -> str:
    """The listing as a LaTeX table (packages booktabs and graphicx), as wide as the text at most."""
    columns = "".join("p{0.45\\linewidth}" if name in listing.prose else "l" for name in listing.header)
    lines = [" & ".join(text.translate(LATEX) for text in line) + r" \\" for line in (listing.header, *listing.rows)]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption.translate(LATEX)}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
            "",
        ]
    )


def files(sheets: Sequence[Sheet]) -> dict[str, str]:
    """Content of a table's `.csv`, `.md` and `.tex` by suffix, over all data sets."""
    text, tex = [f"# {sheets[0].title}"], ["% packages: booktabs, graphicx"]
    for sheet in sheets:
        text += [f"## {sheet.dataset}", f"**{sheet.data}.** {sheet.note}", *(f"- {line}" for line in sheet.sentences)]
        for listing in sheet.listings:
            text += [*([f"### {listing.title}"] if listing.title else []), markdown(listing)]
            title = f"{sheet.title}{f', {listing.title.lower()}' if listing.title else ''}, {sheet.dataset}"
            tex.append(latex(listing, f"{title}. {sheet.data}. {sheet.note}"))
    frame = pd.concat([sheet.frame for sheet in sheets], ignore_index=True)
    return {
        "csv": frame.to_csv(index=False, lineterminator="\n"),
        "md": "\n\n".join(text) + "\n",
        "tex": "\n".join(tex),
    }
