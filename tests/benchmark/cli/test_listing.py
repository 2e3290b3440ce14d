"""``cssbench methods``: every part, in its group, with where it was published."""

import re

import pytest
from typer.testing import CliRunner

from benchmark.cli import app
from benchmark.methods.parsing import KINDS
from benchmark.methods.plugins import PluginEntry
from benchmark.methods.registry import AGGREGATORS, GRAMIAN, GROUPS, LOSSES, MODULATOR


def listing() -> dict[str, dict[str, list[str]]]:
    """The cells of every row by the first of them, by the heading of its table."""
    result = CliRunner().invoke(app, ["methods"])
    assert result.exit_code == 0, result.output
    tables: dict[str, dict[str, list[str]]] = {}
    for line in result.output.splitlines():
        cells = [cell.strip() for cell in re.split("[┃│]", line)[1:-1]]
        if line.startswith("┃"):
            rows = tables.setdefault(cells[0], {})
        elif line.startswith("│"):
            rows[cells[0]] = cells[1:]
    return tables


def test_every_part_is_a_line_of_its_group_with_its_options_and_where_it_was_published() -> None:
    tables = listing()
    for kind, known in KINDS.items():
        for name, entry in known.items():
            options, summary, published = tables[f"{kind}: {entry.group}" if entry.group else kind][name]
            assert (summary, published) == (entry.summary, entry.link)
            assert all(option in options for option in entry.options)


def test_aggregators_stand_in_groups_by_what_they_weigh_by() -> None:
    headings = [heading for heading in listing() if heading.startswith("aggregator")]
    assert headings == [f"aggregator: {group}" for group in GROUPS]
    members = {group: {n for n, entry in AGGREGATORS.items() if entry.group == group} for group in GROUPS}
    assert members[MODULATOR] == {name for name in AGGREGATORS if name.startswith("pgm")}
    assert {"equal", "rlw", "gradnorm"} <= members[LOSSES]
    assert {"mgda", "fairgrad"} <= members[GRAMIAN]


def test_plug_ins_are_listed_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AGGREGATORS, "mine", PluginEntry("nowhere:Nothing", "a plug-in"))
    headings = [heading for heading in listing() if heading.startswith("aggregator")]
    assert headings[-1] == "aggregator: plug-ins"


def test_a_link_is_one_and_only_what_this_suite_made_up_has_none() -> None:
    links = {name: entry.link for known in KINDS.values() for name, entry in known.items()}
    assert all(re.fullmatch(r"https://\S+", link) for link in links.values() if link)
    assert {n for n in AGGREGATORS if not links[n]} == {"pgm-theta-only", "pgm-periodic"}
