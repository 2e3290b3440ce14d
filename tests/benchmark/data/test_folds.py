"""Every session is the test set once and the validation set once, and no conversation is in two parts."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from benchmark.base.errors import DataError
from benchmark.data import simulate
from benchmark.data.conversations import Conversations
from benchmark.data.datasets import dataset
from benchmark.data.folds import Fold, folds
from benchmark.data.splits import split
from tests.benchmark.data.own_corpora import corpus, in_sessions


@pytest.fixture(scope="module")
def five() -> Conversations:
    return in_sessions(corpus(3, 2), 5)


def check_turns(data: Conversations, count: int) -> None:
    tested, validated = [], []
    turns = list(folds(data, "mine"))
    assert [fold.test for fold in turns] == sorted(set(data.sessions))
    for fold in turns:
        for seed in (0, 3):
            parts = split(fold.split(data), seed)
            assert parts.validation is not None
            assert {*parts.test.sessions} == {fold.test}
            assert {*parts.validation.sessions} == {fold.validation}
            assert {*parts.train.sessions} == {*fold.sessions} - {fold.test, fold.validation}
            assert len(parts.train) + len(parts.validation) + len(parts.test) == len(data)
            assert parts.test.label is None
            assert parts.turns == 0
        tested += parts.test.ids
        validated += parts.validation.ids
    assert len(turns) == count
    assert sorted(tested) == sorted(validated) == sorted(data.ids)


def test_every_conversation_is_tested_on_once_and_validated_on_once_whatever_the_official_split(
    five: Conversations,
) -> None:
    check_turns(five, 5)
    check_turns(in_sessions(corpus(2, 1), 3, test=2), 3)


def test_the_simulated_corpus_has_five() -> None:
    check_turns(simulate("iemocap-sim"), 5)


@pytest.mark.real_data
def test_iemocap_has_five_whose_test_sets_are_all_of_it(real_data: Path) -> None:
    data = dataset("iemocap", real_data).load()
    check_turns(data, 5)
    sizes = [fold.split(data).where("test").utterances for fold in folds(data, "iemocap")]
    assert sum(sizes) == 7433
    assert sizes[4] == 1623  # the published test set


def test_a_corpus_without_sessions_is_refused_with_a_remedy(five: Conversations) -> None:
    with pytest.raises(
        DataError, match=r"meld has no sessions .*40 of its 40 conversations \(such as 'd0'\).*leave out"
    ):
        list(folds(corpus(2, 1), "meld"))
    some = Conversations(**{**vars(five), "ids": ("x1", *five.ids[1:])})
    with pytest.raises(DataError, match=r"1 of its 40 conversations \(such as 'x1'\)"):
        list(folds(some, "mine"))


def test_two_sessions_are_too_few() -> None:
    with pytest.raises(DataError, match=r"mine has 2 sessions? .*--protocol sessions needs 3"):
        list(folds(in_sessions(corpus(2, 1), 2), "mine"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"validation": "c"}, "after a the session b validates, got c"),
        ({"test": "x"}, "the test session must be one of a, b, c, got x"),
        ({"sessions": ("b", "a", "c")}, "sorted, each once"),
        ({"sessions": ("a", "b")}, "3 or more"),
    ],
)
def test_a_fold_that_is_no_turn_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Fold(**{"test": "a", "validation": "b", "sessions": ("a", "b", "c")} | fields)  # type: ignore[arg-type]
