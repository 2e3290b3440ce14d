"""Which conversations a run trains on, is selected on, and is tested on."""

from dataclasses import dataclass

import numpy as np

from benchmark.base.errors import DataError
from benchmark.data.conversations import Conversations


@dataclass(frozen=True)
class RunData:
    """A run's conversations. ``test`` carries no labels: only the scorer holds those.

    ``validation`` is None where a run trains on all but the test set. ``turns`` is the number of sessions of which each
    seed holds out the next as validation data: seeds that are equal modulo it have the same; 0 where all seeds have.
    """

    train: Conversations
    validation: Conversations | None
    test: Conversations
    turns: int = 0


def split(conversations: Conversations, seed: int, *, hold_out: bool = True) -> RunData:
    """Split for one seed, the same for every method.

    Validation is the official dev set where there is one. Otherwise one training session, ``seed`` modulo the number of
    sessions, is held out; sessions are read from the conversations' names (``Ses01F_impro01``), so that no speaker is
    in both parts. Without ``hold_out`` there is no validation, and a dev set is trained on too.

    Raises:
        DataError: where there is neither a dev set nor a session in the names, or nothing to train or to test on.
    """
    train, validation = conversations.where("train"), conversations.where("dev") if hold_out else None
    turns = 0
    if validation is None:
        train = conversations.select([b for b, part in enumerate(conversations.split) if part in ("train", "dev")])
    elif not len(validation):
        sessions = sorted(set(train.sessions))
        if "" in sessions or len(sessions) < 2:
            raise DataError(
                "no dev conversations and no sessions to hold one out: add a dev split, or name conversations Ses01…"
            )
        turns = len(sessions)
        held_out = np.array(train.sessions) == sessions[seed % turns]
        train, validation = train.select(np.flatnonzero(~held_out)), train.select(np.flatnonzero(held_out))
    test = conversations.where("test").without_labels()
    if not (len(train) and len(test)):
        raise DataError(f"{len(train)} training and {len(test)} test conversations: a run needs some of each")
    return RunData(train, validation, test, turns)
