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

DEFAULT = tuple(f"{name}-sim" for name in CORPORA)
"""Names of the simulated corpora that are used where nobody names one: their truth can be seen with a small budget."""
SIMULATED = (*DEFAULT, *(f"{name}-hard" for name in DEFAULT))
"""Names of all built-in simulated corpora, of which each has the classes and speakers of one corpus."""


def shape(name: str) -> CorpusName:
    """The corpus whose classes and speakers a data set has, by the data set's name, with knobs or without."""
    return next(corpus.name for corpus in CORPORA.values() if name.startswith(corpus.name))


def corpus_of(conversations: Conversations) -> CorpusName | None:
    """The corpus whose classes these conversations have; None where they have classes of their own."""
    return next((c.name for c in CORPORA.values() if c.class_names == conversations.class_names), None)
