"""A grid of runs over worker processes."""

import os
import signal
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

from benchmark.execution.events import Event, Failed, Finished, Interrupted
from benchmark.execution.store import Store
from benchmark.execution.tasks import Task
from benchmark.execution.worker import ENVIRONMENT, work

_SPAWN = get_context("spawn")  # fork is unsafe with threads, and torch's are running
_OVER = (Finished, Interrupted, Failed)
_POLL_SECONDS = 0.2  # between two looks at whether to stop


class Scheduler:
    """Runs tasks on ``workers`` processes, each given the next one as it gets free; a worker that dies is replaced.

    Workers share nothing but the store: each has a pipe of its own, so that none can die holding what others wait for.
    """

    def __init__(self, store: Store, workers: int) -> None:
        self.store = store
        self.workers = workers
        self._busy: dict[Connection, _Worker] = {}
        self._stopping = False

    def stop(self) -> None:
        """Let every run end after its current epoch, checkpointed, and start no other. For signal handlers too."""
        self._stopping = True

    def run(self, tasks: Sequence[Task]) -> Generator[Event, None, None]:
        """Execute the tasks in order and yield what happens; every task that starts ends in exactly one event.

        Closing the iterator early ends the workers at once.
        """
        os.environ.update({name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()})
        waiting = deque(tasks)
        told = False
        try:
            while True:
                if self._stopping:
                    waiting.clear()
                    if not told:
                        told = True
                        for worker in self._busy.values():
                            worker.send(None)
                while waiting and len(self._busy) < self.workers:
                    worker = _Worker(self.store)
                    self._busy[worker.connection] = worker
                    worker.send(waiting.popleft())
                if not self._busy:
                    return
                for connection in wait(list(self._busy), _POLL_SECONDS):
                    assert isinstance(connection, Connection)
                    yield self._hear(self._busy[connection], waiting)
        finally:
            for worker in self._busy.values():
                worker.process.kill()
                worker.process.join()

    def _hear(self, worker: "_Worker", waiting: deque[Task]) -> Event:
        """What the worker says; one whose run is over gets the next task, or leaves when there is none."""
        key = worker.key
        try:
            event: Event = worker.connection.recv()
        except (EOFError, OSError):
            del self._busy[worker.connection]
            event = Failed(key, worker.death())
            self.store.fail(key, event.error)
            return event
        if isinstance(event, _OVER):
            if waiting and not self._stopping:
                worker.send(waiting.popleft())
            else:
                del self._busy[worker.connection]
                worker.send(None)
                worker.process.join()
        return event


class _Worker:
    """A worker process, seen from the coordinator; ``key`` is the run that it is making."""

    def __init__(self, store: Store) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=work, args=(theirs, store), daemon=True)
        self.process.start()
        theirs.close()  # so that the worker's death is seen as the end of the pipe
        self.key = ""

    def send(self, task: Task | None) -> None:
        """Give it a run, or None: to end after the current epoch and leave."""
        if task is not None:
            self.key = task.spec.key
        with suppress(OSError):  # a worker that died is noticed when it is heard
            self.connection.send(task)

    def death(self) -> str:
        """How it ended, for people."""
        self.process.join()
        code = self.process.exitcode or 0
        if code == -signal.SIGKILL:
            return "the worker process was killed, as happens when memory runs out: try fewer --workers"
        cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"the worker process died ({cause})"
