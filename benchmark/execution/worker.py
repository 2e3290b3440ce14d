"""A worker process: one torch thread, one run at a time."""

import signal
import traceback
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event as StopSignal

from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Started
from benchmark.execution.store import Store
from benchmark.execution.tasks import Task
from benchmark.files import write_atomically

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # deterministic cuBLAS
    # or glibc gives large tensors back to the kernel and faults them in again, ten thousand pages a step
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}
"""Set before a worker starts: threads and allocator are decided when libraries load."""


def work(connection: Connection, store: Store, stop: StopSignal) -> None:
    """Execute the tasks that arrive until None does, sending events; errors of a run are sent, not raised."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the coordinator decides
    import torch

    from benchmark.execution.running import execute
    from benchmark.training.trainer import Trainer

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    task: Task | None
    while (task := connection.recv()) is not None:
        key = task.spec.key

        def on_epoch(trainer: Trainer, key: str = key) -> None:
            metrics = trainer.progress.latest()
            best = max(trainer.progress.column("validation_weighted_f1"))
            connection.send(Epoch(key, trainer.progress.epoch, metrics, best))

        connection.send(Started(key))
        outcome: Event
        try:
            outcome = Finished(key) if execute(task, store, on_epoch, stop.is_set) else Interrupted(key)
        except Exception:
            error = traceback.format_exc()
            store.folder(key).mkdir(parents=True, exist_ok=True)
            write_atomically(store.folder(key) / "error.txt", error.encode())
            outcome = Failed(key, error)
        connection.send(outcome)
