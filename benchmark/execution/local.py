"""A grid of runs over worker processes."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from threading import Lock
from types import ModuleType

from benchmark.base.process_state import environment_put_back
from benchmark.execution.events import Event, Failed, Finished, Interrupted, Retried, Waiting
from benchmark.execution.executor import Executor
from benchmark.execution.tasks import Task
from benchmark.execution.worker import STACK_SIGNAL, environment, work
from benchmark.store.store import Store

_SPAWN = get_context("spawn")  # fork is unsafe with threads, and torch's are running
_IMPORTED = ("torch", "scipy.stats", "jaxtyping", "pydantic")
"""What takes a worker seconds to import: nothing that starts threads (pyarrow does, and pandas and scikit-learn import
it), and no code of the project, which each worker reads anew."""
_ENVIRONMENT = Lock()  # held while the environment is a worker's
_OVER = (Finished, Interrupted, Failed)
_POLL_SECONDS = 0.2  # between two looks at whether to stop
_STACK_SECONDS = 1.0  # for a worker that hangs to write down where
_LEAVE_SECONDS = 10.0  # for a worker that is told to leave
_LOG_CHARACTERS = 20_000  # of a dead worker's last words


class Scheduler(Executor):
    """Runs tasks on ``workers`` processes, each given the next one as it gets free; a worker that dies is replaced.

    One that has made a run with a plug-in leaves: what that may have changed of its process, other runs do not meet.

    Workers share nothing but the store: each has a pipe of its own, so that none can die holding what others wait for.
    Each sees one of ``gpus``, in turn; where there are none, all that the machine has.
    """

    def __init__(self, store: Store, workers: int, timeout: float | None = None, gpus: Sequence[str] = ()) -> None:
        super().__init__(store, workers, timeout)
        self.gpus = gpus
        self._busy: dict[Connection, _Worker] = {}
        self._idle: list[_Worker] = []

    def run(self, tasks: Iterable[Task | None]) -> Generator[Event, None, None]:
        """Execute the tasks, each by the next worker that is free."""
        self._tasks = iter(tasks)
        told = False
        try:
            while True:
                if self._stopping and not told:
                    told = True
                    for worker in self._busy.values():
                        worker.send(None)
                while len(self._busy) < self.workers and (task := self._next()) is not None:
                    worker = self._idle.pop() if self._idle else _Worker(self.store, self._free_gpu())
                    self._busy[worker.connection] = worker
                    worker.send(task)
                if self._is_over:
                    self._dismiss()
                    if not self._busy:
                        return
                for connection in wait(list(self._busy), _POLL_SECONDS):
                    assert isinstance(connection, Connection)
                    yield self._hear(self._busy[connection])
                for worker in [w for w in self._busy.values() if self.timeout and w.silence() > self.timeout]:
                    yield self._end_hung(worker)
        finally:
            for worker in (*self._busy.values(), *self._idle):
                worker.process.kill()
                worker.process.join()

    def _dismiss(self) -> None:
        """Let the workers leave that have nothing to do any more."""
        for worker in self._idle:
            worker.leave()
        self._idle.clear()

    def _free_gpu(self) -> str | None:
        """The GPU with the fewest workers, for a new one: a dead worker's place is taken by the next."""
        crowd = Counter(worker.gpu for worker in (*self._busy.values(), *self._idle))
        return min(self.gpus, key=lambda gpu: crowd[gpu], default=None)

    def _hear(self, worker: "_Worker") -> Event:
        """What the worker says; one whose run is over is free."""
        try:
            event = worker.hear()
        except (EOFError, OSError):
            del self._busy[worker.connection]
            return self._failed(worker.task, worker.death())
        if isinstance(event, Failed):
            event = self._failed(worker.task, event.error, event.lasting)
        if isinstance(event, (*_OVER, Retried)):
            del self._busy[worker.connection]
            if worker.task.spec.method.plugins:
                worker.leave()
            else:
                self._idle.append(worker)
        return event

    def _end_hung(self, worker: "_Worker") -> Event:
        """Kill a worker that is silent for too long, once it had the time to write where it is into its log."""
        del self._busy[worker.connection]
        worker.show_stack()
        worker.process.kill()
        return self._failed(worker.task, worker.death(f"no epoch was finished within {self.timeout:g} s"))


@cache
def _forked() -> BaseContext:
    """Workers are forks of one process without threads that has imported :data:`_IMPORTED`, and is a worker's parent.

    On Linux alone: elsewhere forks are not to be trusted with what the system's own libraries do.
    """
    if sys.platform != "linux":
        return _SPAWN
    context = get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTED))
    return context


@contextmanager
def _workers_environment() -> Iterator[None]:
    """Have a process that starts in the block find a worker's environment, and this one its own afterwards.

    Nor does it import the program that calls, which would run again what stands in a script without `if __name__ ==
    "__main__"`, or what merely lies in the current folder: a file torch.py there is not torch. Where this process finds
    its modules, plug-ins of that folder too, it learns from multiprocessing. The environment is the whole process's,
    whose other threads may start workers too: they wait for each other.
    """
    with _ENVIRONMENT, environment_put_back():
        program = sys.modules["__main__"]
        os.environ.update(environment(), PYTHONSAFEPATH="1")
        sys.modules["__main__"] = ModuleType("__main__")  # of no file: multiprocessing has nothing to import
        try:
            yield
        finally:
            sys.modules["__main__"] = program


class _Worker:
    """A worker process, seen from the coordinator; ``task`` is the run that it is making."""

    task: Task

    def __init__(self, store: Store, gpu: str | None) -> None:
        self.store = store
        self.gpu = gpu
        context = _forked() if gpu is None else _SPAWN  # CUDA reads what it may see before anything is imported
        self.connection, theirs = context.Pipe()
        environ = os.environ | environment()
        with _workers_environment():
            arguments = (theirs, store, gpu, environ)
            self.process = context.Process(target=work, args=arguments, daemon=True)  # type: ignore[attr-defined]
            self.process.start()
        theirs.close()  # so that the worker's death is seen as the end of the pipe
        self._heard: float | None = None  # of this run; None before it begins

    def send(self, task: Task | None) -> None:
        """Give it a run, or None: to end after the current epoch and leave."""
        if task is not None:
            self.task = task
            self._heard = None
            self._log_start = len(self.store.log(task.spec.key))  # earlier attempts' words are not this one's
        with suppress(OSError):  # a worker that died is noticed when it is heard
            self.connection.send(task)

    def leave(self) -> None:
        """Have it end, at once where it does not in time."""
        self.send(None)
        self.process.join(_LEAVE_SECONDS)
        self.process.kill()
        self.process.join()

    def hear(self) -> Event:
        """The next event; raises EOFError or OSError where the worker is dead."""
        event: Event = self.connection.recv()
        if not isinstance(event, Waiting):
            self._heard = time.monotonic()
        return event

    def silence(self) -> float:
        """Seconds since the run began or finished an epoch; 0 before it begins, as while another process makes it."""
        return 0.0 if self._heard is None else time.monotonic() - self._heard

    def show_stack(self) -> None:
        """Have it write its stack into the run's log, if it still can."""
        with suppress(OSError):
            assert self.process.pid is not None
            os.kill(self.process.pid, STACK_SIGNAL)
        self.process.join(_STACK_SECONDS)

    def death(self, cause: str | None = None) -> str:
        """Its last words, then how it ended, for people."""
        self.process.join()
        code = self.process.exitcode or 0
        if cause is None and code == -signal.SIGKILL:
            cause = "the worker process was killed, as happens when memory runs out: try fewer --workers"
        elif cause is None:
            end = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            cause = f"the worker process died ({end})"
        log = self.store.log(self.task.spec.key)[self._log_start :].decode(errors="replace")
        return f"{log[-_LOG_CHARACTERS:]}{cause}"
