"""Vectors that occur twice: across splits, which is leakage unless they repeat everywhere, and within a split."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.data.conversations import SPLITS, Conversations
from benchmark.data.defects.coincidence import Excess, Occurrences
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
        expected: as many would be identical if splits shared vectors as often as the training conversations, or those
            of the other split where they do more often, share them among themselves.
        near: different vectors that are not identical to one of the other split, but within NEAR of one.
        near_expected: as ``expected``, of ``near``.
        pairing: the pattern of the identical.
        p, near_p: of the test that there are no more than by coincidence (:class:`.coincidence.Excess`).
    """

    vectors: int
    identical: int
    with_zeros: int
    expected: float
    near: int
    near_expected: float
    pairing: tuple[Pairing, ...]
    p: float | None = None
    near_p: float | None = None

    @property
    def leaks(self) -> bool:
        """Whether more are identical than coincidence explains."""
        return Excess(self.identical, self.expected, self.p).beyond_chance

    @property
    def near_leaks(self) -> bool:
        """Whether more are near than coincidence explains."""
        return Excess(self.near, self.near_expected, self.near_p).beyond_chance


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
    copies = {}
    for shared in _compare(conversations, keys, rows):
        mine, theirs = (keys[_rows(conversations, split)] for split in (shared.here, shared.other))
        zeros = int((mine == ZERO).sum()) if (theirs == ZERO).any() else 0
        copies[f"{shared.here} in {shared.other}"] = Copies(
            vectors=int((mine > ZERO).sum()),
            identical=shared.identical.count,
            with_zeros=shared.identical.count + zeros,
            expected=shared.identical.expected,
            near=shared.near.count,
            near_expected=shared.near.expected,
            pairing=pair(conversations, keys, shared.here, shared.other),
            p=shared.identical.p,
            near_p=shared.near.p,
        )
    return copies


def find_leaks(conversations: Conversations, keys: Ints, rows: npt.NDArray[np.float32] | None) -> Ints:
    """Rows of dev and test that an audit calls copies of an earlier split's: identical or near, beyond coincidence.

    Arguments are those of :func:`find_copies`.
    """
    leaks = [np.empty(0, np.int64)]
    for shared in _compare(conversations, keys, rows):
        if shared.identical.beyond_chance:
            leaks.append(shared.identical_rows)
        if shared.near.beyond_chance:
            leaks.append(shared.near_rows)
    return np.unique(np.concatenate(leaks))


@dataclass(frozen=True, eq=False)
class _Shared:
    """What a split has of another one, and in which rows of ``here``; see :class:`Copies`."""

    here: str
    other: str
    identical: Excess
    identical_rows: Ints
    near: Excess
    near_rows: Ints


def _compare(conversations: Conversations, keys: Ints, rows: npt.NDArray[np.float32] | None) -> Iterator[_Shared]:
    at = {split: _rows(conversations, split) for split in SPLITS}
    occurrences = Occurrences(conversations, keys)
    neighbours = None
    if rows is not None:
        different = occurrences.first
        of_train = at["train"][np.unique(keys[at["train"]], return_index=True)[1]]
        of_train = of_train[keys[of_train] > ZERO]
        neighbours = find_near(rows, different, of_train if len(of_train) else different)
    for here, other in PAIRS:
        if not (len(at[here]) and len(at[other])):
            continue
        usable = at[here][keys[at[here]] > ZERO]
        vectors = occurrences.index[usable]
        which, identical = occurrences.identical(here, other)
        which_near, near = np.zeros(len(which), np.bool_), Excess(0, 0.0, None)
        if neighbours is not None:
            which_near, near = occurrences.near(neighbours, here, other)
        yield _Shared(here, other, identical, usable[which[vectors]], near, usable[which_near[vectors]])


def find_repeats(conversations: Conversations, keys: Ints) -> dict[str, Repeats]:
    """Repeated vectors within each split."""
    owner = np.repeat(np.arange(len(conversations)), conversations.lengths)
    repeats = {}
    for split in SPLITS:
        if len(at := _rows(conversations, split)):
            mine = keys[at][keys[at] > ZERO]
            others = int(_in_other_conversations(keys[at], owner[at]).sum())
            repeats[split] = Repeats(len(mine) - len(np.unique(mine)), others)
    return repeats


def _rows(conversations: Conversations, split: str) -> Ints:
    return conversations.rows([b for b, s in enumerate(conversations.split) if s == split])


def _in_other_conversations(keys: Ints, owner: Ints) -> npt.NDArray[np.bool_]:
    """Which vectors occur in a conversation besides their own."""
    pairs = np.unique(np.stack([keys, owner], axis=1), axis=0)
    number, owners = np.unique(pairs[:, 0], return_counts=True)
    return np.isin(keys, number[owners > 1]) & (keys > ZERO)
