"""Lines that commands print, and streams that never stop them. Standard library only: errors and help must be quick."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast


def tell(text: str = "") -> None:
    """Print what a command was asked for, on stdout."""
    print(text)


def say(message: str) -> None:
    """Print one line on stderr."""
    print(" ".join(message.split()), file=sys.stderr)


class Steady:
    """A text stream that nothing printed can stop: what cannot be encoded is replaced, what nobody reads is dropped.

    Args:
        stream: stdout or stderr.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")

    def write(self, text: str) -> int:
        """Write the text."""
        try:
            return self._stream.write(text)
        except OSError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        try:
            self._stream.flush()
        except OSError:
            self._drop()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _drop(self) -> None:
        """Have everything from now on written nowhere: the reader of a pipe is gone, or the disk is full."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


@contextmanager
def steady() -> Iterator[None]:
    """Make stdout and stderr of this process steady while the block lasts."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, Steady(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before
