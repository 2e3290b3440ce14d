from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from reports.tables.accuracy import accuracy
from tests.reports.tables.stores import evidence_of, results, row


@pytest.mark.parametrize("label", ["css", "adam", "concat"])
def test_accuracy_summarises_each_score_over_seeds(store: Path, label: str):
    found = row(accuracy(evidence_of(store, "meld")).frame, label)
    for where in ("selected", "last", "peak_test"):
        for score in ("weighted_f1", "accuracy", "macro_f1"):
            values = [result[where][score] for result in results(store, "meld", label)]
            name = f"{where}_{score}"
            low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
            expected = (np.mean(values), np.std(values, ddof=1), low, high)
            assert tuple(found[f"{name}_{part}"] for part in ("mean", "sd", "low", "high")) == pytest.approx(expected)
    gaps = [r["peak_test"]["weighted_f1"] - r["selected"]["weighted_f1"] for r in results(store, "meld", label)]
    assert found["gap_mean"] == pytest.approx(np.mean(gaps))
    assert (found["n"], found["data"]) == (3, "real-unpublished")
