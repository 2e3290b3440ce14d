"""What a node of a cluster does for a run: it works in a folder of its own, and hands over all that it writes there."""

import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from benchmark.base.files import claimed
from benchmark.data.conversations import Conversations
from benchmark.data.datasets import DataSet
from benchmark.data.defects.remedies import Change
from benchmark.execution.events import Event, Failed, Finished, Interrupted
from benchmark.execution.tasks import Task
from benchmark.execution.worker import make, prepare
from benchmark.store.store import Store

Files = dict[str, bytes]
"""The contents of the files of a run's folder, by name."""

_SCRATCH = "css-bench-run-"
_YOUNG_SECONDS = 60.0  # a folder younger than that may be about to be claimed


@dataclass(frozen=True, eq=False)
class Shipped:
    """A data set on its way: what runs need of it, read once. On a node its arrays are mapped from the object store."""

    kind: str
    description: str
    published: bool
    loaded: tuple[Conversations, tuple[Change, ...]]

    @staticmethod
    def of(dataset: DataSet) -> "Shipped":
        """The data set, read."""
        return Shipped(dataset.kind, dataset.description, dataset.published, dataset.load_remedied())

    def load_remedied(self) -> tuple[Conversations, tuple[Change, ...]]:
        """The conversations, and what each remedy changed."""
        return self.loaded


def make_there(task: Mapping[str, Any], data: Shipped, left: Files) -> Iterator[Event | Files]:
    """Execute one run; what it yields is, by turns, an event and the files of its folder at that moment.

    Args:
        task: the fields of a :class:`Task` but its data set.
        data: the data set.
        left: what an earlier attempt left: its checkpoint, its log, its manifest.
    """
    messages: SimpleQueue[Event | Files | None] = SimpleQueue()
    with _scratch() as root:
        store = Store(root)
        run = Task(dataset=data, **task)
        folder = store.folder(run.spec.key)
        folder.mkdir(parents=True)
        for name, content in left.items():
            (folder / name).write_bytes(content)

        def send(event: Event) -> None:
            if isinstance(event, Finished | Interrupted | Failed):
                last.append(event)
            else:
                messages.put(event)
                messages.put(_files(folder))

        last: list[Event] = []

        def work() -> None:
            try:
                prepare()
                make(run, store, send, lambda: False)
            except Exception:
                last.append(Failed(run.spec.key, traceback.format_exc()))
            messages.put(last[0])  # once the log is written
            messages.put(_files(folder))
            messages.put(None)

        Thread(target=work, daemon=True).start()
        while (message := messages.get()) is not None:
            yield message


def _files(folder: Path) -> Files:
    """All but what is being written, and a log without a word."""
    contents = {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}
    return {name: content for name, content in contents.items() if content}


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder of this node that goes away; what killed processes of this user left goes first."""
    for old in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with suppress(OSError):
            if old.stat().st_uid == os.getuid() and old.stat().st_mtime < time.time() - _YOUNG_SECONDS:
                with claimed(old) as granted:
                    if granted:
                        shutil.rmtree(old)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH) as folder, claimed(Path(folder)):
        yield Path(folder)
