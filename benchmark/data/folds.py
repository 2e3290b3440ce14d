"""Sessions held out in turn: every session is the test set once, as speaker-independent work on IEMOCAP reports."""

from collections.abc import Iterator
from dataclasses import replace

from pydantic import model_validator

from benchmark.base.errors import DataError
from benchmark.base.values import Frozen
from benchmark.base.words import counted
from benchmark.data.conversations import Conversations

LEAST = 3
"""Sessions that a fold needs: one to train on, one to validate on, one to test on."""


class Fold(Frozen):
    """One turn: the session that is the test set, and the one that epochs are chosen on. All others are trained on.

    The next session validates, after the last one the first, whatever the seed: all seeds of a fold train on the same
    conversations, so that a seed's complete set of folds is a replicate that shares nothing with another one's.

    Attributes:
        test, validation: names of sessions (``Ses05``).
        sessions: all of them, sorted: the complete set of folds.
    """

    test: str
    validation: str
    sessions: tuple[str, ...]

    @model_validator(mode="after")
    def _the_next_session_validates(self) -> "Fold":
        if len(self.sessions) < LEAST or self.sessions != tuple(sorted(set(self.sessions))):
            raise ValueError(f"sessions must be {LEAST} or more, sorted, each once, got {', '.join(self.sessions)}")
        if self.test not in self.sessions:
            raise ValueError(f"the test session must be one of {', '.join(self.sessions)}, got {self.test}")
        if self.validation != (following := _next(self.sessions, self.test)):
            raise ValueError(f"after {self.test} the session {following} validates, got {self.validation}")
        return self

    def split(self, conversations: Conversations) -> Conversations:
        """The conversations with this fold's split in the place of the official one."""
        parts = {self.test: "test", self.validation: "dev"}
        return replace(conversations, split=tuple(parts.get(name, "train") for name in conversations.sessions))


def folds(conversations: Conversations, name: str) -> Iterator[Fold]:
    """The complete set of folds of a data set of that name, by test session.

    Raises:
        DataError: not every conversation's name begins with its session, or there are too few sessions.
    """
    sessions = tuple(sorted(set(conversations.sessions)))
    if "" in sessions:
        without = [each for each, session in zip(conversations.ids, conversations.sessions, strict=True) if not session]
        raise DataError(
            f"{name} has no sessions to hold out in turn: {len(without)} of its {len(conversations)} conversations "
            f"(such as {without[0]!r}) are not named after one, as Ses01F_impro01 is; leave out --protocol sessions, "
            "or the data set"
        )
    if len(sessions) < LEAST:
        raise DataError(
            f"{name} has {counted(len(sessions), 'session')} ({', '.join(sessions)}), and --protocol sessions needs "
            f"{LEAST}: to train, to validate and to test on; leave it out, or the data set"
        )
    for test in sessions:
        yield Fold(test=test, validation=_next(sessions, test), sessions=sessions)


def _next(sessions: tuple[str, ...], session: str) -> str:
    return sessions[(sessions.index(session) + 1) % len(sessions)]
