"""The table of every run, and what the page opens of one."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports import build
from reports.analysis import analyse
from reports.tables.every_run import details, every_run
from tests.reports.synthetic_imports import write_import
from tests.reports.synthetic_runs import WriteRun, edit

pytestmark = pytest.mark.usefixtures("undrawn")


def test_every_shown_run_has_a_row_with_its_own_scores(store: Path) -> None:
    table = every_run(analyse(store).evidence)
    keys = {path.name for path in (store / "runs").iterdir()}
    assert set(table.frame["key"]) == keys
    row = table.frame.iloc[0]
    result = json.loads((store / "runs" / row["key"] / "result.json").read_text(encoding="utf-8"))
    assert row["weighted_f1"] == 100 * result["selected"]["weighted_f1"]
    assert row["epoch"] == result["selected"]["epoch"]
    assert table.listings[0].ids == tuple(f"run-{key}" for key in table.frame["key"])


def test_imported_and_published_runs_are_named_as_what_they_are(tmp_path: Path, add_run: WriteRun) -> None:
    add_run(tmp_path, "meld", "css")
    add_run(tmp_path, "meld", "adam", protocol="published")
    write_import(tmp_path, np.array([60.0]))
    frame = every_run(analyse(tmp_path).evidence).frame
    assert sorted(frame["remarks"]) == ["", "imported protocol", "published protocol"]
    again = [run["again"] for run in json.loads(details(analyse(tmp_path).evidence)).values()]
    assert sum(command.startswith("cssbench verify ") for command in again) == 2


def test_what_is_opened_has_the_curves_the_counts_and_the_command_that_makes_it_again(store: Path) -> None:
    evidence = analyse(store).evidence
    opened = json.loads(details(evidence))
    folder = next((store / "runs").iterdir())
    history = pd.read_parquet(folder / "history.parquet")
    run = opened[folder.name]
    np.testing.assert_allclose(
        run["curves"]["validation weighted F1, %"], 100 * history["validation_weighted_f1"], rtol=1e-4
    )
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert run["confusion"] == result["selected"]["confusion"]
    assert run["again"] == f"cssbench verify {folder.name} --store STORE"
    assert run["facts"]["data fingerprint"] == "d" * 64


def test_a_loss_that_is_not_finite_is_no_number_on_the_page(tmp_path: Path, add_run: WriteRun) -> None:
    folder = add_run(tmp_path, "meld", "css")
    history = pd.read_parquet(folder / "history.parquet")
    history.loc[2, "validation_loss"] = float("inf")
    history.to_parquet(folder / "history.parquet")
    (run,) = json.loads(details(analyse(tmp_path).evidence)).values()
    assert run["curves"]["validation loss, nats"][2] is None


def test_no_name_ends_the_part_of_the_page_that_holds_the_details(tmp_path: Path, add_run: WriteRun) -> None:
    folder = add_run(tmp_path / "store", "meld", "css")
    hostile = "</script><script>alert(1)</script><!--"
    edit(folder / "manifest.json", source=hostile)
    page = build(tmp_path / "store", tmp_path / "report").read_text(encoding="utf-8")
    (kept,) = re.findall(r'<script type="application/json" id="details">(.*?)</script>', page, re.DOTALL)
    (run,) = json.loads(kept).values()
    assert run["facts"]["source"] == hostile
    assert "alert(1)</script>" not in page
