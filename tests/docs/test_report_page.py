"""The page on how to read a report explains what a report has."""

import pytest

from reports.chapters import CHAPTERS
from reports.statistics import Verdict
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
HEADINGS = " ".join(line.lower() for line in PAGE.splitlines() if line.startswith("#"))


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_explained_beside_its_sign(verdict: Verdict) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and f"*{verdict.value}*" in line]
    assert len(rows) == 1
    assert verdict.icon in rows[0].split("|")[1]


@pytest.mark.parametrize("title", [chapter.title for chapter in CHAPTERS])
def test_every_chapter_is_explained(title: str) -> None:
    words = title.partition(":")[0].lower().rstrip("?")
    assert words in HEADINGS
