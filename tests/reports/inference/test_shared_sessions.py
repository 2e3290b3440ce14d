"""Numbers of a corpus whose seeds share held-out sessions: a session counts once, however many seeds it has."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.chapters import CHAPTERS
from reports.figures.scores import scores as draw_scores
from reports.figures.style import Palette
from reports.inference.findings import findings
from reports.reading.runs import read_store
from reports.statistics import summarize
from tests.reports.inference.preregistrations import inferred
from tests.reports.synthetic_imports import write_import
from tests.reports.synthetic_runs import edit, write_robustness, write_run

METHODS = ("css", "adam", "concat")
COUNTED_ONCE = re.compile(
    "_(mean|low|high)$|^(rank|chance|order_changed|winner_changed|gain|drop|difference|claimed|excess|ceiling)"
)


def copy_run(folder: Path, seed: int) -> None:
    """The same run once more, as if another seed had given it."""
    key = f"{int(folder.name, 16) + seed:016x}"[-16:]
    copy = shutil.copytree(folder, folder.with_name(key))
    edit(copy / "spec.json", seed=seed, key=key)
    content = json.loads((copy / "robustness.json").read_text(encoding="utf-8"))
    (copy / "robustness.json").unlink()
    scores = {(c["modality"], c["how"]): c["weighted_f1"] for c in content["conditions"]}
    write_robustness(copy, content["intact"]["weighted_f1"], scores)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Four seeds, one a session; and the same with a copy of the first three in the same sessions."""
    by_size = {size: tmp_path_factory.mktemp(f"seeds{size}") for size in (4, 7)}
    for size, root in by_size.items():
        for method in METHODS:
            for seed in range(4):
                folder = write_run(root, "iemocap-sim", method, seed)
                write_robustness(folder, 0.6 + seed / 100, {("audio", "zeroed"): 0.5 + seed**2 / 100})
                if seed + 4 < size:
                    copy_run(folder, seed + 4)
    return by_size


def frames(store: Path) -> dict[str, pd.DataFrame]:
    (evidence,), inference = inferred(store)
    made = (make(evidence, inference) for chapter in CHAPTERS for make in chapter.tables)
    return {table.name: table.frame for table in made if table is not None}


def means_and_intervals(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """What should not depend on how many seeds a session has; tests and sizes of single seeds' effects do."""
    columns = ["difference", "low", "high"] if name == "comparisons" else [c for c in frame if COUNTED_ONCE.search(c)]
    return frame[["method", *columns] if "method" in frame else columns]


def test_no_mean_interval_rank_or_order_is_moved_by_more_seeds_of_a_session(stores: dict[int, Path]):
    once, again = frames(stores[4]), frames(stores[7])
    assert {"accuracy", "leaderboard", "selection", "per_class", "conflict", "cost", "robustness"} <= set(once)
    for name, frame in once.items():
        expected, seen = means_and_intervals(name, frame), means_and_intervals(name, again[name])
        pd.testing.assert_frame_equal(seen, expected, rtol=1e-9, check_dtype=False, obj=name)


def test_an_interval_of_a_single_method_is_students_of_its_session_means(stores: dict[int, Path]):
    scores = {run.seed: 100 * run.result["selected"]["weighted_f1"] for run in read_store(stores[7]).runs
              if run.label == "css"}  # fmt: skip
    sessions = [np.mean([scores[s] for s in scores if s % 4 == session]) for session in range(4)]
    expected = stats.ttest_1samp(sessions, 0).confidence_interval(0.95)
    row = frames(stores[7])["leaderboard"].set_index("method").loc["css"]
    assert row["weighted_f1_mean"] == pytest.approx(np.mean(sessions))
    assert (row["weighted_f1_low"], row["weighted_f1_high"]) == pytest.approx(tuple(expected))
    assert row["weighted_f1_sd"] == pytest.approx(np.std([*scores.values()], ddof=1))  # of seeds, as description
    assert row["n"] == 7


def test_a_difference_is_that_of_the_means_that_are_shown(stores: dict[int, Path]):
    shown = frames(stores[7])["leaderboard"].set_index("method")
    assert shown.loc["adam", "difference"] == pytest.approx(
        shown.loc["css", "weighted_f1_mean"] - shown.loc["adam", "weighted_f1_mean"]
    )


def test_the_figure_and_the_findings_say_the_same_means(stores: dict[int, Path]):
    words = []
    for store in stores.values():
        (evidence,), inference = inferred(store)
        drawing = draw_scores(evidence, Palette([method.label for method in evidence.comparison.methods]))
        assert drawing is not None
        highest = next(s for s in findings(evidence, inference) if s.startswith("Highest mean"))
        words.append((drawing.alt, highest.partition("±")[0]))
    assert words[0] == words[1]


@pytest.mark.parametrize("paired", [True, False])
def test_an_import_has_sessions_where_its_seeds_are_ours(tmp_path: Path, paired: bool):
    theirs = np.array([60.0, 61.0, 63.0, 62.0, 60.0, 61.0, 63.0, 62.0])
    write_run(tmp_path, "iemocap-sim", "css", 0)
    write_import(tmp_path, list(theirs), dataset="iemocap-sim", paired=paired)
    shown = frames(tmp_path)["leaderboard"].set_index("method")
    row = shown.loc["SDT (imported, choice of epoch unknown)"]
    expected = stats.ttest_1samp(theirs[:4] if paired else theirs, 0).confidence_interval(0.95)
    assert (row["weighted_f1_low"], row["weighted_f1_high"]) == pytest.approx(tuple(expected))


def test_seeds_of_one_session_alone_have_no_interval():
    alone = summarize(np.array([0.6, 0.7, 0.65]), (1, 1, 1))
    assert (alone.n, alone.mean) == (3, pytest.approx(0.65))
    assert np.isnan([alone.low, alone.high]).all()
    assert alone.sd == pytest.approx(0.05)


def test_a_value_that_is_missing_leaves_its_group():
    values, groups = np.array([0.6, np.nan, 0.8, 0.7, 0.5]), (0, 1, 1, 0, 2)
    assert summarize(values, groups) == summarize(np.delete(values, 1), (0, 1, 0, 2))
