"""A grid of runs over the nodes of a Ray cluster (the extra ``ray``; docs/cluster.md)."""

import math
import time
import traceback
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError

from benchmark.base.files import write_atomically
from benchmark.data.datasets import DataSet
from benchmark.execution.events import Event, Failed, Finished, Interrupted, Started, Waiting
from benchmark.execution.executor import Executor
from benchmark.execution.ray.cluster import capacity, gpu_share
from benchmark.execution.ray.task import Files, Shipped, make_there
from benchmark.execution.tasks import Task
from benchmark.store.checksums import damage
from benchmark.store.store import Store

_POLL_SECONDS = 0.2  # between two looks at whether to stop, and at runs that another process is making
_FETCH_SECONDS = 10.0  # between two checkpoints of a run that are fetched from its node
_RESULT, _CHECKPOINT = "result.json", "checkpoint.*"
_LEFT = (_CHECKPOINT, "log.txt", "manifest.json")  # what an attempt goes on from: the manifest says when it began


@dataclass
class _Run:
    """A run that was handed to the cluster; its claim on the store is held here."""

    task: Task
    claim: ExitStack
    stream: Any
    event: Event | None = None  # whose files have not come yet
    heard: float | None = None  # None before it begins
    fetched: float = -math.inf


class RayExecutor(Executor):
    """Runs tasks on the cluster that :func:`connect` joined, with the events of :class:`.Scheduler`.

    The store is written to by this process alone. A run's checkpoint stays on its node, from where it is fetched now
    and then; when the node is lost, the run goes on elsewhere from what was fetched last, which costs it an attempt.

    Args:
        store: gets the runs.
        workers: runs at once; 0: as many as the cluster has room for, which may change.
        timeout: as of every executor.
        runs_per_gpu: how many share a GPU; 0 for runs on CPUs.
    """

    def __init__(self, store: Store, workers: int = 0, timeout: float | None = None, runs_per_gpu: int = 0) -> None:
        super().__init__(store, workers, timeout)
        self.runs_per_gpu = runs_per_gpu
        share = gpu_share(runs_per_gpu)
        options = {"num_cpus": 1, "num_gpus": share, "max_retries": 0, "num_returns": "streaming"}
        self._make = ray.remote(**options)(make_there)
        self._make_last = ray.remote(**options, max_calls=1)(make_there)  # ends its process, which a plug-in may change
        self._data: dict[DataSet, Any] = {}
        self._running: list[_Run] = []
        self._waiting: deque[Task] = deque()  # asked for, but not begun
        self._elsewhere: set[str] = set()  # keys of runs that other processes were seen to make

    def run(self, tasks: Iterable[Task | None]) -> Generator[Event, None, None]:
        """Execute the tasks, each where the cluster has room."""
        self._tasks = iter(tasks)
        try:
            while True:
                limit = self.workers or capacity(self.runs_per_gpu)
                while len(self._running) + len(self._waiting) < limit and (task := self._next()) is not None:
                    self._waiting.append(task)
                yield from self._begin(limit)
                if self._stopping:
                    self._waiting.clear()
                    for run in [run for run in self._running if run.heard is None]:
                        self._end(run)
                if self._is_over and not (self._running or self._waiting):
                    return
                for run in self._speaking():
                    yield from self._hear(run)
                for run in [run for run in self._running if self._is_hung(run)]:
                    self._end(run)
                    yield self._failed(run.task, f"no epoch was finished within {self.timeout:g} s")
        finally:
            for run in list(self._running):
                self._end(run)

    def _begin(self, limit: int) -> Iterator[Event]:
        """Hand over what waits and no other process is making, each run with what an earlier attempt left of it."""
        for _ in range(len(self._waiting)):
            if self._stopping or len(self._running) >= limit:
                return
            task = self._waiting.popleft()
            key = task.spec.key
            with ExitStack() as claim:
                if not claim.enter_context(self.store.claim(key)):
                    self._waiting.append(task)
                    if key not in self._elsewhere:
                        self._elsewhere.add(key)
                        yield Waiting(key)
                elif self.store.is_whole(key):
                    yield Finished(key)
                else:
                    assert isinstance(task.dataset, DataSet)
                    if task.dataset not in self._data:
                        self._data[task.dataset] = ray.put(Shipped.of(task.dataset))
                    folder = self.store.folder(key)
                    left = {f.name: f.read_bytes() for pattern in _LEFT for f in folder.glob(pattern)}
                    fields = {"spec": task.spec, "git": task.git, "examination": task.examination}
                    make = self._make_last if task.spec.method.plugins else self._make
                    stream = make.remote(fields, self._data[task.dataset], left)
                    self._running.append(_Run(task, claim.pop_all(), stream))

    def _speaking(self) -> list[_Run]:
        """The runs that have something to say, waited for a moment."""
        streams = {run.stream: run for run in self._running}
        if not streams:
            time.sleep(_POLL_SECONDS)
            return []
        # not fetched: most checkpoints are let go
        ready, _ = ray.wait(list(streams), timeout=_POLL_SECONDS, fetch_local=False)
        if ready:
            ready, _ = ray.wait(list(streams), num_returns=len(streams), timeout=0, fetch_local=False)
        return [streams[stream] for stream in ready]

    def _hear(self, run: _Run) -> Iterator[Event]:
        """The run's next event, once its files have followed it and are in the store, if they are wanted."""
        key = run.task.spec.key
        try:
            reference = next(run.stream)
            if run.event is None:
                run.event = ray.get(reference)
                return
            event, run.event = run.event, None
            over = isinstance(event, Finished | Failed)
            if isinstance(event, Started):
                self.store.clear(key)
            elif over or self._stopping or time.monotonic() > run.fetched + _FETCH_SECONDS:
                self._keep(key, ray.get(reference))
                run.fetched = time.monotonic()
        except (RayError, StopIteration) as error:
            self._end(run)
            yield self._failed(run.task, f"{error}\nthe node or the process that made the run is gone")
            return
        except OSError:
            self._end(run)
            yield self._failed(run.task, traceback.format_exc())
            return
        run.heard = time.monotonic()
        if over:
            self._end(run, over=True)
        if isinstance(event, Failed):
            yield self._failed(run.task, event.error, event.lasting)
            return
        yield event
        if self._stopping and not over and not isinstance(event, Started):
            self._end(run)
            yield Interrupted(key)

    def _keep(self, key: str, files: Files) -> None:
        """Write what has arrived into the run's folder; the result last, and nothing that is there already."""
        folder = self.store.folder(key)
        for name in sorted(files, key=lambda name: name == _RESULT):
            if not (folder / name).exists() or (folder / name).read_bytes() != files[name]:
                write_atomically(folder / name, files[name])
        if _RESULT in files:
            if wrong := damage(folder):
                (folder / _RESULT).unlink()
                raise OSError(f"damaged on its way: {wrong}")
            for left in folder.glob(_CHECKPOINT):
                left.unlink()

    def _is_hung(self, run: _Run) -> bool:
        return bool(self.timeout and run.heard is not None and time.monotonic() > run.heard + self.timeout)

    def _end(self, run: _Run, *, over: bool = False) -> None:
        """Let go of the run's claim, and unless it is over of its process, which may go on with the next epoch."""
        self._running.remove(run)
        if not over:
            with suppress(RayError, ValueError):
                ray.cancel(run.stream, force=True)
        run.claim.close()
