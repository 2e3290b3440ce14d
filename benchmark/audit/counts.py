"""How many conversations, utterances and labels each split has, and how many IEMOCAP and MELD are known to have."""

from dataclasses import dataclass

import numpy as np

from benchmark.base.words import counted
from benchmark.data.conversations import SPLITS, Conversations


@dataclass(frozen=True)
class SplitCounts:
    """Size of one split.

    Attributes:
        conversations, utterances: how many.
        labels: utterances of each class, in label order.
    """

    conversations: int
    utterances: int
    labels: tuple[int, ...]


KNOWN: dict[str, dict[str, SplitCounts]] = {
    "iemocap": {
        "train": SplitCounts(120, 5810, (504, 839, 1324, 933, 742, 1468)),
        "test": SplitCounts(31, 1623, (144, 245, 384, 170, 299, 381)),
    },
    "meld": {
        "train": SplitCounts(1038, 9989, (4710, 1205, 268, 683, 1743, 271, 1109)),
        "dev": SplitCounts(114, 1109, (470, 150, 40, 111, 163, 22, 153)),
        "test": SplitCounts(280, 2610, (1256, 281, 50, 208, 402, 68, 345)),
    },
}
"""The published counts of the six-class IEMOCAP and of MELD."""

LONGEST = {"iemocap": 110, "meld": 33}
"""Utterances of the longest conversation."""


def count_splits(conversations: Conversations) -> dict[str, SplitCounts]:
    """The counts of each split that there is, in the order train, dev, test."""
    counts = {}
    for split in SPLITS:
        if split in conversations.split:
            part = conversations.where(split)
            assert part.label is not None  # an audit sees the labels
            labels = np.bincount(part.label, minlength=len(part.class_names))
            counts[split] = SplitCounts(len(part), part.utterances, tuple(labels.tolist()))
    return counts


def differences(counts: dict[str, SplitCounts], longest: int, dataset: str) -> list[str]:
    """Where the counts are not the known ones, one line each; empty where all agree."""
    known = KNOWN[dataset]
    lines = [f"no {split} split" for split in known if split not in counts]
    lines += [f"a {split} split, which {dataset} has not" for split in counts if split not in known]
    for split in (split for split in known if split in counts):
        for name in ("conversations", "utterances", "labels"):
            is_, known_ = getattr(counts[split], name), getattr(known[split], name)
            if is_ != known_:
                lines.append(f"{split} {name}: {_shown(is_)}, known are {_shown(known_)}")
    if longest != LONGEST[dataset]:
        lines.append(f"longest conversation: {counted(longest, 'utterance')}, known are {LONGEST[dataset]}")
    return lines


def _shown(value: int | tuple[int, ...]) -> str:
    return str(value) if isinstance(value, int) else " ".join(map(str, value))
