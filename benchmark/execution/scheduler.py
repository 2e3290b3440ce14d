"""A grid of runs over worker processes."""

import os
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from benchmark.execution.events import Event, Failed, Finished, Interrupted
from benchmark.execution.store import Store
from benchmark.execution.tasks import Task
from benchmark.execution.worker import ENVIRONMENT, work

_SPAWN = get_context("spawn")  # fork is unsafe with threads, and torch's are running
_OVER = (Finished, Interrupted, Failed)


class Scheduler:
    """Runs tasks on ``workers`` processes, each given the next one as it gets free; a worker that dies is replaced."""

    def __init__(self, store: Store, workers: int) -> None:
        self.store = store
        self.workers = workers
        self._stop = _SPAWN.Event()

    def stop(self) -> None:
        """Let every run end after its current epoch, checkpointed, and start no other."""
        self._stop.set()

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """Execute the tasks in order and yield what happens; every task that starts ends in exactly one event.

        Closing the iterator early ends the workers at once.
        """
        os.environ.update({name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()})
        waiting, busy = list(reversed(tasks)), dict[Connection, tuple[BaseProcess, str]]()
        try:
            for _ in range(min(self.workers, len(waiting))):
                self._start(waiting, busy)
            while busy:
                for connection in wait(list(busy)):
                    assert isinstance(connection, Connection)
                    process, key = busy[connection]
                    try:
                        event: Event = connection.recv()
                    except EOFError:
                        process.join()
                        del busy[connection]
                        yield Failed(key, f"the worker process died with exit code {process.exitcode}")
                        if waiting and not self._stop.is_set():
                            self._start(waiting, busy)
                        continue
                    yield event
                    if isinstance(event, _OVER):
                        if waiting and not self._stop.is_set():
                            task = waiting.pop()
                            connection.send(task)
                            busy[connection] = (process, task.spec.key)
                        else:
                            connection.send(None)
                            process.join()
                            del busy[connection]
        finally:
            for process, _ in busy.values():
                process.kill()

    def _start(self, waiting: list[Task], busy: dict[Connection, tuple[BaseProcess, str]]) -> None:
        """Start a worker on the next waiting task."""
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=work, args=(theirs, self.store, self._stop), daemon=True)
        process.start()
        theirs.close()  # so that the worker's death is seen as the end of the pipe
        task = waiting.pop()
        ours.send(task)
        busy[ours] = (process, task.spec.key)
