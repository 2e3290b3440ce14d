"""Which finished runs of a store are in which MLflow: a small file a run, written once it is there fully."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.base.files import write_atomically
from benchmark.base.locks import take


class Logged:
    """The runs of the store at ``root`` that are in the MLflow at ``uri``."""

    def __init__(self, root: Path, uri: str) -> None:
        self.root = root
        self.folder = root / "logged" / hashlib.sha256(uri.encode()).hexdigest()[:16]
        self.is_held = False

    def keys(self) -> set[str]:
        """The keys of the runs that are there."""
        return {path.name for path in self.folder.glob("[!.]*")}

    def add(self, key: str, run_id: str) -> None:
        """Remember that the run is there, as MLflow's run of that id."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / key, run_id.encode())

    def forget(self) -> None:
        """No run is there any more."""
        for path in self.folder.glob("[!.]*"):
            path.unlink(missing_ok=True)

    @contextmanager
    def held(self, *, alone: bool = False) -> Iterator[bool]:
        """Say that runs are being logged there; ``alone`` refuses (False) where another process says so too."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder, os.O_RDONLY)
        except OSError:  # where nothing can be written nothing can be held, and the logging itself may go on
            yield True
            return
        try:
            self.is_held = take(descriptor, shared=not alone, wait=not alone)
            yield self.is_held
        finally:
            self.is_held = False
            os.close(descriptor)
