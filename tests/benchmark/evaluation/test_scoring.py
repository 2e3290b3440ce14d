import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import f1_score

from benchmark.data.conversations import Conversations
from benchmark.evaluation.scoring import Scorer, expected_calibration_error

CLASSES = 4


def corpus(label: npt.NDArray[np.int64]) -> Conversations:
    """A training conversation of other labels, then the test labels in two conversations."""
    n = len(label)
    return Conversations(
        features={"text": np.zeros((n + 3, 2), np.float32)},
        label=np.concatenate([[CLASSES - 1] * 3, label]).astype(np.int64),
        speaker=np.zeros(n + 3, np.int64),
        offsets=np.array([0, 3, 3 + n // 2, 3 + n]),
        ids=("a", "b", "c"),
        split=("train", "test", "test"),
        class_names=tuple("wxyz"),
        speakers=1,
    )


def probabilities(n: int, seed: int = 0) -> npt.NDArray[np.float32]:
    logits = np.random.default_rng(seed).normal(0, 1.5, (n, CLASSES))
    return (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)


@pytest.fixture
def label() -> npt.NDArray[np.int64]:
    return np.random.default_rng(1).choice(CLASSES, 61, p=(0.5, 0.3, 0.15, 0.05))


@pytest.fixture
def scores(label: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Three epochs, of which the second is selected; its predictions are the probabilities' own."""
    rng = np.random.default_rng(2)
    chosen = probabilities(61)
    by_epoch = np.stack([rng.integers(0, CLASSES, 61), chosen.argmax(1), label]).astype(np.uint8)
    return Scorer(corpus(label)).score((2, 0.6), by_epoch, chosen)


def confusion(label: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    table = np.zeros((CLASSES, CLASSES), int)
    for truth, guess in zip(label, predicted, strict=True):
        table[truth, guess] += 1
    return table


def test_scores_of_the_selected_epoch_follow_from_its_confusions(
    scores: dict[str, Any], label: npt.NDArray[np.int64]
) -> None:
    table = confusion(label, probabilities(61).argmax(1))
    right, predicted, actual = np.diag(table), table.sum(0), table.sum(1)
    f1 = 2 * right / (predicted + actual)

    selected = scores["selected"]
    assert selected["epoch"] == 2
    assert selected["confusion"] == table.tolist()
    assert selected["accuracy"] == pytest.approx(right.sum() / 61)
    assert selected["per_class_f1"] == pytest.approx(f1)
    assert selected["weighted_f1"] == pytest.approx((f1 * actual).sum() / 61)
    assert selected["macro_f1"] == pytest.approx(f1.mean())
    assert not np.allclose(table, table.T)


def test_probability_scores_follow_their_formulas(scores: dict[str, Any], label: npt.NDArray[np.int64]) -> None:
    p = probabilities(61).astype(np.float64)

    assert scores["selected"]["nll"] == pytest.approx(-np.mean(np.log(p[range(61), label])))
    brier = sum((p[i, c] - (label[i] == c)) ** 2 for i in range(61) for c in range(CLASSES)) / 61
    assert scores["selected"]["brier"] == pytest.approx(brier)
    assert scores["selected"]["ece"] == pytest.approx(ece_by_loops(p, label, 15))


def test_last_and_peak_are_other_epochs_scores(scores: dict[str, Any]) -> None:
    assert scores["last"] == {"epoch": 3, "accuracy": 1.0, "weighted_f1": 1.0, "macro_f1": 1.0}
    assert scores["peak_test"] == scores["last"]
    assert scores["validation"] == {"epoch": 2, "weighted_f1": 0.6}
    assert set(scores) == {"selected", "last", "peak_test", "validation"}
    assert set(scores["selected"]) == set(scores["last"]) | {"per_class_f1", "confusion", "nll", "ece", "brier"}


def test_without_validation_no_epoch_is_selected_and_the_details_are_of_the_last(label: npt.NDArray[np.int64]) -> None:
    chosen = probabilities(61)
    by_epoch = np.stack([label, chosen.argmax(1)]).astype(np.uint8)
    scorer = Scorer(corpus(label))
    scores = scorer.score(None, by_epoch, chosen)

    assert scores["selected"] is None
    assert scores["validation"] is None
    assert scores["last"] == {"epoch": 2} | scorer.scores(chosen)
    assert scores["peak_test"] == {"epoch": 1, "accuracy": 1.0, "weighted_f1": 1.0, "macro_f1": 1.0}


def ece_by_loops(p: npt.NDArray[np.float64], label: npt.NDArray[np.int64], bins: int) -> float:
    total = 0.0
    for b in range(bins):
        members = [
            i for i in range(len(p)) if b / bins <= max(p[i]) < (b + 1) / bins or (b == bins - 1 and max(p[i]) == 1)
        ]
        if members:
            accuracy = np.mean([np.argmax(p[i]) == label[i] for i in members])
            total += len(members) / len(p) * abs(accuracy - np.mean([max(p[i]) for i in members]))
    return total


@pytest.mark.parametrize("bins", [1, 2, 10, 15])
@pytest.mark.parametrize("seed", range(5))
def test_calibration_error_against_a_loop_over_bins(bins: int, seed: int) -> None:
    p = probabilities(200, seed).astype(np.float64)
    label = np.random.default_rng(seed).integers(0, CLASSES, 200)

    assert expected_calibration_error(p, label, bins) == pytest.approx(ece_by_loops(p, label, bins), abs=1e-12)


def test_calibration_error_of_certain_predictions_is_their_error_rate() -> None:
    p = np.eye(CLASSES)[[0, 1, 2, 3]]

    assert expected_calibration_error(p, np.array([0, 1, 2, 3])) == 0
    assert expected_calibration_error(p, np.array([1, 1, 2, 3])) == pytest.approx(0.25)


def test_calibration_error_does_not_let_bins_cancel() -> None:
    p = np.array([[0.9, 0.1], [0.6, 0.4]])

    assert expected_calibration_error(p, np.array([1, 0])) == pytest.approx((0.9 + 0.4) / 2)


@settings(max_examples=40)
@given(
    epochs=st.integers(1, 6),
    label=arrays.arrays(np.int64, 7, elements=st.integers(0, CLASSES - 1)),
    data=st.data(),
)
def test_the_best_epoch_on_test_is_never_below_the_selected_one_and_ties_go_to_the_earliest(
    epochs: int, label: npt.NDArray[np.int64], data: st.DataObject
) -> None:
    shape, selected = (epochs, len(label)), data.draw(st.integers(1, epochs))
    by_epoch = data.draw(arrays.arrays(np.uint8, shape, elements=st.integers(0, CLASSES - 1)))
    scores = Scorer(corpus(label)).score((selected, 0.25), by_epoch, probabilities(len(label)))

    f1 = [f1_score(label, row, average="weighted", zero_division=0) for row in by_epoch]
    assert scores["selected"]["epoch"] == selected
    assert scores["selected"]["weighted_f1"] == pytest.approx(f1[scores["selected"]["epoch"] - 1])
    assert scores["peak_test"]["epoch"] == f1.index(max(f1)) + 1
    assert scores["peak_test"]["weighted_f1"] - scores["selected"]["weighted_f1"] >= 0
    assert scores["last"]["epoch"] == epochs
    assert scores["validation"] == {"epoch": selected, "weighted_f1": 0.25}
    assert np.sum(scores["selected"]["confusion"]) == len(label)


@pytest.mark.parametrize("rows", [slice(None), slice(3, 4)])
def test_what_nan_probabilities_do_not_let_compute_is_null(rows: slice, label: npt.NDArray[np.int64]) -> None:
    p = probabilities(61)
    p[rows] = np.nan
    scores = Scorer(corpus(label)).score((1, 0.5), label[None].astype(np.uint8), p)

    assert [scores["selected"][name] for name in ("nll", "ece", "brier")] == [None] * 3
    assert scores["selected"]["weighted_f1"] == 1
    json.dumps(scores, allow_nan=False)


def test_a_probability_of_zero_is_a_large_loss_and_no_crash(label: npt.NDArray[np.int64]) -> None:
    p = np.eye(CLASSES, dtype=np.float32)[(label + 1) % CLASSES]
    scores = Scorer(corpus(label)).score((1, 0.5), label[None].astype(np.uint8), p)

    assert 80 < scores["selected"]["nll"] < 100
    assert scores["selected"]["brier"] == 2


def test_a_class_without_a_test_utterance_has_no_f1() -> None:
    label = np.zeros(8, np.int64)
    scores = Scorer(corpus(label)).score((1, 0.5), np.zeros((1, 8), np.uint8), probabilities(8))

    assert scores["selected"]["per_class_f1"] == [1, None, None, None]
    assert np.shape(scores["selected"]["confusion"]) == (CLASSES, CLASSES)
    json.dumps(scores, allow_nan=False)


def test_macro_f1_has_one_denominator_whatever_is_predicted() -> None:
    """A prediction of a class that no test utterance has must not make it a mean over more classes."""
    label = np.array([0, 0, 1, 1], np.int64)
    found = [
        Scorer(corpus(label)).score((1, 0.5), np.array([row], np.uint8), probabilities(4))["selected"]["macro_f1"]
        for row in ([0, 0, 1, 0], [0, 0, 1, 3])
    ]
    assert found[0] == pytest.approx((0.8 + 2 / 3) / 2)
    assert found[1] == pytest.approx((1 + 2 / 3) / 2)


def test_only_the_test_conversations_are_scored(label: npt.NDArray[np.int64]) -> None:
    assert Scorer(corpus(label)).label.tolist() == label.tolist()


def test_scoring_without_labels_is_refused(label: npt.NDArray[np.int64]) -> None:
    with pytest.raises(AssertionError, match="labels"):
        Scorer(corpus(label).without_labels())
