"""Kernel locks on the trials of a study: whoever makes a trial holds its lock, however late its heartbeats are."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmark.base.files import claimed
from benchmark.tuning.plan import slug

_STARTED = Path("/proc/sys/kernel/random/boot_id")  # of this machine's start, after which no lock is left; Linux alone


class TrialLocks:
    """The locks of one study, by the numbers of its trials, as files in a folder of the store.

    They reach the processes that use this store on this machine, and others where the file system locks across
    machines. Elsewhere, and where nothing can be written, no lock is held and everything is granted.
    """

    def __init__(self, folder: Path, study: str) -> None:
        self._folder = folder
        self._name = slug(study)
        self._held: dict[int, ExitStack] = {}

    @contextmanager
    def taking(self) -> Iterator[bool]:
        """Keep other processes from taking a trial or finding one abandoned; False where another one is at it."""
        with ExitStack() as stack:
            yield self._claim(stack, "taking")

    def hold(self, trial: int) -> str | None:
        """Hold the trial's lock until :meth:`release` or the end of this process, unless another process has it.

        Returns its :meth:`place`, where there is a lock that others see.
        """
        with ExitStack() as stack:
            if self._claim(stack, trial):
                self._held[trial] = stack.pop_all()
        return self.place(trial) if trial in self._held and self.is_held(trial) else None

    def place(self, trial: int | None) -> str | None:
        """Where the trial's lock is: the same for those alone who see each other's locks; None where none says it."""
        try:
            file = self._file(trial).stat()
            started = _STARTED.read_text()
        except OSError:
            return None
        return hashlib.sha256(f"{started} {file.st_dev} {file.st_ino}".encode()).hexdigest()[:16]

    def release(self, trial: int) -> None:
        """Hold it no longer."""
        if stack := self._held.pop(trial, None):
            stack.close()

    def is_held(self, trial: int) -> bool:
        """Whether a living process holds the trial's lock, this one or another."""
        with ExitStack() as stack:
            return not self._claim(stack, trial)

    def _claim(self, stack: ExitStack, what: int | str) -> bool:
        file = self._file(what)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file.touch()
            return stack.enter_context(claimed(file))
        except OSError:
            return True

    def _file(self, what: int | str | None) -> Path:
        return self._folder / f"{self._name}-{what}"
