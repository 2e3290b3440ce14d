"""The two corpora: their names, classes and speakers, whatever file or simulator their conversations come from."""

from dataclasses import dataclass
from typing import Literal

from benchmark.data.conversations import Conversations

CorpusName = Literal["iemocap", "meld"]


@dataclass(frozen=True)
class Corpus:
    """What every form of a corpus has in common.

    Attributes:
        name: ``iemocap`` or ``meld``.
        class_names: names of the C labels, in label order.
        speakers: size of the speaker table.
    """

    name: CorpusName
    class_names: tuple[str, ...]
    speakers: int


CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus("iemocap", ("happy", "sad", "neutral", "angry", "excited", "frustrated"), speakers=2),
        Corpus("meld", ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger"), speakers=9),
    )
}

SIMULATED = tuple(f"{name}-sim" for name in CORPORA)
"""Names of the built-in simulated corpora, of which each has the classes and speakers of one corpus."""


def corpus_of(conversations: Conversations) -> CorpusName | None:
    """The corpus whose classes these conversations have; None where they have classes of their own."""
    return next((c.name for c in CORPORA.values() if c.class_names == conversations.class_names), None)
