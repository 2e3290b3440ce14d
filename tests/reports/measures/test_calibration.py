"""Reliability and its error, against a loop over utterances."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.measures.calibration import BINS, calibration, expected_error, reliability
from reports.reading.runs import read_run
from tests.reports.synthetic_runs import WriteRun, edit


@given(st.integers(1, 60), st.integers(2, 7), st.integers(0, 99))
def test_bins_count_what_a_loop_counts(utterances: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), size=utterances)
    label = rng.integers(0, classes, size=utterances)
    expected = np.zeros((BINS, 3))
    for row, truth in zip(probabilities, label, strict=True):
        sure = max(row)
        expected[min(int(sure * BINS), BINS - 1)] += (1, int(np.argmax(row) == truth), sure)
    np.testing.assert_allclose(reliability(probabilities, label), expected)


def test_who_is_right_as_often_as_he_is_sure_has_no_error_and_who_is_always_wrong_all_of_it() -> None:
    sure = np.tile([[0.75, 0.25]], (4, 1))
    assert expected_error(reliability(sure, np.array([0, 0, 0, 1]))) == pytest.approx(0)
    assert expected_error(reliability(sure, np.array([1, 1, 1, 1]))) == pytest.approx(0.75)


def test_probabilities_that_are_not_finite_have_no_bins_and_no_error() -> None:
    bins = reliability(np.array([[0.5, np.nan], [0.5, 0.5]]), np.array([0, 1]))
    assert not bins.any()
    assert math.isnan(expected_error(bins))


def test_a_record_without_scores_of_probabilities_has_none(tmp_path, add_run: WriteRun) -> None:
    folder = add_run(tmp_path, "meld", "css")
    assert calibration(read_run(folder), "selected") == {"nll": 1.0, "ece": 0.1, "brier": 0.5}
    run = read_run(folder)
    selected = {name: value for name, value in run.result["selected"].items() if name not in ("nll", "ece")}
    edit(folder / "result.json", selected=selected | {"brier": None})
    assert all(math.isnan(value) for value in calibration(read_run(folder), "selected").values())
