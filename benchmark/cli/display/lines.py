"""Lines that commands print. Standard library only: ``--help`` and errors must be quick."""

import sys


def say(message: str) -> None:
    """One line on stderr."""
    print(" ".join(message.split()), file=sys.stderr)
