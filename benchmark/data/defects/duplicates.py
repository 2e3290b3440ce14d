"""Vectors that occur twice: across splits, which is leakage unless they repeat everywhere, and within a split."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.data.conversations import SPLITS, Conversations
from benchmark.data.defects.near import find_near
from benchmark.data.defects.numbering import ZERO, Ints
from benchmark.data.defects.pairing import Pairing, pair

PAIRS = (("dev", "train"), ("test", "train"), ("test", "dev"))


@dataclass(frozen=True)
class Copies:
    """Vectors of one split found in another one. All-zero and non-finite vectors are none, but for ``with_zeros``.

    Attributes:
        vectors: that could be copies.
        identical: bit for bit as float32 (0 and −0 alike) a vector of the other split.
        with_zeros: ``identical``, and the all-zero vectors where the other split has some.
        expected: as many would be identical if splits shared vectors as often as conversations of the other split do
            among themselves (short sentences and coarse statistics repeat; recordings do not).
        near: different vectors that are not identical to one of the other split, but within NEAR of one.
        near_expected: as ``expected``, of ``near``.
        pairing: the pattern of the identical.
    """

    vectors: int
    identical: int
    with_zeros: int
    expected: float
    near: int
    near_expected: float
    pairing: tuple[Pairing, ...]


@dataclass(frozen=True)
class Repeats:
    """Vectors of one split, not all-zero, that equal an earlier one of it; and those found in another conversation."""

    repeated: int
    in_other_conversations: int


def find_copies(conversations: Conversations, keys: Ints, rows: npt.NDArray[np.float32] | None) -> dict[str, Copies]:
    """Copies between each two splits, by "test in train" and the like.

    Args:
        conversations: of N utterances.
        keys: numbers of their vectors, [N].
        rows: the vectors [N, d], or None to leave out the near.
    """
    found = {}
    for shared in _compare(conversations, keys, rows):
        mine, theirs = (keys[_rows(conversations, split)] for split in (shared.here, shared.there))
        zeros = int((mine == ZERO).sum()) if (theirs == ZERO).any() else 0
        found[f"{shared.here} in {shared.there}"] = Copies(
            vectors=int((mine > ZERO).sum()),
            identical=len(shared.identical),
            with_zeros=len(shared.identical) + zeros,
            expected=shared.expected,
            near=len(shared.near),
            near_expected=shared.near_expected,
            pairing=pair(conversations, keys, shared.here, shared.there),
        )
    return found


def find_leaks(conversations: Conversations, keys: Ints, rows: npt.NDArray[np.float32] | None) -> Ints:
    """Rows of dev and test that an audit calls copies of an earlier split's: identical or near, beyond coincidence.

    Arguments are those of :func:`find_copies`.
    """
    leaks = [np.empty(0, np.int64)]
    for shared in _compare(conversations, keys, rows):
        if beyond_chance(len(shared.identical), shared.expected):
            leaks.append(shared.identical)
        if beyond_chance(len(shared.near), shared.near_expected):
            at = _rows(conversations, shared.here)
            leaks.append(at[np.isin(keys[at], keys[shared.near])])  # every vector that is the same as a near one
    return np.unique(np.concatenate(leaks))


def beyond_chance(count: int, expected: float) -> bool:
    """Whether splits share more than conversations of one split do: any at all where those share none."""
    return count > 1.5 * expected + 3 * math.sqrt(expected)


@dataclass(frozen=True)
class _Shared:
    """What a split has of another one: rows of ``here``, the near ones a row for each different vector; see Copies."""

    here: str
    there: str
    identical: Ints
    expected: float
    near: Ints
    near_expected: float


def _compare(conversations: Conversations, keys: Ints, rows: npt.NDArray[np.float32] | None) -> Iterator[_Shared]:
    at = {split: _rows(conversations, split) for split in SPLITS}
    owner = np.repeat(np.arange(len(conversations)), conversations.lengths)
    near = {} if rows is None else find_near(rows, keys, at, PAIRS)
    for here, there in PAIRS:
        if not (len(at[here]) and len(at[there])):
            continue
        mine, theirs = keys[at[here]], keys[at[there]]
        usable = mine > ZERO
        among = int(_in_other_conversations(theirs, owner[at[there]]).sum())
        yield _Shared(
            here,
            there,
            at[here][np.isin(mine, theirs) & usable],
            among * int(usable.sum()) / max(1, int((theirs > ZERO).sum())),
            *near.get((here, there), (np.empty(0, np.int64), 0.0)),
        )


def find_repeats(conversations: Conversations, keys: Ints) -> dict[str, Repeats]:
    """Repeated vectors within each split."""
    owner = np.repeat(np.arange(len(conversations)), conversations.lengths)
    found = {}
    for split in SPLITS:
        if len(at := _rows(conversations, split)):
            mine = keys[at][keys[at] > ZERO]
            others = int(_in_other_conversations(keys[at], owner[at]).sum())
            found[split] = Repeats(len(mine) - len(np.unique(mine)), others)
    return found


def _rows(conversations: Conversations, split: str) -> Ints:
    return conversations.rows([b for b, s in enumerate(conversations.split) if s == split])


def _in_other_conversations(keys: Ints, owner: Ints) -> npt.NDArray[np.bool_]:
    """Which vectors occur in a conversation besides their own."""
    pairs = np.unique(np.stack([keys, owner], axis=1), axis=0)
    number, owners = np.unique(pairs[:, 0], return_counts=True)
    return np.isin(keys, number[owners > 1]) & (keys > ZERO)
