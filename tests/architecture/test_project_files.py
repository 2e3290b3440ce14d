"""What is said of the project beside its code: how to cite it, what has changed, how to report something."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_is_of_this_project_and_has_the_fields_that_the_format_asks_for() -> None:
    """CFF 1.2.0: cff-version, message, title and authors; a reference has authors, a title and a type."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["message"]
    assert citation["title"].startswith(PROJECT["name"])
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in PROJECT["authors"]]
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= reference.keys()
        assert all({"family-names", "name"} & author.keys() for author in reference["authors"])


def test_the_changelog_begins_with_what_is_not_released_in_whole_entries() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    head, unreleased, *_ = re.split(r"^## ", text, flags=re.MULTILINE)
    assert head.strip() == "# Changelog"
    title, _, body = unreleased.partition("\n")
    assert title == "Unreleased"
    entries = re.split(r"^- ", body.strip(), flags=re.MULTILINE)
    assert entries[0] == ""
    for entry in entries[1:]:
        assert entry.strip().endswith((".", ")", "…")), entry
        assert all(line.startswith("  ") or not line for line in entry.rstrip().split("\n")[1:]), entry
    assert len(entries) == len(set(entries))


def test_the_supported_pythons_are_those_that_are_required() -> None:
    versions = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert PROJECT["requires-python"] == f">={versions[0]}"
    assert versions == sorted(versions, key=lambda version: int(version[2:]))


@pytest.mark.parametrize("name", ["method", "corpus", "wrong_verdict"])
def test_issues_have_a_template(name: str) -> None:
    text = (ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    assert {"name", "about"} <= yaml.safe_load(head).keys()
    assert body.count("**") >= 6
