"""The site's sources: every page is in the navigation, and what is made from the code is whole."""

import gzip
import re
from pathlib import Path

import pytest
import typer.main

import benchmark
from benchmark.cli import app
from tests.docs.pages import DOCS, anchors, links, tokens
from tests.docs.site import EXAMPLE, KINDS, MADE, PRESETS, write
from tests.paths import ROOT


@pytest.fixture(name="sources", scope="module")
def _sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "sources"
    write(folder)
    return folder


def navigation(page: Path) -> list[str]:
    """The pages that the trees of contents of a page name."""
    trees = [token.content for token in tokens(page) if token.type == "fence" and token.info == "{toctree}"]
    return [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]


def test_the_navigation_names_every_page_once() -> None:
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    assert sorted(navigation(DOCS / "index.md")) == sorted(pages | set(MADE))


def test_no_page_is_shadowed_by_one_that_is_made() -> None:
    assert not {page.stem for page in DOCS.glob("*.md")} & set(MADE)


def test_links_of_made_pages_lead_somewhere(sources: Path) -> None:
    for page in sources.rglob("*.md"):
        for link in links(page):
            name, _, heading = link.partition("#")
            if not re.match(r"https?:", link):
                target = page.parent / name if name else page
                assert target.is_file(), (page, link)
                assert not heading or heading in anchors(target), (page, link)


def test_the_reference_has_every_command_and_option(sources: Path) -> None:
    text = (sources / "command-line.md").read_text(encoding="utf-8")
    assert text.startswith("# The command line\n")
    commands = {"cssbench": typer.main.get_command(app)}
    while commands:
        name, command = commands.popitem()
        section = text.partition(f"# `{name}`\n")[2].partition("\n## `")[0] if name != "cssbench" else text
        assert section, name
        commands |= {f"{name} {each}": c for each, c in getattr(command, "commands", {}).items()}
        for parameter in command.params:
            assert parameter.opts[0] in section or str(parameter.metavar) in section, (name, parameter)


def test_every_component_has_a_page_with_its_options_and_its_documentation(sources: Path) -> None:
    for kind, entries in KINDS.items():
        for name, entry in entries.items():
            text = (sources / "components" / f"{kind}-{name}.md").read_text(encoding="utf-8")
            assert all(f"| `{option}` |" in text for option in entry.options)
            assert entry.link in text
            assert exists(re.findall(r"autoapi\w+:: (.*)", text)[0])
            if kind in ("fusion", "aggregator"):
                assert "\nIt computes " in text, name
                assert "\nSource: " in text, name


def test_every_preset_is_shown(sources: Path) -> None:
    from benchmark.experiment.presets import NAMES

    assert sorted(PRESETS) == sorted(NAMES)
    assert "lr = " in (sources / "presets.md").read_text(encoding="utf-8")


def test_the_front_door_is_documented_whole() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"autoapi\w+:: (.*)", text)
    assert all(map(exists, shown))
    assert {name.rpartition(".")[2] for name in shown} >= set(benchmark.__all__)


def exists(name: str) -> bool:
    """Whether a module of the repository defines this."""
    module, _, attribute = name.rpartition(".")
    path = ROOT / Path(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return bool(re.search(rf"^(class|def) {attribute}\b", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_example_is_a_report_below_three_megabytes_that_names_no_folder_of_its_maker() -> None:
    page = gzip.decompress(EXAMPLE.read_bytes())
    assert EXAMPLE.stat().st_size < 500_000
    assert len(page) < 3_000_000
    assert b"<h2" in page
    assert b"css" in page
    assert not re.search(rb"/(?:home|tmp|root|work)/", page)
