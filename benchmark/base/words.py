"""Words of messages that depend on a number, and what people call a run."""

from collections.abc import Mapping
from typing import Any


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 run``, ``2 runs``; ``plural`` where it is not the noun with an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def run_name(record: Mapping[str, Any]) -> str:
    """What people call the run of a ``spec.json``: ``meld · css · seed 0``, of a fold ``… · test Ses05``."""
    name = f"{record['dataset']} · {record['label']} · seed {record['seed']}"
    return f"{name} · test {fold['test']}" if (fold := record.get("fold")) else name
