"""What splits share by coincidence: against enumeration and the hypergeometric distribution."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import hypergeom

from benchmark.data import Conversations
from benchmark.data.defects.coincidence import DEALS, Occurrences
from benchmark.data.defects.duplicates import find_copies
from benchmark.data.defects.numbering import number_vectors
from tests.benchmark.data.defects.corpora import corpus, first_rows, leak_visual
from tests.benchmark.data.defects.resplits import dealt, leaks


def conversations(vectors: list[list[int]], split: list[str]) -> Conversations:
    """Conversations of vectors of one number each; equal numbers are equal vectors."""
    flat = np.concatenate(vectors).astype(np.float32)[:, None]
    zeros = np.zeros(len(flat), np.int64)
    offsets = np.cumsum([0, *map(len, vectors)])
    return Conversations(
        {"text": flat}, zeros, zeros, offsets, tuple(map(str, range(len(vectors)))), tuple(split), ("a", "b"), 1
    )


def occurrences(c: Conversations) -> Occurrences:
    return Occurrences(c, number_vectors(c.features["text"]))


def test_p_is_the_share_of_all_ways_to_deal_the_conversations_that_share_as_much() -> None:
    split = ["train", "train", "train", "test", "test", "dev"]
    c = conversations([[1, 2], [30, 9], [31, 8, 7], [1, 6], [2, 1], [5]], split)
    vectors = [c.features["text"][slice(*c.offsets[b : b + 2]), 0].tolist() for b in range(len(c))]

    def shared(way: Sequence[str]) -> int:
        known = {v for b, s in enumerate(way) if s == "train" for v in vectors[b]}
        return sum(v in known for b, s in enumerate(way) if s == "test" for v in vectors[b])

    exact = float(np.mean([shared(way) >= shared(split) for way in permutations(split)]))
    excess = occurrences(c).identical("test", "train")[1]
    assert excess.count == 3
    assert excess.p == pytest.approx(exact, abs=4 * np.sqrt(exact / DEALS))


def test_what_is_expected_is_the_training_conversations_rate_among_as_many_as_the_other_split_has() -> None:
    train = [[1, 10], [1, 11], [1, 12], [2, 13], [2, 14], [15, 16]]
    c = conversations([*train, [20, 1], [21, 22], [23, 24, 25]], ["train"] * 6 + ["dev"] * 2 + ["test"])
    chance = [hypergeom(5, others, 2).sf(0) for others in (2, 2, 2, 1, 1)]
    _, excess = occurrences(c).identical("test", "dev")
    assert excess.expected == pytest.approx(3 * sum(chance) / 12)
    assert (excess.count, excess.p) == (0, None)
    assert occurrences(c).identical("dev", "train")[1].expected == pytest.approx(4 * 5 / 12)


def test_one_near_pair_in_two_splits_is_no_leak(meld: Conversations) -> None:
    test, dev = (first_rows(meld, split, 1) for split in ("test", "dev"))
    x = meld.features["text"]
    x[test] = x[dev] * np.float32(1 + 1e-6)
    copies = find_copies(meld, number_vectors(x), x)["test in dev"]
    assert (copies.near, copies.near_expected, copies.near_leaks) == (1, 0, False)


def test_leak_free_conversations_dealt_out_at_random_are_seldom_called_leaking() -> None:
    """A sentence in twenty is said again somewhere, as are whole stretches; 5 % of 60 are 3."""
    rng = np.random.default_rng(0)
    vectors = [rng.integers(1, 4000, rng.integers(2, 15)).tolist() for _ in range(150)]
    for b in range(0, 40, 2):
        vectors[b + 1][: len(vectors[b])] = vectors[b][: len(vectors[b + 1])]
    c = conversations(vectors, ["train"] * 110 + ["dev"] * 15 + ["test"] * 25)
    assert sum(bool(leaks(one)) for one in dealt(c, 60)) <= 3


@pytest.mark.parametrize("seed", range(3))
def test_melds_published_pattern_is_always_called_a_leak(seed: int) -> None:
    damaged = corpus("meld", seed)
    leak_visual(damaged, seed + 1)
    assert {"visual: dev in train", "visual: test in train"} <= set(leaks(damaged))
