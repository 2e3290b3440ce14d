"""Words of messages that depend on a number."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 run``, ``2 runs``; ``plural`` where it is not the noun with an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
