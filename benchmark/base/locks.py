"""Locks between processes, which the kernel keeps on open files: they end with the process, however it ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.base.errors import UserError

try:
    import fcntl
except ImportError:
    raise UserError(
        "css-bench needs the file locks of a POSIX system, which this Python does not have: use Linux, macOS, or on "
        "Windows its Subsystem for Linux"
    ) from None


def take(descriptor: int, *, shared: bool = False, wait: bool = False, strict: bool = False) -> bool:
    """Lock an open file or folder until it is closed; False where another process has it and nobody is to wait.

    Any number of processes share a lock that each takes as ``shared``. On file systems without locks every lock is
    granted, or with ``strict`` none: there nobody can know that no other process is at it.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return not strict
    return True


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until no other process is in this folder, made where it is not there; without locks nobody is waited for."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        take(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)
