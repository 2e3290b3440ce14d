"""Files of predictions: what is read of them, and what is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.base.errors import DataError
from benchmark.data.conversations import Conversations
from benchmark.evaluation.predictions.files import PredictionFile, read_predictions

Predict = Callable[..., pd.DataFrame]


def read(path: Path, frame: pd.DataFrame, meld: Conversations, seed: int | None = 0) -> PredictionFile:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return read_predictions(path, meld, "meld", seed)


def probabilities(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(7), n)


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_rows_in_any_order_are_put_in_the_order_of_the_data_set(
    tmp_path: Path, meld: Conversations, predict: Predict, name: str
) -> None:
    frame = predict()
    (found,) = read(tmp_path / name, frame.sample(frac=1, random_state=1), meld).predictions
    assert found.predicted.tolist() == frame["predicted"].tolist()
    assert (found.seed, found.probabilities, found.disagreeing) == (0, None, 0)


def test_blanks_around_a_name_of_the_header_are_no_part_of_it(
    tmp_path: Path, meld: Conversations, predict: Predict
) -> None:
    (spaced,) = read(tmp_path / "a.csv", predict().rename(columns=lambda name: f" {name} "), meld).predictions
    assert spaced.predicted.tolist() == predict()["predicted"].tolist()


def test_classes_may_be_named_and_every_way_of_writing_has_one_digest(
    tmp_path: Path, meld: Conversations, predict: Predict
) -> None:
    frame = predict()
    named = frame.assign(predicted=[meld.class_names[c].upper() for c in frame["predicted"]])
    digests = {
        read(tmp_path / "a.csv", frame, meld).predictions[0].digest,
        read(tmp_path / "b.csv", named, meld).predictions[0].digest,
        read(tmp_path / "c.parquet", frame.assign(conversation=frame["conversation"].astype(int)), meld)
        .predictions[0]
        .digest,
    }
    assert len(digests) == 1
    other = read(tmp_path / "d.csv", predict(1), meld).predictions[0].digest
    assert other not in digests


def test_probabilities_by_number_or_by_name_of_the_class(tmp_path: Path, meld: Conversations, predict: Predict) -> None:
    frame, shares = predict(), probabilities(len(predict()))
    numbered = frame.assign(**{f"probability_{c}": shares[:, c] for c in range(7)})
    order = [3, 0, 6, 1, 2, 5, 4]
    named = frame.assign(**{meld.class_names[c]: shares[:, c] for c in order})
    for name, given in (("a.csv", numbered), ("b.parquet", named)):
        (found,) = read(tmp_path / name, given, meld).predictions
        assert found.probabilities is not None
        np.testing.assert_allclose(found.probabilities, shares, atol=1e-6)
        assert found.disagreeing == (shares.argmax(axis=1) != frame["predicted"]).sum() > 0


def test_a_column_of_seeds_makes_a_run_of_each(tmp_path: Path, meld: Conversations, predict: Predict) -> None:
    both = pd.concat([predict(s).assign(seed=s, note="x") for s in (7, 3)]).sample(frac=1, random_state=0)
    found = read(tmp_path / "p.csv", both, meld, seed=None)
    assert {p.seed: p.predicted.tolist() for p in found.predictions} == {
        s: predict(s)["predicted"].tolist() for s in (3, 7)
    }
    assert found.ignored == ("note",)


def test_missing_duplicate_and_unknown_utterances_are_named(
    tmp_path: Path, meld: Conversations, predict: Predict
) -> None:
    frame = predict()
    first, last = frame.iloc[0], frame.iloc[-1]
    unknown = frame.iloc[[0]].assign(conversation="nobody")
    wrong = pd.concat([frame.iloc[1:], frame.iloc[[-1]], unknown])
    said = (
        f"seed 0: of the {len(frame)} test utterances of meld: "
        f"1 missing (conversation {first.conversation} utterance 0), "
        f"1 twice (conversation {last.conversation} utterance {last.utterance} in row {len(frame)}), "
        f"1 unknown (conversation nobody utterance 0 in row {len(frame) + 1}); "
        "the utterances of a conversation are numbered from 0"
    )
    with pytest.raises(DataError, match=re.escape(said)):
        read(tmp_path / "p.csv", wrong, meld)


def test_only_some_of_many_are_named(tmp_path: Path, meld: Conversations, predict: Predict) -> None:
    with pytest.raises(DataError, match=r"missing \((conversation \d+ utterance \d+, ){5}…\)"):
        read(tmp_path / "p.csv", predict().iloc[:1], meld)


def test_labels_that_are_not_ours_are_refused_and_ours_accepted(
    tmp_path: Path, meld: Conversations, predict: Predict
) -> None:
    truth = meld.where("test").label
    assert truth is not None
    assert read(tmp_path / "p.csv", predict().assign(label=truth), meld).ignored == ()
    with pytest.raises(DataError, match=r"\d+ of \d+ labels are not those of meld: .* numbered otherwise \(here: neut"):
        read(tmp_path / "q.csv", predict().assign(label=(truth + 1) % 7), meld)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"predicted": "7"}, "predicted is '7' in row 1; it takes 0 to 6 or neutral, surprise"),
        ({"predicted": "Happy"}, "predicted is 'Happy' in row 1"),
        ({"predicted": "2.0"}, "predicted is '2.0' in row 1"),
        ({"utterance": "-1"}, "utterance is '-1' in row 1; it takes whole numbers from 0"),
        ({"seed": "1"}, "has a column seed, so leave out --seed"),
        ({"probability_0": "1"}, "has 1 column of probabilities (probability_0), not probability_0, probability_1"),
        ({"joy": "1"}, "has 1 column of probabilities (joy), not neutral, surprise"),
        ({"joy": "1", "probability_0": "1"}, "has probabilities by number and by name (probability_0, joy)"),
    ],
)
def test_what_a_column_cannot_hold_is_refused(
    tmp_path: Path, meld: Conversations, predict: Predict, change: dict[str, str], said: str
) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        read(tmp_path / "p.csv", predict().astype(str).assign(**change), meld)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([0.5] * 7, "differs from a sum of 1 by more than 0.001 in row 2: 0.5, 0.5"),
        ([-0.5, 1.5, 0, 0, 0, 0, 0], "is negative in row 2"),
        ([float("nan"), 1, 0, 0, 0, 0, 0], "is not finite in row 2"),
        ([float("inf"), 0, 0, 0, 0, 0, 0], "is not finite in row 2"),
    ],
)
def test_probabilities_that_are_none_are_refused(
    tmp_path: Path, meld: Conversations, predict: Predict, row: list[float], said: str
) -> None:
    shares = probabilities(len(predict()))
    shares[0] = [0.0005, 1, 0, 0, 0, 0, 0]  # within the tolerance
    shares[1] = row
    frame = predict().assign(**{f"probability_{c}": shares[:, c] for c in range(7)})
    with pytest.raises(DataError, match=f"a probability {re.escape(said)}"):
        read(tmp_path / "p.parquet", frame, meld)
    with pytest.raises(DataError, match="a probability is no number"):
        read(tmp_path / "p.csv", frame.astype(str).assign(probability_3="much"), meld)


def test_files_that_cannot_be_read_are_named(tmp_path: Path, meld: Conversations, predict: Predict) -> None:
    for name, content, said in (
        ("none.csv", None, "cannot read .*none.csv"),
        ("p.txt", b"", r"is neither \.csv nor \.parquet"),
        ("p.parquet", b"PAR1 and no more", "cannot be read as parquet"),
        ("p.csv", b"", "cannot be read as CSV"),
        ("q.csv", b"\xff\xfe\x00a", "cannot be read as CSV"),
        ("r.csv", b"conversation,utterance,predicted\n", "has no rows"),
        ("s.csv", b"conversation,utterance\n1,2\n", "has no column predicted; it has conversation, utterance"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=said):
            read_predictions(tmp_path / name, meld, "meld", 0)
    with pytest.raises(DataError, match="has no column seed: name it by --seed"):
        read(tmp_path / "t.csv", predict(), meld, seed=None)


@pytest.mark.parametrize(
    "value", [{"a": 1.0}, [0.5, 0.5], b"\xff", pd.Timestamp("2026-01-01"), pd.Timedelta(1, "s"), None, "x"], ids=repr
)
@pytest.mark.parametrize("column", ["probability_0", "predicted", "conversation", "utterance", "seed", "label"])
def test_a_column_of_something_else_is_one_line(
    tmp_path: Path, meld: Conversations, predict: Predict, value: object, column: str
) -> None:
    frame = predict()
    frame[[f"probability_{i}" for i in range(7)]] = probabilities(len(frame))
    frame[column] = [value] * len(frame)
    with pytest.raises(DataError) as refused:
        read(tmp_path / "p.parquet", frame, meld, None if column == "seed" else 0)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_what_pandas_notes_of_a_table_is_not_believed(tmp_path: Path, meld: Conversations, predict: Predict) -> None:
    frame = predict().set_index(pd.Index(["row"] * len(predict())))
    path = tmp_path / "p.parquet"
    frame.to_parquet(path)
    assert read_predictions(path, meld, "meld", 0).predictions[0].predicted.tolist() == predict()["predicted"].tolist()
    frame.iloc[0, frame.columns.get_loc("predicted")] = 99
    frame.to_parquet(path)
    with pytest.raises(DataError, match="predicted is '99' in row 1;"):
        read_predictions(path, meld, "meld", 0)
