"""A report's folder made aside and put in its place whole, by any number of processes, whichever is killed and when.

Standard library only. Whoever changes what stands beside a report holds the lock of the folder around it, for a moment;
a draft is locked by the process that draws it, so that what a killed one has left is known.
"""

import glob
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # of no POSIX system: there nothing can be known to be left over
    fcntl = None  # type: ignore[assignment]


@contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """A new folder beside the target, to draw a report in; it goes when the block ends, unless it was put in place."""
    with settled(target):
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.draft")
        draft.mkdir()
        descriptor = os.open(draft, os.O_RDONLY)
        _take(descriptor, wait=True)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        os.close(descriptor)


def put_in_place(draft: Path, target: Path, check: Callable[[Path], None]) -> None:
    """Put the draft in the target's place once `check` has passed it; on failure the previous report is put back."""
    with settled(target):
        _restore(target)
        check(target)
        previous = draft.with_suffix(".previous")
        replaces = target.exists()
        if replaces:
            target.rename(previous)
        try:
            draft.rename(target)
        except OSError:
            if replaces:
                previous.rename(target)
            raise
    if replaces:
        shutil.rmtree(previous, ignore_errors=True)  # what stays is removed by the next `recover`


def recover(target: Path) -> None:
    """Mend what killed processes have left: a report that was moved aside comes back, half-drawn ones are removed."""
    if not any(target.parent.glob(_beside(target, "*"))):
        return
    with suppress(OSError), settled(target):
        _restore(target)
        for left in (*target.parent.glob(_beside(target, "draft")), *target.parent.glob(_beside(target, "previous"))):
            descriptor = os.open(left, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                if _take(descriptor):
                    shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(descriptor)


def _beside(target: Path, kind: str) -> str:
    return f".{glob.escape(target.name)}.????????.{kind}"


def _restore(target: Path) -> None:
    """Put a previous report back where a process was killed between taking it away and putting the next one there."""
    if not os.path.lexists(target):
        aside = [path for path in target.parent.glob(_beside(target, "previous")) if not path.is_symlink()]
        if aside:
            max(aside, key=lambda path: path.stat().st_mtime).rename(target)


@contextmanager
def settled(target: Path) -> Iterator[None]:
    """Keep other processes from putting a report in the target's place; nothing where there is no folder around it."""
    if not target.parent.is_dir():
        yield
        return
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        _take(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, *, wait: bool = False) -> bool:
    """Lock an open folder; False where another process has it, or the file system has no locks."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
