"""What is fuzzed, watched: one input is read as a pickle, a tuple of features and a RoBERTa file."""

import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from benchmark.base.errors import DataError
from benchmark.data.feature_files import unpickle
from benchmark.data.feature_files.conversion import convert
from benchmark.data.feature_files.roberta import texts_of
from benchmark.data.feature_files.unpickle import read_pickle

SLOW = 5.0  # seconds for one input of at most 200 kB; the slowest known takes a tenth


class ForbiddenError(BaseException):
    """Something happened that reading never does."""


@dataclass
class Watch:
    """Which opcodes were met, and an audit hook that stops every event (an import, a file, a process) while armed."""

    opcodes: set[str] = field(default_factory=set)
    armed: bool = False
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for code, (name, reader, act) in list(unpickle._OPCODES.items()):
            unpickle._OPCODES[code] = (name, reader, self._counting(name, act))
        sys.addaudithook(self._hook)

    def _counting(self, name: str, act: Any) -> Any:
        def counting(machine: Any, argument: Any) -> None:
            self.opcodes.add(name)
            act(machine, argument)

        return counting

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.armed:
            self.events.append(f"{event} {str(arguments)[:200]}")
            raise ForbiddenError(event)


def attempt(content: bytes, watch: Watch) -> tuple[str, str]:
    """Outcome (read, converted, refused, broken or FAILED) and what was said, digits and quotations taken out."""
    watch.events.clear()
    began, watch.armed = time.monotonic(), True
    try:
        outcome, said = _attempt(content)
    except BaseException as error:  # anything but DataError is what is looked for
        outcome, said = "FAILED", f"{type(error).__name__}: {error}"
    finally:
        watch.armed = False
    if watch.events:
        outcome, said = "FAILED", f"forbidden: {watch.events}"
    elif (took := time.monotonic() - began) > SLOW:
        outcome, said = "FAILED", f"took {took:.1f} s: {said}"
    return outcome, said


def attempt_unwatched(content: bytes) -> None:
    """Read once without the hook, so that nothing is left to import."""
    with suppress(Exception):  # will be met again
        _attempt(content)


def _attempt(content: bytes) -> tuple[str, str]:
    try:
        value = read_pickle(content)
    except DataError as error:
        return _judged(error, "refused" if str(error).startswith(("refused", "more than")) else "broken")
    outcome, said = "read", ""
    for use in (lambda: convert(value, None, 2 * len(content) + 2**24, None), lambda: texts_of(value)):
        try:
            use()
            outcome = "converted"
        except DataError as error:
            judged, said = _judged(error, outcome)
            outcome = judged if judged == "FAILED" else outcome
    return outcome, said


def _judged(error: DataError, outcome: str) -> tuple[str, str]:
    if isinstance(error.__context__, MemoryError):
        return "FAILED", "more memory was asked for than the limit"
    said = str(error)
    if "\n" in said or len(said) > 500:
        return "FAILED", f"a message of {len(said)} characters or several lines: {said[:300]!r}"
    return outcome, re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", re.sub(r"\d+", "0", said))
