import numpy as np
import pytest

from benchmark.base.errors import DataError
from benchmark.data import simulate
from benchmark.data.conversations import Conversations
from benchmark.data.corpora import SIMULATED, shape
from benchmark.data.splits import split


def make(conversations: dict[str, str]) -> Conversations:
    """One-utterance conversations, ``{name: split}``; the feature of a row is its number."""
    n = len(conversations)
    return Conversations(
        features={"text": np.arange(n, dtype=np.float32)[:, None]},
        label=np.arange(n) % 2,
        speaker=np.zeros(n, np.int64),
        offsets=np.arange(n + 1),
        ids=tuple(conversations),
        split=tuple(conversations.values()),
        class_names=("x", "y"),
        speakers=1,
    )


@pytest.fixture
def four_sessions() -> Conversations:
    """Sessions 2, 4, 1, 3 of training in mixed order, and session 5 for the test."""
    train = {f"Ses0{s}{g}_{kind}0{i}": "train" for i in range(2) for s in (2, 4, 1, 3) for g, kind in ("Fi", "Ms")}
    return make(train | {"Ses05F_impro01": "test", "Ses05M_script01": "test"})


@pytest.mark.parametrize("seed", range(9))
def test_the_session_held_out_is_the_seed_modulo_four(seed: int, four_sessions: Conversations) -> None:
    parts = split(four_sessions, seed)

    assert {name[:5] for name in parts.validation.ids} == {f"Ses0{seed % 4 + 1}"}
    assert {name[:5] for name in parts.train.ids} == {f"Ses0{s}" for s in range(1, 5) if s != seed % 4 + 1}
    assert {name[:5] for name in parts.test.ids} == {"Ses05"}
    assert parts.turns == 4


@pytest.mark.parametrize("seed", range(4))
def test_every_training_conversation_is_in_exactly_one_part_in_order(seed: int, four_sessions: Conversations) -> None:
    parts = split(four_sessions, seed)
    train = four_sessions.where("train").ids

    assert set(parts.train.ids) | set(parts.validation.ids) == set(train)
    assert len(parts.train) + len(parts.validation) == len(train)
    for part in (parts.train, parts.validation):
        assert list(part.ids) == sorted(part.ids, key=train.index)
        assert part.label is not None
        rows = [four_sessions.ids.index(name) for name in part.ids]
        assert part.features["text"][:, 0].tolist() == rows
        assert part.label.tolist() == [r % 2 for r in rows]


def test_sessions_are_told_apart_by_their_whole_number() -> None:
    data = make({f"Ses{n}_a": "train" for n in (1, 10, 11, 2)} | {"t": "test"})

    held_out = [split(data, seed).validation.ids for seed in range(4)]
    assert held_out == [("Ses1_a",), ("Ses10_a",), ("Ses11_a",), ("Ses2_a",)]


def test_an_official_dev_set_is_the_validation_whatever_the_seed() -> None:
    data = make({"Ses01_a": "train", "d": "dev", "Ses02_a": "train", "t": "test", "e": "dev"})

    for seed in range(5):
        parts = split(data, seed)
        assert parts.validation.ids == ("d", "e")
        assert parts.train.ids == ("Ses01_a", "Ses02_a")
        assert parts.test.ids == ("t",)


def test_without_holding_out_all_but_the_test_set_is_trained_on_in_order(four_sessions: Conversations) -> None:
    with_dev = make({"a": "train", "d": "dev", "b": "train", "t": "test", "e": "dev"})
    without_sessions = make({"a": "train", "t": "test"})

    for data in (with_dev, without_sessions, four_sessions):
        for seed in (0, 1):
            parts = split(data, seed, hold_out=False)
            assert parts.validation is None
            kept = [name for name, part in zip(data.ids, data.split, strict=True) if part != "test"]
            assert list(parts.train.ids) == kept
            assert parts.test.ids == data.where("test").ids
            assert parts.test.label is None


@pytest.mark.parametrize("conversations", [{"t": "test"}, {"a": "train", "d": "dev"}])
def test_without_holding_out_a_run_still_needs_both(conversations: dict[str, str]) -> None:
    with pytest.raises(DataError, match="a run needs some of each"):
        split(make(conversations), 0, hold_out=False)


def test_test_conversations_have_no_labels(four_sessions: Conversations) -> None:
    parts = split(four_sessions, 0)

    assert parts.test.label is None
    assert parts.train.label is not None
    assert parts.validation.label is not None


@pytest.mark.parametrize("name", SIMULATED)
def test_simulated_corpora_split_as_the_real_ones_do(name: str) -> None:
    corpus = simulate(name)
    for seed in (0, 3):
        parts = split(corpus, seed)
        sizes = [len(p) for p in (parts.train, parts.validation, parts.test)]
        if shape(name) == "meld":
            assert sizes == ([1038, 114, 280] if name.endswith("-hard") else [519, 57, 140])
        else:
            assert sizes == [90, 30, 31]
            assert {i[:5] for i in parts.validation.ids} == {f"Ses0{seed + 1}"}


@pytest.mark.parametrize(
    "conversations",
    [
        {"a": "train", "b": "train", "t": "test"},
        {"Ses01_a": "train", "Ses02_b": "train", "c": "train", "t": "test"},
        {"Ses01_a": "train", "Ses01_b": "train", "t": "test"},
        {"t": "test"},
    ],
)
def test_with_nothing_to_hold_out_the_error_says_what_to_do(conversations: dict[str, str]) -> None:
    with pytest.raises(DataError, match="no dev conversations and no sessions to hold one out: add a dev split") as e:
        split(make(conversations), 0)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("conversations", "said"),
    [
        ({"d": "dev", "t": "test"}, "0 training and 1 test conversations"),
        ({"a": "train", "d": "dev"}, "1 training and 0 test conversations"),
        ({"Ses01_a": "train", "Ses02_a": "train"}, "1 training and 0 test conversations"),
    ],
)
def test_nothing_to_train_or_to_test_on_is_an_error(conversations: dict[str, str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        split(make(conversations), 0)
