"""The leaderboard: order, ranks, differences and what stands beside the methods."""

from pathlib import Path

import numpy as np
import pytest

from reports.analysis import analyse
from reports.statistics import rank_methods
from reports.tables.accuracy import accuracy
from reports.tables.leaderboard import leaderboard
from reports.tables.model import Table
from reports.tables.per_class import per_class_table
from tests.reports.synthetic_imports import write_import
from tests.reports.synthetic_runs import CEILING, REFERENCES, write_run

LABELS = {"css": 0.02, "adam": 0.0, "concat": 0.1}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("leaderboard")
    for seed in range(8):
        for label, shift in LABELS.items():
            more = {"ceiling": CEILING, "references": REFERENCES}
            write_run(root, "meld-sim", label, seed, epochs=3, shift=shift, **more)
    return root


def table_of(store: Path) -> Table:
    analysis = analyse(store)
    return leaderboard(analysis.validated[0], analysis.inference)


def test_methods_are_in_the_order_of_their_means_and_ranks_are_the_bootstraps(store: Path) -> None:
    evidence = analyse(store).validated[0]
    frame = table_of(store).frame
    assert list(frame["weighted_f1_mean"]) == sorted(frame["weighted_f1_mean"], reverse=True)
    assert frame["method"][0] == "concat"
    labels = [m.label for m in evidence.comparison.methods]
    values = np.array([evidence.values(label, "selected_weighted_f1").sort_index() for label in labels])
    ranks = dict(zip(labels, rank_methods(values), strict=True))
    for _, row in frame.iterrows():
        rank = ranks[row["method"]]
        assert (row["rank"], row["rank_low"], row["rank_high"]) == (rank.rank, *rank.interval)
        assert row["chance_to_be_best"] == pytest.approx(100 * rank.best)


def test_a_row_has_the_difference_to_the_reference_method_and_the_verdict_on_it(store: Path) -> None:
    analysis = analyse(store)
    rows = {row[0]: row for row in table_of(store).listings[0].rows}
    contrast = analysis.inference.find("meld-sim", "css", "concat")
    assert contrast is not None
    assert rows["concat"][2].startswith(f"−{abs(contrast.estimate.mean):.2f} [")
    assert rows["concat"][3] == f"{contrast.judgement.verdict.icon} {contrast.verdict}"
    assert rows["css"][2:4] == ("—", "—")


def test_references_and_the_ceiling_stand_at_the_end_and_in_no_rank(store: Path) -> None:
    table = table_of(store)
    ends = [row[:2] for row in table.listings[0].rows[len(LABELS) :]]
    assert ends == [("(ceiling)", "71.5"), ("(majority)", "31.3"), ("(logistic)", "75.0")]
    assert set(table.frame["method"]) == set(LABELS)


def test_an_imported_method_is_among_the_others_without_a_rank(tmp_path: Path) -> None:
    for label in ("css", "adam"):
        write_run(tmp_path, "meld", label, epochs=3)
    write_import(tmp_path, np.array([99.0]))
    rows = table_of(tmp_path).listings[0].rows
    assert rows[0][0].startswith("SDT (imported")
    assert rows[0][1] == "99.0"
    assert rows[0][6:9] == ("not available",) * 3


def test_every_table_of_scores_says_what_a_stream_is(tmp_path: Path) -> None:
    for label in ("css", "text"):
        write_run(tmp_path, "meld", label, epochs=2, steps_per_epoch=2)
    analysis = analyse(tmp_path)
    (evidence,) = analysis.validated
    for table in (leaderboard(evidence, analysis.inference), accuracy(evidence), per_class_table(evidence)):
        assert any("text: this is one stream" in sentence for sentence in table.sentences), table.name
