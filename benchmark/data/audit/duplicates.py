"""Vectors that occur twice: across splits (leakage), in which pattern, within a split, and nearly."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from benchmark.data.audit.vectors import finite_rows, spread, zero_rows
from benchmark.data.conversations import Conversations

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

ZERO, NON_FINITE = 0, -1
NEAR = (
    1e-3  # of a feature's sd, root mean square over features: float16 rounding and float noise, not another utterance
)
_PROJECTED = 16  # dimensions in which neighbours are looked for
_BLOCK = 1024  # rows in float64 at a time

PAIRS = (("dev", "train"), ("test", "train"), ("test", "dev"))


@dataclass(frozen=True)
class Pairing:
    """Vectors identical to one of the conversation with the same number in the other split.

    Attributes:
        numbered_by: ``id``, counted from the split's smallest, or ``position``, the rank of the conversation in it.
        same_conversation: identical to any vector of that conversation.
        same_utterance: identical to the one at the same place in it.
        with_zeros: ``same_conversation``, all-zero vectors counted too.
    """

    numbered_by: str
    same_conversation: int
    same_utterance: int
    with_zeros: int


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


def number_vectors(rows: Floats) -> Ints:
    """A number for each of the vectors [N, d], the same for identical ones: ZERO, NON_FINITE, or from 1 on, [N]."""
    numbers: dict[bytes, int] = {}
    keys = np.empty(len(rows), np.int64)
    for i, row in enumerate(rows):
        digest = hashlib.blake2b((row + np.float32(0)).tobytes(), digest_size=16).digest()  # + 0: −0 becomes 0
        keys[i] = numbers.setdefault(digest, len(numbers) + 1)
    keys[zero_rows(rows)] = ZERO
    keys[~finite_rows(rows)] = NON_FINITE
    return keys


def number_utterances(keys: Mapping[str, Ints]) -> Ints:
    """A number for each utterance from those of its vectors: the same where all modalities are identical, [N]."""
    stacked = np.stack(list(keys.values()), axis=1)
    combined: Ints = 1 + np.unique(stacked, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    combined[(stacked == ZERO).all(axis=1)] = ZERO
    combined[(stacked == NON_FINITE).any(axis=1)] = NON_FINITE
    return combined


def find_copies(conversations: Conversations, keys: Ints, rows: Floats | None) -> dict[str, Copies]:
    """Copies between each two splits, by "test in train" and the like.

    Args:
        conversations: of N utterances.
        keys: numbers of their vectors, [N].
        rows: the vectors [N, d], or None to leave out the near.
    """
    at = {split: _rows(conversations, split) for split in ("train", "dev", "test")}
    owner = np.repeat(np.arange(len(conversations)), conversations.lengths)
    near = {} if rows is None else _near(rows, keys, at)
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
            pairing=tuple(_pairing(conversations, keys, here, there, by) for by in _numberings(conversations)),
        )
    return found


def find_repeats(conversations: Conversations, keys: Ints) -> dict[str, Repeats]:
    """Repeated vectors within each split."""
    owner = np.repeat(np.arange(len(conversations)), conversations.lengths)
    found = {}
    for split in ("train", "dev", "test"):
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


def _numberings(conversations: Conversations) -> list[str]:
    numbered = all(name.isdecimal() and len(name) < 16 for name in conversations.ids)
    return ["id", "position"] if numbered else ["position"]


def _pairing(conversations: Conversations, keys: Ints, here: str, there: str, by: str) -> Pairing:
    def numbered(split: str) -> dict[int, int]:
        members = [b for b, s in enumerate(conversations.split) if s == split]
        if by == "position":
            return dict(enumerate(members))
        ids = [int(conversations.ids[b]) for b in members]
        return {number - min(ids): b for number, b in zip(ids, members, strict=True)}

    same = place = zeros = 0
    others = numbered(there)
    for number, b in numbered(here).items():
        if (a := others.get(number)) is None:
            continue
        mine, theirs = (keys[slice(*conversations.offsets[c : c + 2])] for c in (b, a))
        found, size = np.isin(mine, theirs), min(len(mine), len(theirs))
        same += int((found & (mine > ZERO)).sum())
        zeros += int((found & (mine >= ZERO)).sum())
        place += int(((mine[:size] == theirs[:size]) & (mine[:size] > ZERO)).sum())
    return Pairing(by, same, place, zeros)


def _near(rows: Floats, keys: Ints, at: Mapping[str, Ints]) -> dict[tuple[str, str], tuple[int, float]]:
    """Per pair of splits: different vectors with a near one in the other split, and how many are expected.

    Vectors, in units of their features' sd, are brought to 16 dimensions by an orthonormal map, which lengthens no
    distance: what is near stays near. The nearest neighbour found there is then measured in full. (A near one behind a
    nearer that is none would be missed: with radii this small that takes vectors which hardly differ in 16 directions.)
    """
    distinct = {split: i[np.unique(keys[i], return_index=True)[1]] for split, i in at.items()}
    distinct = {split: i[keys[i] > ZERO] for split, i in distinct.items()}
    base = distinct["train"] if len(distinct["train"]) else np.concatenate(list(distinct.values()))
    if not len(base):
        return {}
    _, sd, varies = spread(rows[base])
    unit = np.where(varies, sd, sd.max() or 1.0)
    width = rows.shape[1]
    mixed = np.linalg.qr(np.random.default_rng(0).standard_normal((width, min(width, _PROJECTED))))[0] / unit[:, None]
    radius = NEAR * float(np.sqrt(width))

    def project(i: Ints) -> npt.NDArray[np.float64]:
        blocks = [rows[i[k : k + _BLOCK]].astype(np.float64) @ mixed for k in range(0, len(i), _BLOCK)]
        return np.concatenate(blocks) if blocks else np.empty((0, mixed.shape[1]))

    def neighbours(i: Ints, there: str, rank: int) -> int:
        """How many of the vectors i have, as their neighbour of that rank in a split, a near one."""
        j = distinct[there]
        index = np.asarray(trees[there].query(project(i), k=[rank], distance_upper_bound=radius * (1 + 1e-6))[1])[:, 0]
        candidates = np.flatnonzero(index < len(j))
        gaps = (np.sqrt((((rows[i[c]].astype(np.float64) - rows[j[index[c]]]) / unit) ** 2).sum()) for c in candidates)
        return sum(bool(gap <= radius) for gap in gaps)

    found = {}
    trees = {split: KDTree(project(i)) for split, i in distinct.items() if len(i)}
    for here, there in PAIRS:
        mine, theirs = distinct[here], distinct[there]
        if not (len(mine) and len(theirs)):
            continue
        new = mine[~np.isin(keys[mine], keys[theirs])]
        near = neighbours(new, there, rank=1)
        # The nearest of a vector of the same split is itself, the second another one.
        among = neighbours(theirs, there, rank=2)
        found[here, there] = (near, among * len(new) / len(theirs))
    return found
