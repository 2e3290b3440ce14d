"""A seed's folds are one replicate: scored together, named where one is missing, and never mixed with another split."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score

from reports.analysis import Analysis, analyse
from reports.inference.claims.subject import OTHER_SPLIT
from reports.inference.description import describe
from reports.inference.folds import by_session, fold_words
from reports.inference.selection_rules import rule_effects
from reports.tables.comparisons import comparisons
from reports.tables.every_run import every_run
from tests.reports.synthetic_runs import SESSIONS, edit, write_run

NAME = "iemocap-sim, five sessions held out in turn"
LABELS = ("css", "adam")
SEEDS = (0, 1, 2)


def write_folds(store: Path, label: str, seed: int, **fields: object) -> list[Path]:
    return [write_run(store, "iemocap-sim", label, seed, fold=session, epochs=4, **fields) for session in SESSIONS]


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Two methods, three seeds, five folds; and the published split beside them."""
    store = tmp_path_factory.mktemp("folds")
    for label in LABELS:
        for seed in SEEDS:
            write_folds(store, label, seed)
        write_run(store, "iemocap-sim", label, 0, epochs=4)
    return analyse(store)


def test_a_seeds_scores_are_those_of_all_its_predictions_together(analysis: Analysis) -> None:
    evidence = next(e for e in analysis.validated if e.comparison.folds)
    for method in evidence.comparison.methods:
        for run in method.runs:
            frames = [pd.read_parquet(part.folder / "predictions.parquet") for part in run.parts]
            whole = pd.concat(frames)
            truth, predicted = whole["label"], whole["predicted"]
            row = evidence.runs.set_index(["method", "seed"]).loc[method.label, run.seed]
            assert row["selected_weighted_f1"] == pytest.approx(f1_score(truth, predicted, average="weighted"))
            assert row["selected_macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))
            assert row["selected_accuracy"] == pytest.approx(accuracy_score(truth, predicted))
            assert run.result["selected"]["per_class_f1"] == pytest.approx(f1_score(truth, predicted, average=None))
            by_epoch = [pd.read_parquet(part.folder / "test_predictions.parquet") for part in run.parts]
            last = np.concatenate([frame["epoch_4"] for frame in by_epoch])
            assert row["last_weighted_f1"] == pytest.approx(f1_score(truth, last, average="weighted"))
            best = [f"epoch_{part.result['peak_test']['epoch']}" for part in run.parts]
            peak = np.concatenate([frame[name] for frame, name in zip(by_epoch, best, strict=True)])
            assert row["peak_test_weighted_f1"] == pytest.approx(f1_score(truth, peak, average="weighted"))
            assert row["regret"] == pytest.approx(row["gap"] - row["optimism"])
            counts = evidence.counts(method.label, [run.seed])[0]
            assert (counts.shape[0], counts.sum()) == (5 * 30, len(whole))


def test_what_is_measured_in_training_is_the_mean_over_folds(analysis: Analysis) -> None:
    evidence = next(e for e in analysis.validated if e.comparison.folds)
    run = evidence.comparison.methods[0].runs[1]
    row = evidence.runs.set_index(["method", "seed"]).loc["css", run.seed]
    seconds = [part.result["timings"]["train"] for part in run.parts]
    assert row["train_seconds"] == pytest.approx(np.mean(seconds))
    histories = [pd.read_parquet(part.folder / "history.parquet") for part in run.parts]
    mine = evidence.history.query(f"method == 'css' and seed == {run.seed}")
    assert mine["epoch"].tolist() == [1, 2, 3, 4]
    expected = np.mean([history["train_loss_fused"] for history in histories], axis=0)
    assert mine["train_loss_fused"].to_numpy(dtype=float) == pytest.approx(expected)


def test_the_replicate_is_the_seed_and_the_intervals_are_over_seeds(analysis: Analysis) -> None:
    (contrast,) = analysis.inference.of(NAME)
    assert contrast.comparison is not None
    assert (contrast.comparison.n, contrast.comparison.groups) == (3, ())
    evidence = next(e for e in analysis.validated if e.comparison.folds)
    assert evidence.comparison.sessions == 0
    values = [evidence.values(label, "selected_weighted_f1").to_numpy(dtype=float) for label in LABELS]
    expected = stats.ttest_1samp(100 * (values[0] - values[1]), 0).confidence_interval()
    assert tuple(contrast.comparison.interval) == pytest.approx((expected.low, expected.high))


def test_the_differences_by_session_are_those_of_its_runs_with_t_over_sessions(analysis: Analysis) -> None:
    evidence = next(e for e in analysis.validated if e.comparison.folds)
    (contrast,) = analysis.inference.of(NAME)
    differences = by_session(evidence.comparison, contrast)
    assert differences is not None
    scores = {
        label: np.array([[part.result["selected"]["weighted_f1"] for part in run.parts] for run in method.runs])
        for label, method in zip(LABELS, evidence.comparison.methods, strict=True)
    }
    expected = 100 * (scores["css"] - scores["adam"]).mean(axis=0)
    assert differences.differences == pytest.approx(expected)
    interval = stats.ttest_1samp(expected, 0).confidence_interval()
    row = describe(evidence, contrast)
    assert (row["sessions_low"], row["sessions_high"]) == pytest.approx((interval.low, interval.high))
    assert np.isnan(row["crossed_low"])  # conversations of a fold share a model
    table = comparisons(evidence, analysis.inference)
    luck = next(each for each in table.listings if "session luck" in each.title)
    assert [heading.text for heading in luck.header][1:6] == list(SESSIONS)
    assert all(sentence in table.sentences for sentence in fold_words(evidence.comparison))
    assert "of 5 sessions" in " ".join(table.sentences)


def test_the_published_split_is_another_data_set_and_nothing_has_runs_of_both(analysis: Analysis) -> None:
    by_name = {e.comparison.dataset: e for e in analysis.validated}
    assert by_name.keys() == {"iemocap-sim", NAME}
    assert len(by_name["iemocap-sim"].runs) == 2
    assert len(by_name[NAME].runs) == 6
    plain, pooled = (by_name[name].comparison for name in ("iemocap-sim", NAME))
    assert (plain.folds, pooled.folds, plain.sessions) == (0, 5, 4)
    (apart,) = analysis.inference.of("iemocap-sim")
    assert apart.comparison is not None
    assert np.isnan(describe(by_name["iemocap-sim"], apart)["sessions_low"])
    assert np.isfinite(describe(by_name["iemocap-sim"], apart)["crossed_low"])
    assert fold_words(plain) == []
    assert rule_effects(by_name[NAME]) == []
    rows = every_run([by_name[NAME]]).frame
    assert len(rows) == 30
    assert sorted(set(rows["remarks"])) == [f"test session {session}" for session in SESSIONS]
    assert set(rows["dataset"]) == {NAME}


def test_a_seed_that_lacks_a_fold_has_no_score_and_is_named(tmp_path: Path) -> None:
    for label in LABELS:
        for seed in SEEDS:
            folders = write_folds(tmp_path, label, seed)
    (folders[1] / "result.json").unlink()  # adam, seed 2
    (folders[1] / "error.txt").write_text("ValueError: no\n")
    analysis = analyse(tmp_path)
    (evidence,) = analysis.validated
    assert evidence.values("adam", "selected_weighted_f1").index.tolist() == [0, 1]
    assert evidence.values("css", "selected_weighted_f1").index.tolist() == [0, 1, 2]
    (omitted,) = analysis.omitted
    assert (omitted.dataset, omitted.runs, omitted.methods) == (NAME, 4, ("adam",))
    assert "adam, seed 2: no finished run with Ses02 as the test session" in omitted.differences[0]
    assert "seed 2, test session Ses02" in analysis.stored.failed[0].name
    (contrast,) = analysis.inference.of(NAME)
    assert contrast.judgement.verdict.value == "not testable"
    assert "failed" in contrast.judgement.sentence


def test_a_store_without_a_complete_set_shows_what_is_missing(tmp_path: Path) -> None:
    write_run(tmp_path, "iemocap-sim", "css", 0, fold="Ses03", epochs=4)
    analysis = analyse(tmp_path)
    assert analysis.evidence == ()
    assert "no finished run with Ses01 or Ses02 or Ses04 or Ses05" in analysis.omitted[0].differences[0]


def test_published_figures_are_of_another_split(tmp_path: Path) -> None:
    for session in SESSIONS:
        write_run(tmp_path, "iemocap", "css-released", 0, fold=session, epochs=4, published=True)
    analysis = analyse(tmp_path)
    (evidence,) = analysis.validated
    assert "the community's published features, but every session is tested on in turn" in (
        evidence.comparison.data_origin.notice
    )
    claim = next(claim for claim in analysis.claims if claim.id == "a")
    (part,) = claim.parts
    assert part.judgement.verdict.value == "not testable"
    assert OTHER_SPLIT in part.judgement.sentence


def test_a_fold_that_is_none_of_its_sessions_is_damaged(tmp_path: Path) -> None:
    folder = write_folds(tmp_path, "css", 0)[0]
    fold = {"test": "Ses09", "validation": "Ses01", "sessions": list(SESSIONS)}
    edit(folder / "spec.json", fold=fold)
    analysis = analyse(tmp_path)
    assert "fold.test is 'Ses09'" in analysis.stored.failed[0].error
