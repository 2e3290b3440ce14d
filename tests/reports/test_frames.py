"""The frames for notebooks: the report's numbers in one unit, with a sentence for every column."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_recall_fscore_support

import reports
from reports.columns import COLUMNS
from reports.frames import Frames
from reports.reading.runs import read_store
from tests.reports.inference.preregistrations import declare, follow
from tests.reports.synthetic_imports import write_import
from tests.reports.synthetic_runs import edit, write_run
from tests.reports.tuning.synthetic_studies import LR, searched, write_study
from tests.undrawn import undrawn

NAMES = ("accuracy", "stability", "conflict", "runs", "comparisons", "looks", "claims")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two data sets, paired, unpaired and followed comparisons, an import, and the published protocol."""
    root = tmp_path_factory.mktemp("frames") / "store"
    for dataset in ("iemocap-sim", "meld"):
        for label in ("css", "adam"):
            for seed in range(3):
                write_run(root, dataset, label, seed, epochs=3, steps_per_epoch=3)
    write_run(root, "meld", "css", protocol="published", epochs=3, steps_per_epoch=3)
    write_import(root, [60.0, 61.0, 62.0])
    declare(root, ("meld", "css", "adam"), ("meld", "css", "absent"))
    follow(root, declare(root, ("iemocap-sim", "css", "adam"), looks=(2, 3)))
    return root


@pytest.fixture(scope="module")
def frames(store: Path) -> Frames:
    return reports.load(store)


@pytest.fixture(scope="module")
def files(store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("report") / "report"
    with undrawn():
        reports.build(store, folder)
    return {name: pd.read_csv(folder / "tables" / f"{name}.csv", keep_default_na=False, na_values=[""])
            for name in NAMES}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_has_a_sentence_and_every_sentence_a_column(frames: Frames, name: str):
    frame = getattr(frames, name)
    assert list(frame.columns) == list(COLUMNS[name])
    assert len(frame)
    for says in COLUMNS[name].values():
        assert says[0].isupper() or says[0].isdigit(), says
        assert says.endswith("."), says
    assert Frames.describe(name).to_dict() == COLUMNS[name]


@pytest.mark.parametrize("name", NAMES)
def test_no_column_of_the_report_is_without_a_sentence(files: dict[str, pd.DataFrame], name: str):
    assert set(files[name].columns) <= set(COLUMNS[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_holds_the_numbers_of_the_reports_file(frames: Frames, files: dict[str, pd.DataFrame], name: str):
    frame, file = getattr(frames, name), files[name]
    assert len(frame) == len(file)
    for column in file:
        found = frame[column]
        texts = (found, file[column].dropna()) if file[column].notna().any() else (found,)
        if any(pd.api.types.is_bool_dtype(s) or not pd.api.types.is_numeric_dtype(s) for s in texts):
            left, right = (["" if pd.isna(v) else str(v) for v in values] for values in (found, file[column]))
            assert left == right, column
            continue
        np.testing.assert_allclose(found.astype(float), file[column], rtol=1e-12, err_msg=column)


def test_scores_are_in_per_cent_everywhere(frames: Frames):
    assert frames.accuracy["selected_weighted_f1_mean"].dropna().between(20, 100).all()
    assert frames.history["validation_weighted_f1"].dropna().between(20, 100).all()
    assert frames.per_class[["f1", "precision", "recall"]].to_numpy().max() > 50
    validated = frames.accuracy.query("protocol == 'validated'")
    mean = validated.set_index(["dataset", "method"])["selected_weighted_f1_mean"]
    row = frames.comparisons.set_index(["dataset", "a", "b"]).loc[("meld", "css", "adam")]
    assert row["difference"] == pytest.approx(mean["meld", "css"] - mean["meld", "adam"])


def test_scores_by_class_are_those_of_scikit_learn(store: Path, frames: Frames):
    run = next(r for r in read_store(store).runs if (r.dataset, r.label, r.seed) == ("meld", "css", 1)
               and r.protocol == "validated")  # fmt: skip
    predictions = pd.read_parquet(run.folder / "predictions.parquet")
    classes = run.manifest["data"]["classes"]
    precision, recall, f1, support = precision_recall_fscore_support(
        predictions["label"], predictions["predicted"], labels=range(len(classes)), zero_division=np.nan
    )
    found = frames.per_class.query("dataset == 'meld' and method == 'css' and seed == 1").set_index("class")
    assert list(found.index) == classes
    np.testing.assert_allclose(found["f1"], 100 * f1)
    np.testing.assert_allclose(found["precision"], 100 * precision)
    np.testing.assert_allclose(found["recall"], 100 * recall)
    assert list(found["utterances"]) == list(support)


def test_rows_are_a_run_s_epochs_and_probes(store: Path, frames: Frames):
    keys = ["dataset", "protocol", "method", "seed"]
    assert set(frames.history.groupby(keys).size()) == {3}
    assert len(frames.history.groupby(keys)) == 13
    run = next(r for r in read_store(store).runs if (r.dataset, r.label, r.seed) == ("iemocap-sim", "adam", 2))
    probes = pd.read_parquet(run.folder / "conflict.parquet")
    found = frames.probes.query("dataset == 'iemocap-sim' and method == 'adam' and seed == 2")
    np.testing.assert_allclose(found["cos_fused_unimodal"], probes["cos_fused_unimodal"])
    history = pd.read_parquet(run.folder / "history.parquet")
    found = frames.history.query("dataset == 'iemocap-sim' and method == 'adam' and seed == 2")
    np.testing.assert_allclose(found["train_total"], history["train_total"])


def test_a_selection_of_runs_is_all_there_is(store: Path):
    keys = [run.key for run in read_store(store).runs if (run.dataset, run.seed) == ("meld", 0)]
    assert set(reports.load(str(store), keys).accuracy["dataset"]) == {"meld"}


def test_a_store_of_searches_alone_has_empty_frames_with_their_columns(tmp_path: Path):
    write_study(tmp_path, "study", searched({"lr": LR}, 2, lambda p: 0.6), {"lr": LR})
    found = reports.load(tmp_path)
    for name in COLUMNS:
        frame = getattr(found, name)
        assert list(frame.columns) == list(COLUMNS[name])
        assert frame.empty or name == "claims"


def test_what_cannot_be_loaded_is_said(tmp_path: Path):
    with pytest.raises(reports.ReportError, match="no run store"):
        reports.load(tmp_path / "absent")
    (tmp_path / "runs").mkdir()
    with pytest.raises(reports.ReportError, match="nothing to report"):
        reports.load(tmp_path)
    folder = write_run(tmp_path, "meld", epochs=2, steps_per_epoch=2)
    write_import(tmp_path, [60.0])
    edit(folder / "spec.json", format=0)
    with pytest.raises(reports.ReportError, match="has format 0, this version reads 1"):
        reports.load(tmp_path)
    for path in sorted(folder.iterdir()):
        path.unlink()
    assert reports.load(tmp_path).runs["method"].tolist() == ["SDT (imported, choice of epoch unknown)"]


def test_importing_the_package_loads_no_pandas_and_loading_draws_nothing(store: Path):
    code = (
        "import sys, reports; early = {'pandas', 'numpy'} & set(sys.modules); frames = reports.load(sys.argv[1]);"
        "print(sorted(early), sorted({'matplotlib', 'torch', 'benchmark'} & set(sys.modules)), len(frames.accuracy))"
    )
    root = Path(reports.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code, str(store)], capture_output=True, text=True, cwd=root, check=False
    )
    assert done.stdout.strip() == "[] [] 6", done.stderr
