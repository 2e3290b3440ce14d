"""The table of claims: its cells say what a verdict rests on, and lead to its words."""

from pathlib import Path

import pytest

from reports import build
from reports.analysis import analyse
from reports.tables.claims import claims_table
from reports.tables.model import Link, Table
from tests.reports.synthetic_runs import write_run

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seeds of three methods on two simulated data sets; css is 20 points better than concat."""
    root = tmp_path_factory.mktemp("claims")
    for dataset in ("iemocap-sim", "meld-sim"):
        for seed in range(8):
            for label, shift in (("css", 0.2), ("concat+pgm", 0.0), ("adam", 0.0)):
                write_run(root, dataset, label, seed, epochs=3, shift=shift)
    return root


@pytest.fixture(scope="module")
def table(store: Path) -> Table:
    analysis = analyse(store)
    return claims_table(analysis.validated, analysis.claims)


def rows(table: Table) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[2:] for row in table.listings[0].rows}


def test_a_cell_has_the_sign_the_verdict_and_the_difference_with_its_interval(table: Table) -> None:
    numbers = table.frame.set_index(["claim", "dataset"]).loc[("b1", "iemocap-sim")]
    mean, low, high = (f"{numbers[name]:.2f}" for name in ("mean", "low", "high"))
    assert rows(table)["b1"][0] == f"▲ supported: +{mean} [{low}, {high}], n = 8 (exploratory)"
    assert rows(table)["e2"][0].startswith("? underpowered: sd × ")


def test_a_claim_of_several_parts_says_how_many_led_to_its_verdict(table: Table) -> None:
    assert rows(table)["b1"][2] == "▲ supported: 2 of 2 parts (exploratory)"
    assert rows(table)["c"] == ("– not testable",) * 3


def test_claims_that_only_summaries_of_the_paper_make_are_marked(table: Table) -> None:
    says = {row[0]: row[1] for row in table.listings[0].rows}
    marked = [id for id, text in says.items() if text.endswith(" (attributed to the paper, not verified)")]
    assert marked == ["e2", "f", "g"]
    assert set(table.frame.loc[table.frame["attributed"], "claim"]) <= {"e2", "f", "g"}
    assert "attributed" not in says["b2"]


def test_a_reason_that_holds_for_several_data_sets_is_said_once(table: Table) -> None:
    words = table.listings[1].rows
    assert [row[1] for row in words if row[0] == "c"] == ["iemocap-sim and meld-sim"]
    assert len({row[2] for row in words}) == len(words)


def test_every_cell_leads_to_its_words_which_are_closed_at_first(table: Table, store: Path, tmp_path: Path) -> None:
    page = build(store, tmp_path / "report").read_text(encoding="utf-8")
    words = table.listings[1]
    assert words.closed
    links = [cell for row in table.listings[0].rows for cell in row[2:] if isinstance(cell, Link)]
    assert len({link.href for link in links}) == len(words.rows)
    for link in links:
        assert f'<a href="{link.href}">' in page
        assert f'<tr id="{link.href[1:]}">' in page
