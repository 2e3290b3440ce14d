"""What splits share besides single vectors: conversations, speakers, sentences."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.data.conversations import Conversations
from benchmark.data.defects.numbering import ZERO

LEAST = 3  # different utterances that a conversation must have: short turns and placeholders coincide by chance


@dataclass(frozen=True)
class SameConversations:
    """Conversations of LEAST different utterances or more that are the same under several names.

    Attributes:
        by: ``features`` (identical in every modality, one utterance after the other) or ``sentences``.
        across: names per group that reaches over two splits or more, as "name (split)".
        within: names per group in one split.
    """

    by: str
    across: tuple[tuple[str, ...], ...]
    within: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Speakers:
    """People, as far as names say who they are.

    Attributes:
        per_split: how many speak in each split.
        shared: those heard in two splits or more, as ``Ses01 F``.
    """

    per_split: dict[str, int]
    shared: tuple[str, ...]


@dataclass(frozen=True)
class Sentences:
    """Sentences, compared without case and outer space.

    Attributes:
        utterances: that have a sentence.
        conflicting: sentences that occur with two labels or more.
        conflicting_utterances: utterances that say one of them.
        known_from_train: utterances of dev and test whose sentence a training utterance has too.
    """

    utterances: int
    conflicting: int
    conflicting_utterances: int
    known_from_train: dict[str, int]


def same_conversations(
    conversations: Conversations, keys: npt.NDArray[np.int64], sentences: Sequence[str]
) -> tuple[SameConversations, ...]:
    """Conversations that are the same by features (``keys`` number utterances, [N]) or by ``sentences`` [N]."""
    contents = [tuple(map(_plain, sentences[span])) for span in _spans(conversations)]
    return (
        _named(conversations, "features", same_by_features(conversations, keys)),
        _named(conversations, "sentences", _groups([words if all(words) else () for words in contents])),
    )


def same_by_features(conversations: Conversations, keys: npt.NDArray[np.int64]) -> list[list[int]]:
    """Groups of conversations that are the same by features; ``keys`` number utterances, [N]."""
    return _groups([tuple(keys[span].tolist()) if (keys[span] > ZERO).all() else () for span in _spans(conversations)])


def _spans(conversations: Conversations) -> list[slice]:
    return [slice(*map(int, conversations.offsets[b : b + 2])) for b in range(len(conversations))]


def _groups(content: Sequence[tuple[Hashable, ...]]) -> list[list[int]]:
    groups = defaultdict(list)
    for b, key in enumerate(content):
        if len(set(key)) >= LEAST:
            groups[key].append(b)
    return [members for members in groups.values() if len(members) > 1]


def _named(conversations: Conversations, by: str, groups: Sequence[Sequence[int]]) -> SameConversations:
    named: dict[bool, list[tuple[str, ...]]] = {True: [], False: []}
    for members in groups:
        across = len({conversations.split[b] for b in members}) > 1
        named[across].append(tuple(f"{conversations.ids[b][:60]} ({conversations.split[b]})" for b in members))
    return SameConversations(by, tuple(named[True]), tuple(named[False]))


def people(conversations: Conversations) -> Speakers | None:
    """Who speaks where, if every conversation's name begins with its session; else None.

    IEMOCAP's sessions have two speakers each, heard in no other. MELD's speaker numbers are places in a table, which do
    not say who is meant.
    """
    heard = defaultdict(set)
    for b, session in enumerate(conversations.sessions):
        if not session:
            return None
        for speaker in np.unique(conversations.speaker[slice(*conversations.offsets[b : b + 2])]):
            heard[f"{session} {'MF'[speaker] if conversations.speakers == 2 else speaker}"].add(conversations.split[b])
    per_split = Counter(split for splits in heard.values() for split in splits)
    return Speakers(dict(per_split), tuple(sorted(person for person, splits in heard.items() if len(splits) > 1)))


def compare_sentences(conversations: Conversations, sentences: Sequence[str]) -> Sentences:
    """Sentences with several labels, and those that training has too; ``sentences`` [N], empty where unknown."""
    assert conversations.label is not None
    split = np.repeat(conversations.split, conversations.lengths).tolist()
    words = [_plain(sentence) for sentence in sentences]
    labels, uses = defaultdict(set), Counter(words)
    for sentence, label in zip(words, conversations.label.tolist(), strict=True):
        labels[sentence].add(label)
    conflicting = [sentence for sentence, given in labels.items() if sentence and len(given) > 1]
    trained = {sentence for sentence, s in zip(words, split, strict=True) if s == "train" and sentence}
    known = Counter(s for sentence, s in zip(words, split, strict=True) if s != "train" and sentence in trained)
    return Sentences(
        utterances=sum(map(bool, words)),
        conflicting=len(conflicting),
        conflicting_utterances=sum(uses[sentence] for sentence in conflicting),
        known_from_train={s: known[s] for s in ("dev", "test") if s in conversations.split},
    )


def _plain(sentence: str) -> str:
    return " ".join(sentence.casefold().split())
