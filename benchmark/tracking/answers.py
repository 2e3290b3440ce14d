"""Waiting for a server as long as it answers, whatever time each answer takes it: one that is silent is given up."""

import threading
import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 60.0
"""Without an answer for so long a server is given up."""
SILENCE_SECONDS = 10.0
"""Without an answer for so long its user is told."""


class Answers:
    """When the client of a server had its last answer; ``warn`` takes one line for the user."""

    def __init__(self, server: str, warn: Callable[[str], None]) -> None:
        self._server, self._warn = server, warn
        self._last = time.monotonic()

    def to(self, client: object) -> "Answered":
        """The client, whose answers are noted."""
        return Answered(client, self._note)

    def wait_for(self, thread: threading.Thread) -> None:
        """Wait until the thread, which uses the client, has ended or the server has been silent for too long."""
        self._note()
        told = False
        while thread.is_alive() and (silent := time.monotonic() - self._last) < PATIENCE_SECONDS:
            if silent >= SILENCE_SECONDS and not told:
                told = True
                self._warn(
                    f"{self._server} has not answered for {SILENCE_SECONDS:g} s; it is given up once it has not "
                    f"answered for {PATIENCE_SECONDS:g} s"
                )
            thread.join(SILENCE_SECONDS / 10)

    def _note(self) -> None:
        self._last = time.monotonic()


class Answered:
    """A client that calls ``note`` whenever one of its methods has returned."""

    def __init__(self, client: object, note: Callable[[], None]) -> None:
        self._client, self._note = client, note

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def answered(*values: Any, **options: Any) -> Any:
            answer = method(*values, **options)
            self._note()
            return answer

        return answered
