"""What every page of the documentation keeps: its links lead somewhere, and its code says in which language it is."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import PAGES, anchors, links, paragraphs, unfenced
from tests.paths import ROOT

NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    assert [link for link in links(page) if _is_dead(page, link)] == []


def _is_dead(page: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return parts.scheme != "https" or not parts.netloc
    target = (page.parent / parts.path).resolve() if parts.path else page
    return not target.is_file() or bool(parts.fragment and parts.fragment not in anchors(target))


def test_dead_links_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One thing\n\n[a](#one-thing) [b](#another) [c](nowhere.md) [d](page.md#one-thing) [e](http:)\n")
    assert [link for link in links(page) if _is_dead(page, link)] == ["#another", "nowhere.md", "http:"]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_block_of_code_names_its_language(page: Path) -> None:
    assert unfenced(page) == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_paragraph_is_longer_than_ninety_words(page: Path) -> None:
    assert [(line, text) for line, text in paragraphs(page) if len(text.split()) > 90] == []


def test_words_of_lists_and_tables_are_in_no_paragraph(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading\n\nOne,\ntwo.\n\n- three\n\n  four\n\n| five |\n|---|\n| six |\n\nseven\n")
    assert list(paragraphs(page)) == [(3, "One,\ntwo."), (14, "seven")]


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 750
