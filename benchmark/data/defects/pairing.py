"""Which conversation a copied vector comes from: files that were joined by number leave a pattern."""

from dataclasses import dataclass

import numpy as np

from benchmark.data.conversations import Conversations
from benchmark.data.defects.numbering import ZERO, Ints


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


def pair(conversations: Conversations, keys: Ints, here: str, other: str) -> tuple[Pairing, ...]:
    """The pattern of the copies of split ``other`` in ``here``; ``keys`` numbers vectors or utterances, [N]."""
    numbered = all(name.isdecimal() and len(name) < 16 for name in conversations.ids)
    numberings = ("id", "position") if numbered else ("position",)
    return tuple(_pair(conversations, keys, here, other, by) for by in numberings)


def _pair(conversations: Conversations, keys: Ints, here: str, other: str, by: str) -> Pairing:
    def numbered(split: str) -> dict[int, int]:
        members = [b for b, s in enumerate(conversations.split) if s == split]
        if by == "position":
            return dict(enumerate(members))
        ids = [int(conversations.ids[b]) for b in members]
        return {number - min(ids): b for number, b in zip(ids, members, strict=True)}

    same = place = zeros = 0
    others = numbered(other)
    for number, b in numbered(here).items():
        if (a := others.get(number)) is None:
            continue
        mine, theirs = (keys[slice(*conversations.offsets[c : c + 2])] for c in (b, a))
        copied, size = np.isin(mine, theirs), min(len(mine), len(theirs))
        same += int((copied & (mine > ZERO)).sum())
        zeros += int((copied & (mine >= ZERO)).sum())
        place += int(((mine[:size] == theirs[:size]) & (mine[:size] > ZERO)).sum())
    return Pairing(by, same, place, zeros)
