"""Vectors that occur twice: across splits, which is leakage unless they repeat everywhere, and within a split."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.data.audit.near import count_near
from benchmark.data.audit.numbering import ZERO, Ints
from benchmark.data.audit.pairing import Pairing, pair
from benchmark.data.conversations import SPLITS, Conversations

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
    at = {split: _rows(conversations, split) for split in SPLITS}
    owner = np.repeat(np.arange(len(conversations)), conversations.lengths)
    near = {} if rows is None else count_near(rows, keys, at, PAIRS)
    found = {}
    for here, there in PAIRS:
        if not (len(at[here]) and len(at[there])):
            continue
        mine, theirs = keys[at[here]], keys[at[there]]
        usable = mine > ZERO
        identical = np.isin(mine, theirs) & usable
        shared = int(_in_other_conversations(theirs, owner[at[there]]).sum())
        zeros = int((mine == ZERO).sum()) if (theirs == ZERO).any() else 0
        count, expected = near.get((here, there), (0, 0.0))
        found[f"{here} in {there}"] = Copies(
            vectors=int(usable.sum()),
            identical=int(identical.sum()),
            with_zeros=int(identical.sum()) + zeros,
            expected=shared * int(usable.sum()) / max(1, int((theirs > ZERO).sum())),
            near=count,
            near_expected=expected,
            pairing=pair(conversations, keys, here, there),
        )
    return found


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
