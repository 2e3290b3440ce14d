"""Files of whole runs: predictions of every epoch with validation scores, and every mistake in them."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from benchmark.base.errors import DataError
from benchmark.data.conversations import Conversations
from benchmark.evaluation.predictions.files import PredictionFile, read_predictions

Predict = Callable[..., pd.DataFrame]
VALIDATION = (0.31, 0.52, 0.52, 0.40)


@pytest.fixture
def whole(predict: Predict) -> pd.DataFrame:
    """Four epochs of seed 0."""
    return pd.concat([predict(10 + epoch).assign(epoch=epoch) for epoch in (1, 2, 3, 4)], ignore_index=True)


@pytest.fixture
def scores() -> pd.DataFrame:
    return pd.DataFrame({"epoch": [1, 2, 3, 4], "validation_weighted_f1": VALIDATION})


@pytest.fixture
def read(tmp_path: Path, meld: Conversations) -> Callable[..., PredictionFile]:
    """``read(predictions, scores, seed)`` writes both as CSV and reads them."""

    def call(frame: pd.DataFrame, scores: pd.DataFrame | None, seed: int | None = 0) -> PredictionFile:
        frame.to_csv(tmp_path / "p.csv", index=False)
        if scores is not None:
            scores.to_csv(tmp_path / "v.csv", index=False)
        return read_predictions(tmp_path / "p.csv", meld, "meld", seed, None if scores is None else tmp_path / "v.csv")

    return call


def test_the_best_validation_score_selects_the_epoch_whatever_the_order_of_the_rows(
    read: Callable[..., PredictionFile], whole: pd.DataFrame, scores: pd.DataFrame, predict: Predict
) -> None:
    shuffled = whole.sample(frac=1, random_state=3)
    content = read(shuffled, scores.assign(picked=[0, 0, 0, 1]).iloc[::-1].rename(columns=lambda name: f"{name} "))
    (found,) = content.predictions
    assert found.run is not None
    assert (found.run.selected, found.run.picked) == (2, 4)  # the earliest of equals
    assert found.predicted.tolist() == predict(12)["predicted"].tolist()
    assert found.run.by_epoch.tolist() == [predict(10 + epoch)["predicted"].tolist() for epoch in (1, 2, 3, 4)]
    assert found.run.validation.tolist() == list(VALIDATION)
    assert (content.ignored, content.validation and content.validation.name) == ((), "v.csv")


def test_probabilities_are_those_of_the_selected_epoch(
    read: Callable[..., PredictionFile], whole: pd.DataFrame, scores: pd.DataFrame
) -> None:
    shares = np.random.default_rng(0).dirichlet(np.ones(7), len(whole))
    (found,) = read(whole.assign(**{f"probability_{c}": shares[:, c] for c in range(7)}), scores).predictions
    second = (whole["epoch"] == 2).to_numpy()
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities, shares[second], atol=1e-6)
    assert found.disagreeing == (shares[second].argmax(axis=1) != whole["predicted"][second]).sum()


def test_seeds_may_have_different_numbers_of_epochs(
    read: Callable[..., PredictionFile], whole: pd.DataFrame, scores: pd.DataFrame, predict: Predict
) -> None:
    both = pd.concat([whole.assign(seed=5), predict(30).assign(seed=2, epoch=1)])
    lines = pd.concat([scores.assign(seed=5), pd.DataFrame({"epoch": [1], "validation_weighted_f1": [0.1], "seed": 2})])
    found = {one.seed: one.run for one in read(both, lines, None).predictions}
    assert {seed: run and len(run.by_epoch) for seed, run in found.items()} == {5: 4, 2: 1}


def test_the_same_epochs_under_two_seeds_are_one_run_and_one_equal_epoch_is_none(
    read: Callable[..., PredictionFile], whole: pd.DataFrame, scores: pd.DataFrame, predict: Predict
) -> None:
    lines = pd.concat([scores.assign(seed=seed) for seed in (0, 1)])
    with pytest.raises(DataError, match="seeds 0 and 1 have the same predictions"):
        read(pd.concat([whole.assign(seed=seed) for seed in (0, 1)]), lines, None)
    other = whole.copy()
    other.loc[other["epoch"] == 1, "predicted"] = predict(99)["predicted"].to_numpy()
    assert len(read(pd.concat([whole.assign(seed=0), other.assign(seed=1)]), lines, None).predictions) == 2


def test_validation_scores_that_are_the_test_scores_are_refused(
    read: Callable[..., PredictionFile], whole: pd.DataFrame, scores: pd.DataFrame, meld: Conversations
) -> None:
    truth = meld.where("test").label
    test = [
        f1_score(truth, rows["predicted"], average="weighted", zero_division=0) for _, rows in whole.groupby("epoch")
    ]
    with pytest.raises(DataError, match=r"seed 0 are the scores on the test set, in all 4 epochs.*--selection test"):
        read(whole, scores.assign(validation_weighted_f1=np.round(test, 3)))
    read(whole, scores.assign(validation_weighted_f1=[*test[:3], test[3] - 0.01]))


def test_mistakes_in_the_epochs_of_predictions_are_named(
    read: Callable[..., PredictionFile], whole: pd.DataFrame, scores: pd.DataFrame, predict: Predict
) -> None:
    n = len(predict())
    first = f"conversation {whole['conversation'][0]} utterance 0"
    strange = whole.assign(conversation=whole["conversation"].where(whole.index != n + 1, "nobody"))
    for frame, said in (
        (whole[whole["epoch"] != 3], "seed 0 has predictions of epoch 4 and none of epoch 3;"),
        (whole[whole["epoch"] == 4], "and none of epochs 1, 2, 3;"),
        (whole.assign(epoch=whole["epoch"] - 1), "epoch is 0 in row 1; epochs are counted from 1: add 1 to each"),
        (whole.assign(epoch="two"), "epoch is 'two' in row 1"),
        (whole.drop(columns="epoch"), "has no column epoch: with validation scores it holds whole runs"),
        (whole.iloc[1:], f"seed 0, epoch 1: of the {n} test utterances of meld: 1 missing ({first})"),
        (strange, f"seed 0, epoch 2: of the {n} test utterances of meld: 1 missing"),
        (strange, f"1 unknown (conversation nobody utterance {whole['utterance'][n + 1]} in row {n + 2})"),
        (pd.concat([whole, whole.iloc[[0]]]), f"1 twice ({first} in row {4 * n + 1})"),
    ):
        with pytest.raises(DataError, match=re.escape(said)):
            read(frame, scores)
    with pytest.raises(DataError, match=r"has several epochs of a run: add their validation scores by --validation"):
        read(whole, None)
    assert read(predict().assign(epoch=17), None).ignored == ("epoch",)  # one epoch a run needs no validation scores


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"validation_weighted_f1": [0.1, float("nan"), 0.2, 0.3]}, "validation_weighted_f1 is '' in row 2"),
        ({"validation_weighted_f1": ["0.1", "0.2", "nan", "0.3"]}, "validation_weighted_f1 is 'nan' in row 3"),
        ({"validation_weighted_f1": ["inf", "0.2", "0.1", "0.3"]}, "validation_weighted_f1 is 'inf' in row 1"),
        ({"validation_weighted_f1": [0.4, 41.5, 0.2, 0.3]}, "'41.5' in row 2; it takes fractions from 0 to 1: divide"),
        ({"epoch": [1, 2, 2, 4]}, "row 3 is of epoch 2 of seed 0, as row 2 is: keep one of them"),
        ({"epoch": [1, 2, 3, 5]}, "row 4 is of epoch 5 of seed 0, and there are predictions of its epochs 1 to 4"),
        ({"epoch": [0, 1, 2, 3]}, "row 1 is of epoch 0 of seed 0"),
        ({"seed": [0, 0, 7, 0]}, "row 3 is of epoch 3 of seed 7, and there are no predictions of this seed"),
        ({"picked": [0, 1, 0, 1]}, "seed 0 has picked set in rows 2 and 4; a run's result is of one epoch"),
        ({"picked": [0, "best", 0, 0]}, "picked is 'best' in row 2; it takes 1 and 0"),
    ],
)
def test_mistakes_in_validation_scores_are_named_by_row(
    read: Callable[..., PredictionFile], whole: pd.DataFrame, scores: pd.DataFrame, change: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        read(whole, scores.assign(**change))


def test_validation_scores_that_are_not_there_are_named(
    read: Callable[..., PredictionFile], whole: pd.DataFrame, scores: pd.DataFrame
) -> None:
    with pytest.raises(DataError, match="seed 0 has no validation score of epochs 2, 4, of 1 to 4"):
        read(whole, scores.iloc[[0, 2]])
    with pytest.raises(DataError, match="has no column validation_weighted_f1; it has epoch"):
        read(whole, scores[["epoch"]])
    both = pd.concat([whole.assign(seed=0), whole.assign(seed=1)])
    with pytest.raises(DataError, match="has no column seed, and the predictions are of 2 seeds"):
        read(both, scores, None)
    with pytest.raises(DataError, match="seed 1 has no validation score of epochs 1, 2, 3, 4, of 1 to 4"):
        read(both, scores.assign(seed=0), None)
