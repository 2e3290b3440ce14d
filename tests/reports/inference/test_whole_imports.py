"""Whole runs of another code base beside ours and beside each other: gap, optimism, rules, and what they are."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports import build
from reports.inference.contrasts import Contrast
from reports.measures.runs import SCORES
from reports.reading.runs import Run, read_store
from reports.statistics import Verdict, confusions, selection_gap
from reports.tables.accuracy import accuracy
from reports.tables.every_run import every_run
from reports.tables.leaderboard import leaderboard
from reports.tables.selection import selection
from reports.tables.selection_rules import selection_rules
from tests.reports.inference.preregistrations import evidence_of, inferred
from tests.reports.synthetic_imports import write_import
from tests.reports.synthetic_runs import write_run

pytestmark = pytest.mark.usefixtures("undrawn")

SDT, M3NET = (f"{name} (imported, epoch chosen on validation)" for name in ("SDT", "M3NET"))
SCORED = np.linspace(50, 70, 8)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """css and adam on meld, eight seeds; eight whole runs of SDT."""
    store = tmp_path_factory.mktemp("whole") / "store"
    for seed in range(8):
        for label in ("css", "adam"):
            write_run(store, "meld", label, seed, epochs=2, steps_per_epoch=2)
    write_import(store, SCORED, selection="validation", epochs=5)
    return store


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of them."""
    return Path(shutil.copytree(made, tmp_path / "store"))


def imports_of(store: Path, label: str = "SDT") -> list[Run]:
    return sorted((run for run in read_store(store).runs if run.label == label), key=lambda run: run.seed)


def contrast_of(store: Path, *labels: str) -> Contrast:
    contrasts = [c for c in inferred(store)[1].contrasts if {c.a, c.b} == {*labels}]
    assert len(contrasts) == 1
    return contrasts[0]


def test_gap_and_optimism_are_measured_as_those_of_our_runs(made: Path) -> None:
    (evidence,) = evidence_of(made)
    for run in imports_of(made):
        table, by_epoch = (pd.read_parquet(run.folder / f"{n}.parquet") for n in ("predictions", "test_predictions"))
        conversation = pd.factorize(table["conversation"])[0]
        rows = np.stack([by_epoch[f"epoch_{e}"] for e in range(1, 6)]).astype(int)
        counts = confusions(table["label"].to_numpy(), rows, conversation, 7)
        validation = pd.read_parquet(run.folder / "history.parquet")["validation_weighted_f1"]
        expected = selection_gap(counts, int(validation.argmax()) + 1)
        (row,) = evidence.runs[(evidence.runs["method"] == SDT) & (evidence.runs["seed"] == run.seed)].to_dict(
            "records"
        )
        assert row["gap"] == pytest.approx(expected.gap)
        assert row["optimism"] == pytest.approx(expected.optimism)
        assert row["regret"] == pytest.approx(expected.regret)
        assert all(row[f"selected_{score}"] == row[f"imported_{score}"] for score in SCORES)
    frame = accuracy(evidence).frame.set_index("method")
    assert frame.loc[SDT, "gap_n"] == 8
    runs = every_run([evidence]).frame.set_index("method")
    assert runs.loc[SDT, ["epoch", "validation_weighted_f1", "peak_test_weighted_f1"]].notna().all(axis=None)


def test_gaps_of_seeds_that_are_not_matched_are_compared_as_welch_does_and_ranks_are_of_paired_methods(
    made: Path,
) -> None:
    (evidence,), inference = inferred(made)
    table = selection(evidence)
    assert table is not None
    frame = table.frame.set_index("method")
    gaps = [100 * evidence.values(label, "gap").to_numpy(dtype=float) for label in ("css", SDT)]
    assert frame.loc[SDT, "gap_difference"] == pytest.approx(gaps[0].mean() - gaps[1].mean())
    interval = stats.ttest_ind(*gaps, equal_var=False).confidence_interval()
    shown = frame.loc[SDT, ["gap_difference_low", "gap_difference_high"]]
    assert tuple(shown) == pytest.approx((interval.low, interval.high))
    assert frame["rank_selected"].notna().to_dict() == {"css": True, "adam": True, SDT: False}
    ranks = leaderboard(evidence, inference).frame.set_index("method")["rank"]
    assert ranks.notna().to_dict() == {"css": True, "adam": True, SDT: False}
    assert "its authors picked another epoch than the best on validation in" in " ".join(table.sentences)
    assert "Not available" not in " ".join(table.sentences)


def test_the_epoch_that_authors_picked_is_told_with_its_score(made: Path) -> None:
    (evidence,) = evidence_of(made)
    table = selection(evidence)
    assert table is not None
    runs = imports_of(made)
    other = sum(run.result["selected"]["epoch"] != 5 for run in runs)
    theirs = 100 * np.mean([run.result["picked"]["weighted_f1"] for run in runs])
    assert f"in {other} of 8 runs that say so; a mean of {theirs:.1f} % at theirs" in " ".join(table.sentences)


def test_other_rules_are_tried_on_them(made: Path) -> None:
    (evidence,) = evidence_of(made)
    table = selection_rules(evidence)
    assert table is not None
    last = table.frame[(table.frame["method"] == SDT) & (table.frame["rule"] == "last")]
    expected = np.mean([run.result["last"]["weighted_f1"] for run in imports_of(made)])
    assert last["weighted_f1_mean"].tolist() == pytest.approx([expected])


def test_imports_with_the_same_seeds_are_paired_and_others_are_not(store: Path) -> None:
    write_import(store, SCORED - 5 + np.linspace(0, 1, 8), label="M3NET", selection="validation")
    contrast = contrast_of(store, SDT, M3NET)
    scores = [np.array([r.result["imported"]["weighted_f1"] for r in imports_of(store, n)]) for n in ("M3NET", "SDT")]
    assert contrast.unpaired is None
    assert contrast.comparison is not None
    assert contrast.comparison.mean == pytest.approx(100 * (scores[0] - scores[1]).mean())
    assert contrast.comparison.p_t == pytest.approx(stats.ttest_rel(*scores).pvalue)
    assert contrast.standing.present == 8
    assert contrast.remark == "not declared before the runs"
    write_import(store, SCORED[:1], label="M3NET", selection="validation", first=30)
    contrast = contrast_of(store, SDT, M3NET)
    assert contrast.comparison is None
    assert contrast.unpaired is not None
    assert contrast.unpaired.n_a + contrast.unpaired.n_b == 17


def test_imports_that_are_compared_with_each_other_change_nothing_of_ours(store: Path) -> None:
    before = {c.label: c.p_adjusted for c in inferred(store)[1].contrasts}
    write_import(store, SCORED - 5 + np.linspace(0, 1, 8), label="M3NET", selection="test")
    contrasts = inferred(store)[1].contrasts
    ours = {c.label: c.p_adjusted for c in contrasts if "SDT" not in c.label and "M3NET" not in c.label}
    assert ours == {label: p for label, p in before.items() if "SDT" not in label}
    assert [c.members for c in contrasts if {"SDT", "M3NET"} <= set(c.label.split())] == [1]


def test_the_same_predictions_under_two_names_are_the_same_runs(store: Path) -> None:
    write_import(store, SCORED, label="M3NET", selection="validation", epochs=5)
    for ours, theirs in zip(imports_of(store), imports_of(store, "M3NET"), strict=True):
        path = theirs.folder / "spec.json"
        path.write_text(json.dumps(dict(theirs.spec) | {"imported": dict(ours.spec["imported"])}))
    contrast = contrast_of(store, SDT, M3NET)
    assert contrast.judgement.verdict is Verdict.NOT_TESTABLE
    assert "have equal predictions in all 8 seeds that both have" in contrast.judgement.sentence


def test_an_import_with_matched_seeds_is_in_every_figure(store: Path, tmp_path: Path) -> None:
    write_import(store, SCORED, label="M3NET", selection="validation", paired=True, epochs=3)
    build(store, tmp_path / "report")
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    (alt,) = [line for line in text.splitlines() if "power_meld" in line]
    assert M3NET in alt
