from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.conversations import SPLITS, Conversations


def make(lengths: list[int], splits: list[str] | None = None) -> Conversations:
    """Conversations in which every value of a row tells its row."""
    n = sum(lengths)
    return Conversations(
        features={"text": np.arange(2 * n, dtype=np.float32).reshape(n, 2), "visual": -np.ones((n, 1), np.float32)},
        label=np.arange(n) % 3,
        speaker=np.arange(n) % 2,
        offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        ids=tuple(f"c{b}" for b in range(len(lengths))),
        split=tuple(splits or ["train"] * len(lengths)),
        class_names=("x", "y", "z"),
        speakers=5,
    )


@st.composite
def selections(draw: st.DrawFn) -> tuple[Conversations, list[int]]:
    lengths = draw(st.lists(st.integers(0, 5), min_size=1, max_size=6))
    return make(lengths), draw(st.lists(st.integers(0, len(lengths) - 1), max_size=8))


@given(selections())
def test_rows_and_select_are_what_plain_loops_give(drawn: tuple[Conversations, list[int]]) -> None:
    whole, chosen = drawn
    rows = [r for b in chosen for r in range(whole.offsets[b], whole.offsets[b + 1])]

    assert whole.rows(chosen).tolist() == whole.rows(np.array(chosen, np.int64)).tolist() == rows
    part = whole.select(chosen)
    assert {m: x.tolist() for m, x in part.features.items()} == {
        m: [x[r].tolist() for r in rows] for m, x in whole.features.items()
    }
    assert whole.label is not None
    assert part.label is not None
    assert part.label.tolist() == [whole.label[r] for r in rows]
    assert part.speaker.tolist() == [whole.speaker[r] for r in rows]
    assert part.lengths.tolist() == [whole.lengths[b] for b in chosen]
    assert part.ids == tuple(f"c{b}" for b in chosen)
    assert (len(part), part.utterances) == (len(chosen), len(rows))
    assert (part.class_names, part.speakers) == (whole.class_names, 5)


@given(selections())
def test_selecting_keeps_the_types_of_arrays(drawn: tuple[Conversations, list[int]]) -> None:
    part = drawn[0].select(drawn[1])

    assert part.label is not None
    assert {x.dtype for x in part.features.values()} == {np.dtype(np.float32)}
    assert {part.label.dtype, part.speaker.dtype, part.offsets.dtype} == {np.dtype(np.int64)}
    assert part.offsets[0] == 0


@given(st.lists(st.sampled_from(SPLITS), min_size=1, max_size=8), st.sampled_from(SPLITS))
def test_where_keeps_the_conversations_of_one_split_in_order(splits: list[str], wanted: str) -> None:
    lengths = [1 + b % 3 for b in range(len(splits))]
    part = make(lengths, splits).where(wanted)

    assert part.ids == tuple(f"c{b}" for b, s in enumerate(splits) if s == wanted)
    assert set(part.split) <= {wanted}
    assert part.lengths.tolist() == [n for n, s in zip(lengths, splits, strict=True) if s == wanted]


def test_selecting_all_is_the_same_and_selecting_a_selection_goes_on_from_it() -> None:
    whole = make([2, 3, 1])

    same = whole.select(range(3))
    assert same.features["text"].tolist() == whole.features["text"].tolist()
    assert same.offsets.tolist() == whole.offsets.tolist()
    assert whole.select([2, 0]).select([1]).features["text"].tolist() == whole.select([0]).features["text"].tolist()


@pytest.mark.parametrize(("chosen", "shared"), [([0], True), ([1, 2], True), ([0, 2], False), ([1, 0], False)])
def test_a_selection_of_neighbours_is_no_copy(chosen: list[int], shared: bool) -> None:
    whole = make([2, 3, 1])
    part = whole.select(chosen)

    assert np.shares_memory(part.features["text"], whole.features["text"]) == shared
    assert part.features["text"].tolist() == whole.features["text"][whole.rows(chosen)].tolist()
    assert part.speaker.tolist() == whole.speaker[whole.rows(chosen)].tolist()


def test_without_labels_there_are_none_and_nothing_else_changes() -> None:
    whole = make([2, 3, 1])
    blind = whole.without_labels()

    assert blind.label is None
    assert blind.select([1]).label is None
    assert blind.where("train").label is None
    assert blind.features is whole.features
    assert whole.label is not None


def test_a_conversation_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(IndexError):
        make([2, 3]).select([2])


def test_conversations_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        make([1]).label = None  # type: ignore[misc]
