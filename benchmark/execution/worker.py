"""A worker process: one torch thread, one run at a time."""

import os
import signal
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from threading import Thread

from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Started
from benchmark.execution.store import Store
from benchmark.execution.tasks import Task

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # deterministic cuBLAS
    # or glibc gives large tensors back to the kernel and faults them in again, ten thousand pages a step
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}
"""Set before a worker starts: threads and allocator are decided when libraries load."""


def work(connection: Connection, store: Store) -> None:
    """Execute the tasks that arrive until None does, sending events; errors of a run are sent, not raised.

    Anything that arrives during a run means: stop after this epoch.
    """
    for signum in (signal.SIGINT, signal.SIGTERM):  # both may reach the whole process group: the coordinator decides
        signal.signal(signum, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()
    import torch

    from benchmark.execution.running import execute
    from benchmark.training.trainer import Trainer

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # Nothing reads memory before writing it, and filling it first takes a tenth of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]

    def send(event: Event) -> None:
        try:
            connection.send(event)
        except OSError:  # the coordinator is gone, which is no error of the run
            os._exit(1)

    def on_epoch(trainer: Trainer) -> None:
        progress = trainer.progress
        best = max(progress.column("validation_weighted_f1"))
        send(Epoch(trainer.spec.key, progress.epoch, progress.latest(), best))

    while (task := _next(connection)) is not None:
        key = task.spec.key
        send(Started(key))
        try:
            send(Finished(key) if execute(task, store, on_epoch, connection.poll) else Interrupted(key))
        except Exception:
            error = traceback.format_exc()
            store.fail(key, error)
            send(Failed(key, error))


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
