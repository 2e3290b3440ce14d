"""Scores by class, against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from reports.measures.classes import class_scores
from reports.statistics import confusions


@given(st.integers(1, 80), st.integers(2, 7), st.integers(0, 99))
def test_scores_are_those_of_scikit_learn_where_both_are_defined(utterances: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    label, predicted = rng.integers(0, classes, size=(2, utterances))
    counts = confusions(label, predicted[None], np.zeros(utterances, dtype=int), classes)[0, 0]
    scores = class_scores(counts)
    precision, recall, f1, support = precision_recall_fscore_support(
        label, predicted, labels=range(classes), zero_division=np.nan
    )
    np.testing.assert_array_equal(scores.utterances, support)
    occurs = support > 0
    np.testing.assert_allclose(scores.f1[occurs], 100 * np.nan_to_num(f1[occurs]))
    np.testing.assert_allclose(scores.recall, 100 * recall)
    np.testing.assert_allclose(scores.precision, 100 * precision)


def test_a_class_that_never_occurs_has_no_f1_and_one_never_found_has_0() -> None:
    scores = class_scores(np.array([[3, 0, 1], [2, 0, 0], [0, 0, 0]]))
    assert scores.f1[1] == 0
    assert np.isnan(scores.f1[2])
    assert np.isnan(scores.precision[1])
    assert scores.f1[0] == pytest.approx(100 * 6 / 9)
