"""Every column of every CSV file has a meaning and every meaning a column, and scores are in one unit."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from reports import build
from reports.columns import COLUMNS, TABLES, meaning
from reports.columns.units import in_percent
from tests.reports.inference.preregistrations import declare, follow
from tests.reports.synthetic_imports import write_import
from tests.reports.synthetic_runs import CEILING, REFERENCES, write_robustness, write_run
from tests.reports.tuning.synthetic_studies import F1, LR, searched, write_study
from tests.undrawn import undrawn


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a report that has all of them."""
    root = tmp_path_factory.mktemp("columns")
    store = root / "store"
    for dataset in ("iemocap-sim", "meld"):
        for label in ("css", "adam", "css-nosqrt"):
            for seed in range(3):
                run = write_run(store, dataset, label, seed, epochs=3, steps_per_epoch=3, ceiling=CEILING,
                                references=REFERENCES)  # fmt: skip
                write_robustness(run, 0.6, {("audio", "zeroed"): 0.5})
    write_import(store, [60.0, 61.0, 62.0])
    declare(store, ("meld", "css", "adam"), ("meld", "css", "absent"))
    follow(store, declare(store, ("iemocap-sim", "css", "adam"), looks=(2, 3)))
    trials = searched({"lr": LR}, 2, lambda p: 0.6)
    two = [trial | {"values": [*trial["values"], 0.1]} for trial in trials]
    goals = (F1, {"name": "seconds", "direction": "minimize"})
    write_study(store, "two", two, {"lr": LR}, objectives=goals, front=[0, 1], sampler="nsga2", seconds=20.0)
    for label in ("css", "adam"):
        fair = {"group": "g", "index": 0, "of": 1}
        write_study(store, f"fair-{label}-0", trials, {"lr": LR}, label=label, sampler="random", fair=fair)
    with undrawn():
        build(store, root / "report")
    return root / "report" / "tables"


def header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def test_every_table_is_in_the_dictionary(tables: Path):
    assert {path.stem for path in tables.glob("*.csv")} == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_a_file_has_a_meaning_and_every_meaning_a_column(tables: Path, table: str):
    columns = header(tables / f"{table}.csv")
    stems = {name.rstrip("*") for name in TABLES[table] if name.endswith("*")}
    named = {next((f"{stem}*" for stem in stems if column.startswith(stem)), column) for column in columns}
    assert named == set(TABLES[table])
    text = (tables / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"## {table}.csv\n")[2].partition("\n## ")[0]
    rows = [line for line in section.split("\n") if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == columns
    assert all(row.endswith(". |") for row in rows)


def test_every_meaning_is_a_sentence():
    for sentences in (*TABLES.values(), *COLUMNS.values()):
        for sentence in sentences.values():
            assert sentence[0].isupper() or sentence[0] in "0123456789`", sentence
            assert sentence.endswith("."), sentence


def test_a_column_that_nobody_has_described_is_an_error():
    with pytest.raises(KeyError, match=r"cost\.csv has a column new without a meaning"):
        meaning("cost", "new")


def test_what_a_sentence_says_is_in_per_cent_is_no_fraction(tables: Path):
    for table, sentences in TABLES.items():
        frame = pd.read_csv(tables / f"{table}.csv")
        scores = [c for c in frame if "F1" in meaning(table, c) and ", %" in meaning(table, c) and "_sd" not in c]
        values = frame[[c for c in scores if not c.endswith("_n")]].to_numpy(dtype=float)
        assert not ((values > 0) & (values <= 1)).any(), (table, list(sentences))


def test_shares_become_per_cent_and_counts_and_cosines_stay():
    frame = pd.DataFrame({"probe_negative_fused_unimodal_mean": [0.25], "probe_negative_fused_unimodal_n": [3],
                          "probe_cos_fused_unimodal_mean": [0.5]})  # fmt: skip
    assert in_percent("conflict", frame).to_numpy().tolist() == [[25.0, 3, 0.5]]
    assert in_percent("stability", pd.DataFrame({"final_variance": [0.0001]})).iloc[0, 0] == pytest.approx(1.0)
    assert in_percent("runs", pd.DataFrame({"weighted_f1": [61.0]})).iloc[0, 0] == 61.0
