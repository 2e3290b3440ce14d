"""Bytes from a source into a ``.part`` file, over any number of interruptions, calls and processes.

Beside the part stands ``….part.json``, written before its first byte: the source and the version that the bytes are of.
A part is continued only as that version of that source, so that no file is ever made of two.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pydantic

from benchmark.base.errors import TransferError
from benchmark.base.files import write_json
from benchmark.fetching.sources import PassingError, Source, StaleError, Version

RETRIES = 4
"""Attempts in a row that may bring nothing new before the transfer is given up."""
PAUSE = 1.0
"""Seconds before the first of them; each further one waits twice as long."""

Progress = Callable[[int, int | None], None]
"""Told the bytes received so far, and in all where that is known."""


@pydantic.dataclasses.dataclass(frozen=True)
class _Record:
    source: str
    version: Version


class Part:
    """The part of ``target`` that has been received, empty until :meth:`receive` is called."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(target.name + ".part")
        self._record = target.with_name(target.name + ".part.json")

    def discard(self) -> None:
        """Remove what was received."""
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def publish(self, target: Path, receipt: Path, content: Any) -> None:
        """Make the complete part the target, atomically, after its receipt is written."""
        with _writing(target.parent, None):
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
            write_json(receipt, content)
            self.path.replace(target)
        self.discard()

    def receive(self, source: Source, needs_length: bool, progress: Progress, note: Callable[[str], None]) -> None:
        """Receive all of the source, going on from what is there.

        Args:
            source: where it comes from.
            needs_length: refuse a source whose end cannot be told from a cut connection.
            progress: called after every piece.
            note: told why an attempt ended and when the next begins.

        Raises:
            TransferError: it did not end; what was received is kept.
            UserError: the source is not a file.
        """
        furthest, idle = self._size(), 0
        while True:
            try:
                return self._attempt(source, needs_length, progress)
            except PassingError as error:
                if isinstance(error, StaleError):
                    self.discard()
                size = self._size()
                idle = 0 if size > furthest else idle + 1
                furthest = max(furthest, size)
                kept = f"{size:,} bytes are kept, and the same command goes on from there"
                if idle > RETRIES:
                    raise TransferError(f"{source.name}: {error}; {kept}") from None
                pause = PAUSE * 2 ** max(idle - 1, 0)
                note(f"{error}; trying again in {pause:g} s")
                time.sleep(pause)

    def _attempt(self, source: Source, needs_length: bool, progress: Progress) -> None:
        held, offset = self._held(source), self._size()
        if held and held.length == offset:
            return  # cut off after its last byte
        with source.open(offset if held else 0, held) as stream:
            if needs_length and not stream.ends:
                raise TransferError(
                    f"{source.name}: the server does not say how long the file is, so that a cut would not be noticed; "
                    "name the expected fingerprint with --sha256"
                )
            total, received = stream.version.length, stream.offset
            missing = None if total is None else total - received
            with _writing(self.path.parent, missing):
                if not received:
                    self.discard()
                if missing is not None and missing > _free(self.path.parent):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                write_json(self._record, asdict(_Record(source.name, stream.version)))
                with self.path.open("ab") as file:
                    progress(received, total)
                    for chunk in stream.chunks:
                        file.write(chunk)
                        received += len(chunk)
                        progress(received, total)
        if total is not None and received < total:
            raise PassingError(f"{received:,} of {total:,} bytes came")
        if total is not None and received > total:
            raise StaleError(f"{received:,} bytes came where {total:,} were announced")

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def _held(self, source: Source) -> Version | None:
        """The version that the part is of, or None where that is unknown or it is of another source."""
        with suppress(OSError, ValueError):
            record = pydantic.TypeAdapter(_Record).validate_json(self._record.read_bytes())
            if record.source == source.name and self.path.is_file():
                return record.version
        return None


@contextmanager
def _writing(folder: Path, missing: int | None) -> Iterator[None]:
    """Errors of the disk, with what it would have to hold."""
    try:
        yield
    except OSError as error:
        needed = "" if missing is None else f", where {missing:,} more bytes are needed"
        raise TransferError(
            f"cannot write to {folder} ({error.strerror}): {_free(folder):,} bytes are free{needed}; make room and "
            "repeat the command, or name another folder with --out"
        ) from None


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
