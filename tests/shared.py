"""What the processes of one test session make once and share."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A temporary folder of the whole session, whatever number of processes it has."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """What ``make`` returns, in a folder of that name; the process that comes first makes it, others wait.

    For what tests only read.
    """
    folder = shared_folder(factory) / name
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        written = folder / "made"
        if not written.exists():
            folder.mkdir()
            written.write_text(str(make(folder)))
        return Path(written.read_text())
