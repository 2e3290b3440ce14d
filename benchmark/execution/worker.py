"""A worker process: one torch thread, one run at a time."""

import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from threading import Thread

from benchmark.base.errors import NO_ROOM, UserError
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Started, Waiting
from benchmark.execution.tasks import Task
from benchmark.store.store import Store

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # deterministic cuBLAS
    # or glibc gives large tensors back to the kernel and faults them in again, ten thousand pages a step
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}
"""Set before a worker starts: threads and allocator are decided when libraries load."""

STACK_SIGNAL = signal.SIGUSR1
"""Makes a worker write its stack into its run's log."""


def work(connection: Connection, store: Store, gpu: str | None, environ: Mapping[str, str]) -> None:
    """Execute the tasks that arrive until None does, sending events; errors of a run are sent, not raised.

    Anything that arrives during a run means: stop after this epoch. ``gpu`` is the one that this process sees;
    ``environ`` is the coordinator's environment, which that of a fork's parent need not be.
    """
    os.environ.clear()
    os.environ.update(environ)
    for signum in (signal.SIGINT, signal.SIGTERM):  # both may reach the whole process group: the coordinator decides
        signal.signal(signum, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()
    faulthandler.enable()  # a crash's stack goes to the log
    faulthandler.register(STACK_SIGNAL)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # before torch: CUDA reads it once
    prepare()

    def send(event: Event) -> None:
        try:
            connection.send(event)
        except OSError:  # the coordinator is gone, which is no error of the run
            os._exit(1)

    whole = Store(store.root.absolute())  # whatever folder a plug-in leaves the process in
    while (task := _next(connection)) is not None:
        make(task, whole, send, connection.poll)
    os._exit(0)  # not by the interpreter's end, which waits for every thread that a plug-in has started


def environment() -> dict[str, str]:
    """:data:`ENVIRONMENT`, except what the user has set otherwise."""
    return {name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()}


def prepare() -> None:
    """One torch thread, and deterministic algorithms: before a process makes its first run."""
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # Nothing reads memory before writing it, and filling it first takes a tenth of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def make(task: Task, store: Store, send: Callable[[Event], None], stop: Callable[[], bool]) -> None:
    """Execute one run, printing to its log; what happens is sent, its errors too."""
    from benchmark.execution.running import execute
    from benchmark.training.trainer import Trainer

    def on_epoch(trainer: Trainer) -> None:
        progress = trainer.progress
        send(Epoch(trainer.spec.key, progress.epoch, progress.latest(), progress.best))

    key = task.spec.key
    with _logged(store, key):
        try:
            done = execute(task, store, on_epoch, stop, partial(send, Started(key)), partial(send, Waiting(key)))
            send(Finished(key) if done else Interrupted(key))
        except Exception as error:
            send(Failed(key, _explained(store), lasting=isinstance(error, UserError)))


def _explained(store: Store) -> str:
    """The traceback of the error that is being handled; of a full disk the last line says what to do."""
    text = traceback.format_exc()
    # by its words: the libraries that write weights and tables raise errors of their own
    remedy = next((remedy for number, remedy in NO_ROOM.items() if os.strerror(number) in text), None)
    if remedy is None:
        return text
    return (
        f"{text}no room is left for the store {store.root}: {remedy}, or name a folder elsewhere with --store; the "
        "same command goes on from the last epoch"
    )


@contextmanager
def _logged(store: Store, key: str) -> Iterator[None]:
    """Whatever this process prints, native code too, goes to the run's log; one that stays empty is removed."""
    file, kept = store.log_file(key), [os.dup(1), os.dup(2)]
    try:
        file.parent.mkdir(exist_ok=True)
        log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666)
    except OSError:  # a disk that takes no log may still take the run
        log = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    try:
        yield
    finally:
        for number, before in zip((1, 2), kept, strict=True):
            (sys.stdout, sys.stderr)[number - 1].flush()
            os.dup2(before, number)
            os.close(before)
        with suppress(OSError):
            if not file.stat().st_size:
                file.unlink()


def _next(connection: Connection) -> Task | None:
    try:
        return connection.recv()
    except (EOFError, OSError):
        return None


def _leave_with_parent() -> None:
    """End this process when the coordinator ends, however it does; files are whole at any moment."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
