from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.conversations import Conversations
from benchmark.training.batches import Batch, PackedData, Standardizer


def numbered(lengths: list[int]) -> Conversations:
    """Conversations whose text feature is the row's number, twice."""
    n = sum(lengths)
    return Conversations(
        features={"text": np.repeat(np.arange(n, dtype=np.float32)[:, None], 2, axis=1)},
        label=np.arange(n) % 3,
        speaker=np.arange(n) % 2,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        ids=tuple(map(str, range(len(lengths)))),
        split=("train",) * len(lengths),
        class_names=("x", "y", "z"),
        speakers=2,
    )


def members(batch: Batch, data: Conversations) -> list[int]:
    """Which conversations a batch holds, in its order."""
    first_rows = batch.features["text"][torch.cumsum(batch.lengths, 0) - batch.lengths, 0]
    return [data.offsets.tolist().index(int(row)) for row in first_rows]


shapes = st.lists(st.integers(1, 5), min_size=1, max_size=9)


@given(shapes, st.data())
def test_a_batch_is_its_conversations_end_to_end(lengths: list[int], draw: st.DataObject) -> None:
    data = numbered(lengths)
    chosen = draw.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=6))
    batch = PackedData(data, "cpu").batch(chosen)

    rows = [row for b in chosen for row in range(data.offsets[b], data.offsets[b + 1])]
    assert batch.features["text"].tolist() == [[row, row] for row in rows]
    assert batch.speakers.tolist() == [row % 2 for row in rows]
    assert batch.label is not None
    assert batch.label.tolist() == [row % 3 for row in rows]
    assert batch.lengths.tolist() == [lengths[b] for b in chosen]
    assert batch.lengths.device.type == "cpu"


@given(shapes, st.integers(1, 10), st.integers(0, 99), st.integers(1, 99))
def test_an_epoch_has_every_conversation_once(lengths: list[int], size: int, seed: int, epoch: int) -> None:
    data = numbered(lengths)
    batches = [members(b, data) for b in PackedData(data, "cpu").epoch(size, seed, epoch)]

    assert sorted(chain.from_iterable(batches)) == list(range(len(lengths)))
    assert {len(b) for b in batches[:-1]} <= {size}
    assert 1 <= len(batches[-1]) <= size


@given(shapes, st.integers(1, 10))
def test_in_order_nothing_is_shuffled(lengths: list[int], size: int) -> None:
    data = numbered(lengths)
    batches = list(PackedData(data, "cpu").in_order(size))

    assert torch.cat([b.features["text"] for b in batches]).numpy().tolist() == data.features["text"].tolist()
    assert [c for b in batches for c in members(b, data)] == list(range(len(lengths)))
    assert {len(b.lengths) for b in batches[:-1]} <= {size}
    assert 1 <= len(batches[-1].lengths) <= size


def order(seed: int, epoch: int, size: int = 4, twice: bool = False) -> list[int]:
    data = numbered([1] * 12)
    packed = PackedData(data, "cpu")
    if twice:
        list(packed.epoch(size, 5, 5))
    return [c for b in packed.epoch(size, seed, epoch) for c in members(b, data)]


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    first = order(0, 1)
    torch.rand(3)
    np.random.default_rng().random()

    assert order(0, 1) == first
    assert order(0, 1, twice=True) == first
    assert order(0, 1, size=5) == first
    orders = [first, order(1, 1), order(0, 2), order(1, 2), list(range(12))]
    assert len(set(map(tuple, orders))) == 5


def test_without_labels_a_batch_has_none() -> None:
    assert PackedData(numbered([2, 1]).without_labels(), "cpu").batch([1]).label is None


def standardised(data: Conversations, by: Conversations) -> dict[str, npt.NDArray[np.float32]]:
    batch = PackedData(data, "cpu", Standardizer.fit(by)).batch(range(len(data)))
    return {m: x.numpy() for m, x in batch.features.items()}


def test_neither_a_split_nor_standardising_copies_the_features(corpus: Conversations) -> None:
    shared = replace(corpus, features={m: x.copy() for m, x in corpus.features.items()})
    for x in shared.features.values():
        x.flags.writeable = False  # as in Ray's object store
    train = shared.where("train")
    before = {m: x.copy() for m, x in train.features.items()}
    packed = PackedData(train, "cpu", Standardizer.fit(train))
    list(packed.epoch(3, 0, 1))
    for m, x in train.features.items():
        assert np.shares_memory(x, shared.features[m])
        assert packed._features[m].data_ptr() == x.ctypes.data
        np.testing.assert_array_equal(x, before[m])


def test_standardising_batches_or_all_at_once_are_the_same_bits(corpus: Conversations) -> None:
    standardizer = Standardizer.fit(corpus)
    batches = list(PackedData(corpus, "cpu", standardizer).in_order(3))
    for m, x in corpus.features.items():
        whole = (x - standardizer.mean[m]) * standardizer.scale[m]
        np.testing.assert_array_equal(torch.cat([batch.features[m] for batch in batches]).numpy(), whole)


def test_standardizing_is_what_numpy_says(corpus: Conversations) -> None:
    train = corpus.where("train")
    standardized = standardised(train, by=train)

    for m, x in train.features.items():
        expected = (x - x.mean(0)) / x.std(0)
        assert standardized[m].dtype == np.float32
        np.testing.assert_allclose(standardized[m], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(standardized[m].mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(standardized[m].std(0), 1, atol=1e-5)


def test_other_data_are_shifted_and_scaled_as_the_training_data_were(corpus: Conversations) -> None:
    train, test = corpus.where("train"), corpus.where("test")
    standardized = standardised(test, by=train)

    for m, x in test.features.items():
        expected = (x - train.features[m].mean(0)) / train.features[m].std(0)
        np.testing.assert_allclose(standardized[m], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("constant", [0.0, 0.1, -3.7, 1e6 + 0.3, -1e9, 1e-12, 1e30])
@pytest.mark.parametrize("n", [1, 7, 4001])
def test_a_constant_feature_becomes_zero_there_and_elsewhere(constant: float, n: int) -> None:
    train = numbered([n])
    train.features["text"][:, 0] = constant
    elsewhere = numbered([3])
    elsewhere.features["text"][:, 0] = np.float32(constant) * 2 + 1
    assert not standardised(train, by=train)["text"][:, 0].any()
    assert not standardised(elsewhere, by=train)["text"][:, 0].any()


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e9])
def test_the_unit_of_a_feature_does_not_matter(scale: float) -> None:
    data, other = numbered([50]), numbered([50])
    other.features["text"][:] *= np.float32(scale)

    a, b = (standardised(d, by=d)["text"] for d in (data, other))
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_large_numbers_do_not_lose_their_spread() -> None:
    data = numbered([50])
    data.features["text"][:, 0] += 1e5

    np.testing.assert_allclose(standardised(data, by=data)["text"].std(0), 1, atol=1e-3)


def test_validation_and_test_data_do_not_move_the_standardizer(
    corpus: Conversations, make_trainer: Callable[..., object]
) -> None:
    elsewhere = Conversations(**{**vars(corpus), "features": {m: x.copy() for m, x in corpus.features.items()}})
    held_out = [b for b, name in enumerate(corpus.ids) if name.startswith(("Ses01", "Ses05"))]  # seed 0: session 1
    for x in elsewhere.features.values():
        x[corpus.rows(held_out)] = 1e3

    a, b = make_trainer(seed=0), make_trainer(seed=0, data=elsewhere)
    for m in corpus.features:
        assert torch.equal(a.train_data._features[m], b.train_data._features[m])
        assert not torch.equal(a.validation_data._features[m], b.validation_data._features[m])
