"""Tables as HTML, Markdown, LaTeX and CSV."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from reports.columns.units import in_percent
from reports.tables.latex import latex_file
from reports.tables.model import Listing, Table
from reports.templates import Markdown, html_environment, markdown_environment
from reports.text import markdown as markdown_text
from reports.text import markdown_cell, markdown_line, spreadsheet


def html(table: Table, id: str = "", level: int = 3, files: bool = True) -> Markup:
    """The table as a part of a page, under a heading of this level; `files`: name its files beside it."""
    return Markup(_macros().table_html(table, id, level, files))


def topic(tables: Sequence[Table]) -> Markup:
    """Tables of one name, a data set each, as a part of a page: what they share is said once."""
    return Markup(_macros().topic_html(tables))


@lru_cache(maxsize=1)
def _macros() -> Any:
    return html_environment().get_template("table.html").module


def markdown(table: Table, heading: str | None = None, level: int = 3) -> Markdown:
    """The table as a part of a page, under a heading of this level: its title, or the one given."""
    lead = f"**{markdown_line(table.data)}.** {table.note}" if table.data else table.note
    parts = [f"{'#' * level} {heading or table.title}", lead, *(f"- {markdown_line(s)}" for s in table.sentences)]
    for listing in table.listings:
        parts += [
            *([f"{'#' * (level + 1)} {markdown_text(listing.title)}"] if listing.title else []),
            markdown_rows(listing),
        ]
    return Markdown("\n\n".join(parts))


def markdown_topic(tables: Sequence[Table]) -> Markdown:
    """Tables of one name, a data set each, as a part of a page: what they share is said once."""
    parts, note = [f"### {tables[0].title}"], ""
    for table in tables:
        parts += [table.note] if table.note != note else []
        note = table.note
        data = f" ({markdown_line(table.data)})" if table.data else ""
        parts += [f"#### {markdown_line(table.dataset)}{data}", *(f"- {markdown_line(s)}" for s in table.sentences)]
        for listing in table.listings:
            parts += [*([f"##### {markdown_text(listing.title)}"] if listing.title else []), markdown_rows(listing)]
    return Markdown("\n\n".join(parts))


def markdown_rows(listing: Listing) -> str:
    """The listing as a Markdown table; column groups are written into the headers."""
    rule = ["---:" if heading.kind == "number" else "---" for heading in listing.header]
    header = [markdown_cell(f"{h.group}: {h.text}" if h.group else h.text) for h in listing.header]
    lines = [header, rule, *([markdown_cell(text) for text in row] for row in listing.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def csv(frame: pd.DataFrame) -> str:
    """Numbers in full; no cell that a spreadsheet would take for a formula."""
    texts = frame.select_dtypes(exclude=["number", "bool"]).columns
    safe = frame.assign(**{name: frame[name].map(spreadsheet) for name in texts})
    return safe.rename(columns=lambda name: str(spreadsheet(name))).to_csv(index=False, lineterminator="\n")


def write_tables(tables: Iterable[Table], folder: Path) -> None:
    """Write `<name>.csv`, `.md` and `.tex` into a folder, over all data sets that have a table of that name."""
    by_name: dict[str, list[Table]] = {}
    for table in tables:
        by_name.setdefault(table.name, []).append(table)
    for name, members in by_name.items():
        for suffix, text in _files(members).items():
            (folder / f"{name}.{suffix}").write_text(text, encoding="utf-8")


def _files(tables: Sequence[Table]) -> dict[str, str]:
    shown = [table for table in tables if table.shown]
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    return {
        "csv": csv(in_percent(tables[0].name, frame)),
        "md": "\n\n".join([f"# {tables[0].title}", *(markdown(t, markdown_line(t.dataset), 2) for t in shown)]) + "\n",
        "tex": latex_file(shown),
    }


def write_page(path: Path, context: Mapping[str, Any]) -> None:
    """Write a page from the template of its name.

    It may show a table by `html(table, id)` or `markdown(table)`, and those of one name by `topic(tables)` or
    `markdown_topic(tables)`.
    """
    environment = html_environment() if path.suffix == ".html" else markdown_environment()
    text = environment.get_template(path.name).render(
        {**context, "html": html, "topic": topic, "markdown": markdown, "markdown_topic": markdown_topic}
    )
    path.write_text(text, encoding="utf-8")
