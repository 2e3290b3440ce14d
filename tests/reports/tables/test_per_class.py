"""F1 by class: means and gains by hand, classes that are never predicted, classes that are absent."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from reports.inference.per_class import per_class
from reports.tables.per_class import per_class_table
from tests.reports.synthetic_runs import write_run
from tests.reports.tables.stores import evidence_of, folders

DATASET = "meld"
CLASSES = 7


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("classes")
    for seed in range(4):
        for label in ("css", "adam"):
            write_run(root, DATASET, label, seed, epochs=3)
    return root


def f1_by_hand(store: Path, label: str) -> np.ndarray:
    """F1 in %, [seeds, C]."""
    rows = []
    for folder in folders(store, DATASET, label):
        frame = pd.read_parquet(folder / "predictions.parquet")
        rows.append(100 * f1_score(frame["label"], frame["predicted"], labels=range(CLASSES), average=None))
    return np.array(rows)


def test_means_and_gains_are_those_of_the_predictions(store: Path) -> None:
    frame = per_class_table(evidence_of(store, DATASET)).frame.set_index("method")
    css, adam = (f1_by_hand(store, label) for label in ("css", "adam"))
    np.testing.assert_allclose(frame.loc["css", "f1_mean"], css.mean(axis=0))
    gains = css - adam
    np.testing.assert_allclose(frame.loc["adam", "gain"], gains.mean(axis=0))
    intervals = [stats.ttest_1samp(of_class, 0).confidence_interval() for of_class in gains.T]
    np.testing.assert_allclose(frame.loc["adam", "gain_low"], [i.low for i in intervals])
    np.testing.assert_allclose(frame.loc["adam", "gain_high"], [i.high for i in intervals])
    assert frame.loc["css", "gain"].isna().all()


def test_seeds_that_hold_out_the_same_session_count_by_session(tmp_path: Path) -> None:
    for seed in range(8):
        for label in ("css", "adam"):
            write_run(tmp_path, "iemocap", label, seed, epochs=3)
    evidence = evidence_of(tmp_path, "iemocap")
    frame = per_class_table(evidence).frame.set_index("method")
    by_seed = {label: np.array([per_f1(evidence, label, seed) for seed in range(8)]) for label in ("css", "adam")}
    gains = (by_seed["css"] - by_seed["adam"]).reshape(2, 4, -1).mean(axis=0)  # a mean a session
    low = [stats.ttest_1samp(of_class, 0).confidence_interval().low for of_class in gains.T]
    np.testing.assert_allclose(frame.loc["adam", "gain_low"], low)


def per_f1(evidence, label: str, seed: int) -> np.ndarray:
    counts = evidence.outcomes[label, seed].counts.sum(axis=0).astype(float)
    return 100 * 2 * np.diag(counts) / (counts.sum(axis=0) + counts.sum(axis=1))


def test_classes_that_are_never_predicted_or_never_occur_are_named(tmp_path: Path) -> None:
    for label in ("css", "adam"):
        for seed in range(2):
            write_run(tmp_path, DATASET, label, seed, epochs=3)
    for folder in [*folders(tmp_path, DATASET, "css"), *folders(tmp_path, DATASET, "adam")]:
        for name, columns in (("predictions", ["predicted", "label"]), ("test_predictions", ["epoch_2"])):
            frame = pd.read_parquet(folder / f"{name}.parquet")
            kept = frame.assign(**{c: frame[c].replace({6: 0}) for c in columns})
            if "adam" in (folder / "spec.json").read_text(encoding="utf-8"):
                kept = kept.assign(**{c: kept[c].replace({2: 0}) for c in columns if c != "label"})
            kept.to_parquet(folder / f"{name}.parquet")
    evidence = evidence_of(tmp_path, DATASET)
    table = per_class_table(evidence)
    assert table.sentences[0] == "No test utterance is anger, so that class has no F1."
    never = "Never predicted: css (anger in 2 of 2 runs); adam (fear in 2 of 2 and anger in 2 of 2 runs)."
    assert never in table.sentences
    assert table.listings[0].rows[0][-1] == "—"
    assert per_class(evidence).utterances[-1] == 0
