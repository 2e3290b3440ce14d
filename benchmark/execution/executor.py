"""What makes the runs of a grid: processes of this machine, or a cluster."""

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator

from benchmark.execution.events import Event, Failed, Retried
from benchmark.execution.tasks import Task
from benchmark.store.store import Store


class Executor(ABC):
    """Makes runs and says what happens. A run that fails is tried once more, unless its input is wrong.

    Args:
        store: gets the runs.
        workers: runs at once.
        timeout: seconds without a finished epoch after which a run is taken for hung; None for no limit.
    """

    def __init__(self, store: Store, workers: int, timeout: float | None = None) -> None:
        self.store = store
        self.workers = workers
        self.timeout = timeout
        self._tasks: Iterator[Task | None] | None = None  # None where no more come
        self._again: deque[Task] = deque()  # failed once
        self._failures: Counter[str] = Counter()
        self._stopping = False

    def stop(self) -> None:
        """Let every run end after its current epoch, checkpointed, and start no other. For signal handlers too."""
        self._stopping = True

    @abstractmethod
    def run(self, tasks: Iterable[Task | None]) -> Generator[Event, None, None]:
        """Execute the tasks in order and yield what happens; every task that starts ends in exactly one event.

        A task is asked for when there is room for it, after the event that made room was consumed. So the tasks may
        follow from events; None among them says that there is none now, and is followed by another question soon.

        Closing the iterator early ends all runs at once.
        """

    @property
    def _is_over(self) -> bool:
        """Whether no run is going to be started any more."""
        return self._stopping or (self._tasks is None and not self._again)

    def _next(self) -> Task | None:
        """The next task to start, those that failed once behind all others; None where there is none now."""
        if self._stopping:
            return None
        if self._tasks is not None:
            try:
                if (task := next(self._tasks)) is not None:
                    return task
            except StopIteration:
                self._tasks = None
        return self._again.popleft() if self._again else None

    def _failed(self, task: Task, error: str, lasting: bool = False) -> Event:
        """Put the run behind the others after its first failure; else leave the error in its folder."""
        key = task.spec.key
        self._failures[key] += 1
        if self._failures[key] == 1 and not lasting and not self._stopping:
            self._again.append(task)
            return Retried(key, error)
        self.store.fail(key, error)
        return Failed(key, error, lasting)
