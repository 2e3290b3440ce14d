"""One model of a table, and what becomes of names that would be markup in one of its renderings."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from reports.tables.latex import latex
from reports.tables.model import listing
from reports.tables.rendering import csv, html, markdown, markdown_rows, write_tables
from tests.reports.tables.samples import GROUPED, HOSTILE, table_of


class Cells(HTMLParser):
    """Rows of (tag, text) with the row's class."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str | None, list[tuple[str, str]]]] = []
        self.tags: set[str] = set()
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append((dict(attrs).get("class"), []))
        self._open = tag in ("th", "td")
        if self._open:
            self.rows[-1][1].append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            tag, text = self.rows[-1][1][-1]
            self.rows[-1][1][-1] = (tag, text + data)


def test_html_has_groups_names_and_marked_rows():
    parser = Cells()
    parser.feed(html(table_of(GROUPED), "meld"))
    groups, header, first, second = parser.rows
    assert [text for _, text in groups[1]] == ["", "selected", ""]
    assert [text for _, text in header[1]] == ["method", "n", "F1", "95 % CI", "in words"]
    assert first == (None, [("th", "css"), *(("td", text) for text in GROUPED.rows[0][1:])])
    assert second[0] == "marked"


def test_markdown_has_groups_in_the_headers_and_numbers_to_the_right():
    assert markdown_rows(GROUPED).split("\n")[:3] == [
        "| method | n | selected: F1 | selected: 95 % CI | in words |",
        "| --- | ---: | ---: | ---: | --- |",
        "| css | 3 | 71.2 | [70.9, 71.5] | better |",
    ]


def test_a_table_of_text_needs_no_groups():
    plain = listing("", ("comparison", "verdict"), [("css − adam", "supported")], prose=["verdict"])
    assert not plain.grouped
    assert "multicolumn" not in latex(plain, "", "", "")
    assert [heading.kind for heading in plain.header] == ["text", "prose"]


def test_files_hold_every_data_set_and_name_the_table_of_each(tmp_path: Path):
    other = table_of(dataset="meld", title="Another title", frame=pd.DataFrame({"method": ["adam"], "y": [1.5]}))
    unread = table_of(name="unread")
    write_tables([table_of(GROUPED), unread, other, table_of(GROUPED, dataset="x", title="Third")], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{n}.{s}" for n in ("some", "unread")
                                                         for s in ("csv", "md", "tex")}  # fmt: skip
    frame = pd.read_csv(tmp_path / "some.csv")
    assert list(frame["method"]) == ["css", "adam", "css"]
    text = (tmp_path / "some.md").read_text()
    assert [line for line in text.split("\n") if line.startswith("## ")] == ["## meld-sim", "## x"]  # one has no rows
    captions = re.findall(r"\\caption\{([^.]*)", (tmp_path / "some.tex").read_text())
    assert captions == ["Some table, meld-sim", "Third, x"]


@pytest.mark.parametrize("name", HOSTILE)
def test_html_shows_a_name_as_text(name: str):
    parser = Cells()
    hostile = table_of(listing(name, (name, "x"), [(name, "1")]), sentences=(name,), data=name, title=name)
    parser.feed(html(hostile, "meld"))
    assert parser.tags <= {"h3", "p", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "a"}
    assert parser.rows[1][1][0] == ("th", name)


def shown_by_markdown(source: str) -> str:
    """What a reader sees of a line in which every character that could be markup is escaped."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", source)


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_escapes_what_would_be_markup(name: str):
    text = markdown(table_of(listing("", ("name", "x"), [(name, "1")]), sentences=(name,)))
    sentence = next(line for line in text.split("\n") if line.startswith("- "))
    row = text.split("\n")[-1]
    wanted = name.replace("\n", " ")
    assert shown_by_markdown(sentence) == f"- {wanted}"
    assert shown_by_markdown(row) == f"| {wanted} | 1 |"
    for line in (sentence[2:], row):
        live = re.sub(r"\\[!-/:-@\[-`{-~]", "", line)  # what is not escaped
        assert not re.search(r"[`*~$]|<[a-z/]|&\w+;|\]\(", live), live
    assert re.sub(r"\\.", "", row).count("|") == 3
    assert not re.match(r"[#>+=\[-]|\d+[.)]\s", sentence[2:])


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@sum", "\tx"])
def test_csv_holds_no_formula(name: str):
    frame = pd.DataFrame({"method": [name, "css"], name: [-0.5, 1.5]})
    cells = pd.read_csv(io.StringIO(csv(frame)), header=None, dtype=str, keep_default_na=False)
    assert cells.to_numpy().tolist() == [["method", f"'{name}"], [f"'{name}", "-0.5"], ["css", "1.5"]]


def test_a_carriage_return_ends_no_line_of_a_csv_file():
    assert csv(pd.DataFrame({"method": ["a\r=b"]})) == "method\na =b\n"


def test_csv_keeps_numbers_and_missing_values():
    frame = pd.DataFrame({"x": [-0.1, float("nan")], "mixed": [-3, "a"], "yes": [True, False]})
    again = pd.read_csv(io.StringIO(csv(frame)))
    assert list(again["mixed"]) == ["-3", "a"]
    pd.testing.assert_frame_equal(again[["x", "yes"]], frame[["x", "yes"]])
