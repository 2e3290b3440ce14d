"""Named remedies for what an audit calls a defect: they act where it finds one and nowhere else.

A remedy says what it changed and is never applied unasked. It is part of a run's inputs, of its key, and of its data's
fingerprint.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmark.data.conversations import SPLITS, Conversations

Ints = npt.NDArray[np.int64]
RemedyName = Literal["zero-non-finite", "drop-copied-conversations", "zero-leaked"]

REMEDIES: dict[RemedyName, str] = {
    "zero-non-finite": "NaN and Inf become 0",
    "drop-copied-conversations": "dev and test conversations that are an earlier split's are left out",
    "zero-leaked": "dev and test vectors that are copies of an earlier split's become all-zero",
}
"""What each does, in the order in which they are applied."""


@dataclass(frozen=True)
class Change:
    """What one remedy did.

    Attributes:
        remedy: its name.
        what: what it does.
        counts: how much it changed, by what was counted, as "test visual vectors"; empty where there was no defect.
    """

    remedy: RemedyName
    what: str
    counts: dict[str, int]

    def __str__(self) -> str:
        """What was changed and how often, as people read it."""
        return ", ".join(f"{count} {what}" for what, count in self.counts.items()) or "nothing"


@dataclass(frozen=True, eq=False)
class Remedied:
    """Conversations after remedies, a :class:`Change` for each, and which rows of the original are left, [N]."""

    conversations: Conversations
    rows: Ints
    changes: tuple[Change, ...]


@np.errstate(invalid="ignore")  # a signalling NaN is compared like any other
def remedied(conversations: Conversations, names: Collection[RemedyName]) -> Remedied:
    """Apply remedies until none finds anything more to do: to apply them again changes nothing.

    No array is written to: those that change are copied, the others shared.
    """
    rows = np.arange(conversations.utterances)
    counts: dict[RemedyName, Counter[str]] = {name: Counter() for name in REMEDIES if name in names}
    changing = bool(counts)
    while changing:
        changing = False
        for name, count in counts.items():
            conversations, kept, changed = _STEPS[name](conversations)
            rows = rows[kept]
            count.update(changed)
            changing |= changed.total() > 0
    changes = tuple(Change(name, REMEDIES[name], dict(count)) for name, count in counts.items())
    return Remedied(conversations, rows, changes)


_Step = tuple[Conversations, Ints | slice, Counter[str]]
"""What came out, which rows of what went in it has, and counts."""


def _zero_non_finite(conversations: Conversations) -> _Step:
    features, counts = dict(conversations.features), Counter[str]()
    for modality, rows in conversations.features.items():
        wrong = ~np.isfinite(rows)
        if wrong.any():
            features[modality] = np.where(wrong, np.float32(0), rows)
            counts += _by_split(conversations, wrong.sum(axis=1), f"{modality} numbers")
    return replace(conversations, features=features), slice(None), counts


def _drop_copied_conversations(conversations: Conversations) -> _Step:
    from benchmark.data.defects.numbering import number_utterances, number_vectors
    from benchmark.data.defects.overlap import same_by_features

    keys = number_utterances({m: number_vectors(x) for m, x in conversations.features.items()})
    order = [SPLITS.index(split) for split in conversations.split]
    groups = same_by_features(conversations, keys)
    copied = {b for group in groups for b in group if order[b] > min(order[other] for other in group)}
    if not copied:
        return conversations, slice(None), Counter()
    kept = [b for b in range(len(conversations)) if b not in copied]
    counts = Counter(f"{conversations.split[b]} conversations" for b in sorted(copied))
    for b in sorted(copied):
        counts[f"{conversations.split[b]} utterances"] += int(conversations.lengths[b])
    return conversations.select(kept), conversations.rows(kept), counts


def _zero_leaked(conversations: Conversations) -> _Step:
    from benchmark.data.defects.duplicates import find_leaks
    from benchmark.data.defects.numbering import ZERO, number_utterances, number_vectors

    keys = {m: number_vectors(x) for m, x in conversations.features.items()}
    whole = find_leaks(conversations, number_utterances(keys), None)  # utterances copied in every modality
    features, counts = dict(conversations.features), Counter[str]()
    for modality, rows in conversations.features.items():
        leaks = np.union1d(find_leaks(conversations, keys[modality], rows), whole)
        leaks = leaks[keys[modality][leaks] != ZERO]
        if len(leaks):
            features[modality] = rows.copy()
            features[modality][leaks] = 0
            changed = np.zeros(len(rows), np.int64)
            changed[leaks] = 1
            counts += _by_split(conversations, changed, f"{modality} vectors")
    return replace(conversations, features=features), slice(None), counts


_STEPS: dict[RemedyName, Callable[[Conversations], _Step]] = {
    "zero-non-finite": _zero_non_finite,
    "drop-copied-conversations": _drop_copied_conversations,
    "zero-leaked": _zero_leaked,
}
"""They import the audit's finders when called: scipy takes a moment that a call with nothing to run has not got."""


def _by_split(conversations: Conversations, changed: npt.NDArray[np.int64], what: str) -> Counter[str]:
    """How many were changed in each split; ``changed`` counts by utterance, [N]."""
    split = np.repeat(np.array(conversations.split), conversations.lengths)
    counts = {f"{s} {what}": int(changed[split == s].sum()) for s in SPLITS}
    return Counter({name: count for name, count in counts.items() if count})
