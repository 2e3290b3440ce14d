"""What a run gets of a data set, by its protocol."""

from benchmark.data.conversations import Conversations
from benchmark.data.splits import RunData, split
from benchmark.experiment.spec import RunSpec


def run_data(spec: RunSpec, conversations: Conversations) -> tuple[Conversations, RunData]:
    """The data set in the run's split, its own or that of a fold, and the parts that the run gets of it.

    Raises:
        DataError: data that cannot be split so.
    """
    if spec.fold:
        conversations = spec.fold.split(conversations)
    return conversations, split(conversations, spec.seed, hold_out=spec.validates)
