"""The run store: a folder of run folders (docs/run-format.md). What it holds is the truth."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from uuid import uuid4

from benchmark.base.errors import UserError
from benchmark.base.files import claimed, sweep, write_atomically
from benchmark.store.checksums import damage
from benchmark.store.links import refuse_links
from benchmark.store.records import DamagedRunError, is_key, read_record, run_folder

_WRITTEN = ("preregistrations", "looks/*", "studies", "logged/*")
"""The folders beside the runs that get files."""
_REMOVED = ".removed"
_CHECKPOINT = "checkpoint.safetensors"


class Store:
    """A run store at ``root``, created by :meth:`prepare`."""

    def __init__(self, root: Path) -> None:
        if blocker := next((path for path in (root, *root.parents) if path.exists() and not path.is_dir()), None):
            raise UserError(f"no store can be at {root}: {blocker} is a file; name a folder with --store")
        refuse_links(root)
        self.root = root
        self.runs = root / "runs"

    def prepare(self) -> None:
        """Create the store where it is not there, and tidy it; raises UserError where it cannot be written."""
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self.runs) as file:
                file.write(b"?")
        except OSError as error:
            raise UserError(
                f"cannot write to the store {self.root} ({error.strerror}); name another folder with --store"
            ) from error
        self.tidy()

    def tidy(self) -> None:
        """Remove what killed processes left: parts of files, parts of removed runs, checkpoints of finished runs.

        What a living process holds stays, and everything where the file system has no locks that would tell.
        """
        for place in (self.root, *(folder for name in _WRITTEN for folder in self.root.glob(name)), self.runs):
            sweep(place)
        for aside in (self.root / ".removed", *self.runs.glob(f"{_REMOVED}*")):
            shutil.rmtree(aside, ignore_errors=True)
        for folder in self.runs.iterdir():
            if is_key(folder.name) and folder.is_dir() and not folder.is_symlink():
                self._tidy_run(folder)

    def _tidy_run(self, folder: Path) -> None:
        with suppress(OSError):
            left = [path for path in folder.iterdir() if path.name.startswith((".", _CHECKPOINT))]
            if left:
                with claimed(folder, strict=True) as granted:
                    if granted:
                        sweep(folder)
                        if (folder / "result.json").exists():
                            (folder / _CHECKPOINT).unlink(missing_ok=True)

    def folder(self, key: str) -> Path:
        """Where the run of that key is, or would be; raises DamagedRunError where that is out of the store."""
        return run_folder(self.runs, key)

    def is_complete(self, key: str) -> bool:
        """Whether the run is finished: its result is written last."""
        return (self.folder(key) / "result.json").exists()

    def is_whole(self, key: str) -> bool:
        """Whether the run is finished and every file is what was written: else it is to be made (again)."""
        return self.is_complete(key) and damage(self.folder(key)) is None

    def specs(self, damaged: list[DamagedRunError] | None = None) -> Iterator[dict[str, Any]]:
        """The ``spec.json`` of every run folder, finished or not, in the order of their keys.

        Folders that cannot be used are left out; each is put into ``damaged``, for the command to name.
        """
        for folder in sorted(self.runs.iterdir()) if self.runs.is_dir() else ():
            if not _is_run(folder):
                continue
            try:
                if (record := read_record(folder)) is not None:
                    yield record
            except DamagedRunError as error:
                if damaged is not None:
                    damaged.append(error)

    def damaged(self) -> list[DamagedRunError]:
        """The folders among the runs that cannot be used, by name."""
        damaged: list[DamagedRunError] = []
        for _ in self.specs(damaged):
            pass
        return damaged

    def state(self, key: str) -> str:
        """``complete``, ``failed`` or ``unfinished``."""
        if self.is_complete(key):
            return "complete"
        return "failed" if (self.folder(key) / "error.txt").exists() else "unfinished"

    def fail(self, key: str, error: str) -> None:
        """Leave the traceback in the run's folder, if the disk still takes it: the failure is reported anyway."""
        with suppress(OSError):
            self.folder(key).mkdir(exist_ok=True)
            write_atomically(self.folder(key) / "error.txt", error.encode())

    def clear(self, key: str) -> None:
        """Remove what earlier attempts left in the run's folder and a new one does not replace."""
        folder = self.folder(key)
        # hidden: files cut off while written; a result that is there is damaged, or it would stand
        links = (path for path in folder.iterdir() if path.is_symlink())
        for left in (folder / "result.json", folder / "error.txt", *folder.glob(".*"), *links):
            left.unlink(missing_ok=True)

    def log_file(self, key: str) -> Path:
        """Where a worker's words about the run go; a run that was made without any has none."""
        return self.folder(key) / "log.txt"

    def log(self, key: str) -> bytes:
        """What workers printed while they made the run, crashes included."""
        with suppress(OSError):
            return self.log_file(key).read_bytes()
        return b""

    def is_gone(self, key: str) -> bool:
        """Whether the run's folder, which was there, has been removed since."""
        return not os.path.lexists(self.folder(key))

    @contextmanager
    def claim(self, key: str) -> Iterator[bool]:
        """Make the run's folder and keep other processes out of it; False where another one has it.

        On file systems without locks two processes may make the same run, each file whole and of the same bits.
        """
        with ExitStack() as held:
            granted = None
            while granted is None:
                self.folder(key).mkdir(exist_ok=True)
                with suppress(FileNotFoundError):  # removed at this very moment
                    granted = held.enter_context(claimed(self.folder(key)))
            yield granted

    @contextmanager
    def claim_held(self, key: str) -> Iterator[bool | None]:
        """Like :meth:`claim`, but of a run that is there: None, and no folder is made, where it has been removed."""
        with ExitStack() as held:
            try:
                granted = held.enter_context(claimed(self.folder(key)))
            except FileNotFoundError:
                granted = None
            if not granted and self.is_gone(key):
                granted = None
            yield granted

    def remove(self, key: str) -> bool:
        """Remove the run, at once or, after a crash, not at all; False where another process is making it.

        It goes by a rename beside the runs, which are in one file system whatever the store is made of. What a crash
        leaves of it there, :meth:`tidy` removes. A run that another process has removed is gone, too. Raises
        OSError where its files stay.
        """
        aside = self.runs / f"{_REMOVED}.{key}.{uuid4().hex}"
        with self.claim_held(key) as granted:
            if granted:
                self.folder(key).rename(aside)
        while granted and aside.exists():
            with suppress(FileNotFoundError):  # another process tidies the store
                shutil.rmtree(aside)
        return granted is not False


def _is_run(path: Path) -> bool:
    """Whether this stands among the runs as one: by its name, or by what it says of itself."""
    if not (path.is_symlink() or path.is_dir()) or path.name.startswith("."):
        return False
    return is_key(path.name) or (path / "spec.json").exists()
