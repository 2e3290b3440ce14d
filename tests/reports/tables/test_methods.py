"""The table of methods, and that it knows every part that is registered."""

import tomllib
from pathlib import Path

import pytest

import reports.tables
from benchmark.methods.registry import AGGREGATORS, FUSIONS
from reports.analysis import analyse
from reports.tables.latex import latex
from reports.tables.methods import methods
from tests.reports.synthetic_runs import WriteRun, edit


@pytest.mark.parametrize(("kind", "registered"), [("fusion", FUSIONS), ("aggregator", AGGREGATORS)])
def test_every_registered_part_has_its_formula_and_source(kind: str, registered: dict) -> None:
    file = Path(reports.tables.__file__).with_name("methods.toml")
    known = tomllib.loads(file.read_text(encoding="utf-8"))[kind]
    published = {name for name, entry in registered.items() if entry.origin() is None}
    assert set(known) == published  # the rest are plug-ins of other tests
    assert all(set(entry) == {"does", "source"} for entry in known.values())


def test_a_row_says_what_a_method_is_made_of_and_each_part_is_described_once(store: Path) -> None:
    table = methods(analyse(store).evidence)
    rows = {row[0]: row[1:] for row in table.listings[0].rows}
    assert rows["css"][:4] == ("spf", "pgm", "paper", "paper")
    assert "spf: rank 16, order 3, shared no" in rows["css"][4]
    described = [row[0] for row in table.listings[1].rows]
    assert sorted(described) == ["concat", "equal", "pgm", "spf"]
    assert all("U+" not in latex(listing, "", "", "") for listing in table.listings)


def test_a_part_that_is_not_registered_is_said_to_be_a_plug_in(tmp_path: Path, add_run: WriteRun) -> None:
    folder = add_run(tmp_path, "meld", "css")
    edit(folder / "spec.json", fusion={"name": "mine", "options": {}})
    (row,) = [r for r in methods(analyse(tmp_path).evidence).listings[1].rows if r[0] == "mine"]
    assert "plug-in" in row[2]
