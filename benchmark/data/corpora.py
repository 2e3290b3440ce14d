"""The two corpora: their names, classes and speakers, whatever file or simulator their conversations come from.

Any other corpus is one of a user's own, with a name of its own.
"""

import re
from dataclasses import dataclass
from typing import Literal

from benchmark.base.errors import DataError
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

SETTINGS_OF_OTHERS: CorpusName = "meld"
"""The corpus whose settings a corpus of the user's own has, unless its file names the other one."""
_OWN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")


def own_name(name: str) -> str:
    """The name itself, where a corpus of the user's own can have it.

    Raises:
        DataError: it is none, or begins like one of the two corpora, whose claims and sessions are not its own.
    """
    if not _OWN_NAME.fullmatch(name) or name.lower().startswith((*CORPORA, "common")):
        raise DataError(
            f"a corpus of your own cannot be called {name[:80]!r}: give at most 60 letters, digits, _ and -, a letter "
            f"first, and not {', '.join(CORPORA)} or common at the beginning"
        )
    return name


def shape(name: str) -> CorpusName:
    """The corpus whose classes and speakers a data set has, by the data set's name, with knobs or without."""
    return next(corpus.name for corpus in CORPORA.values() if name.startswith(corpus.name))


def corpus_of(conversations: Conversations) -> CorpusName | None:
    """The corpus whose classes these conversations have; None where they have classes of their own."""
    return next((c.name for c in CORPORA.values() if c.class_names == conversations.class_names), None)
