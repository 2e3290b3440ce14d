"""Where runs are made and go, as the options of ``cssbench run`` say it."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from benchmark.base.errors import UserError
from benchmark.base.names import look_up

if TYPE_CHECKING:
    from benchmark.execution.executor import Executor
    from benchmark.store.store import Store


@dataclass(frozen=True)
class Places:
    """Where runs are made and go: the store, the report's folder, MLflow, worker processes and their patience.

    ``gpus`` are those that workers see in turn. With ``address`` runs are made on that Ray cluster: ``workers`` at
    once, 0 for as many as it has room for, ``runs_per_gpu`` on a GPU, 0 for none. All runs of one ``invocation`` have
    the same parent runs in MLflow.
    """

    store: Path
    report: Path
    tracking_uri: str | None
    workers: int
    timeout: float | None
    gpus: tuple[str, ...] = ()
    address: str | None = None
    runs_per_gpu: int = 0
    invocation: str = field(default_factory=lambda: uuid4().hex)

    def executor(self, store: "Store") -> "Executor":
        """What makes the runs of a store; raises UserError where the cluster cannot be used."""
        if self.address is None:
            from benchmark.execution.local import Scheduler

            return Scheduler(store, self.workers, self.timeout, self.gpus)
        from benchmark.execution.ray.cluster import connect
        from benchmark.execution.ray.executor import RayExecutor

        connect(self.address)
        return RayExecutor(store, self.workers, self.timeout, self.runs_per_gpu)

    def at_once(self) -> int:
        """How many runs are made at a time; raises UserError where the cluster cannot say it."""
        if self.address is None or self.workers:
            return self.workers
        from benchmark.execution.ray.cluster import capacity, connect

        connect(self.address)
        return capacity(self.runs_per_gpu)


def places(
    store: Path,
    report: Path | None,
    tracking_uri: str | None,
    timeout: float | None,
    *,
    device: str,
    workers: int | None,
    gpus: str | None = None,
    workers_per_gpu: int | None = None,
    executor: str = "local",
    address: str | None = None,
) -> Places:
    """The options together; raises UserError for those that do not go together or cannot be had."""
    look_up("executor", executor, dict.fromkeys(("local", "ray")))
    for option, number in (("--workers", workers), ("--workers-per-gpu", workers_per_gpu)):
        if number is not None and number < 1:
            raise UserError(f"{option} must be at least 1, got {number}")
    if timeout is not None and not timeout > 0:
        raise UserError(f"--run-timeout must be more than 0 seconds, got {timeout:g}")
    report = report or store / "report"
    if executor == "local":
        if address is not None:
            raise UserError("--address is of a Ray cluster: add --executor ray, or leave it out")
        from benchmark.execution.placement import place

        count, visible = place(device, workers, gpus, workers_per_gpu)
        return Places(store, report, tracking_uri, count, timeout, visible)
    if gpus is not None:
        raise UserError("--gpus is for this machine: on a cluster Ray places runs; leave it out")
    address = address or os.environ.get("RAY_ADDRESS")
    if not address:
        raise UserError(
            "--executor ray needs the cluster's --address HOST:PORT (or $RAY_ADDRESS), as ray start says it"
        )
    if workers_per_gpu is not None and device != "cuda":
        raise UserError(f"--workers-per-gpu is for --device cuda, and these runs are on {device}")
    return Places(
        store,
        report,
        tracking_uri,
        workers or 0,
        timeout,
        address=address,
        runs_per_gpu=(workers_per_gpu or 1) if device == "cuda" else 0,
    )
