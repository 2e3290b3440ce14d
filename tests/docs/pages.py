"""The pages of the documentation as Markdown has them: blocks of code, paragraphs, links, and what links can name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.paths import ROOT

DOCS = ROOT / "docs"
PAGES = tuple(sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")]))


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def tokens(page: Path) -> list[Token]:
    """What a page consists of."""
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of code of a page, in their order."""
    return [
        Block(page, token.map[0] + 1, token.info.strip(), token.content)
        for token in tokens(page)
        if token.type == "fence" and token.map
    ]


def unfenced(page: Path) -> list[str]:
    """Where a page has code whose language is not named."""
    return [
        f"{page.relative_to(ROOT)}:{token.map[0] + 1}"
        for token in tokens(page)
        if token.map and (token.type == "code_block" or (token.type == "fence" and not token.info.strip()))
    ]


def paragraphs(page: Path) -> Iterator[tuple[int, str]]:
    """Line and text of the paragraphs that are in no list and no table."""
    depth = 0
    everything = tokens(page)
    for opening, inline in pairwise(everything):
        depth += opening.nesting if opening.type.startswith(("bullet_list", "ordered_list", "table")) else 0
        if opening.type == "paragraph_open" and not depth and inline.map:
            yield inline.map[0] + 1, inline.content


def links(page: Path) -> list[str]:
    """The addresses of links and pictures of a page."""
    return [
        str(child.attrs.get("href") or child.attrs.get("src"))
        for token in tokens(page)
        for child in token.children or []
        if child.type in ("link_open", "image")
    ]


@cache
def anchors(page: Path) -> set[str]:
    """What a link can name of a page: its headings, as GitHub and the site write them."""
    everything = tokens(page)
    headings = [inline.content for opening, inline in pairwise(everything) if opening.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
