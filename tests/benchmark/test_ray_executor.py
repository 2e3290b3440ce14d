"""A grid on a Ray cluster of several nodes (all on this machine): the bits of the local scheduler, whatever happens."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from harness import digests

from benchmark.data.datasets import DataSet, dataset
from benchmark.errors import UserError
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Retried, Started
from benchmark.execution.scheduler import Scheduler
from benchmark.execution.store import Store
from benchmark.execution.tasks import Task
from benchmark.grid import expand
from benchmark.presets import load_preset

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed")

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
GRID = ("css", "adam")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head, which makes no runs, and two nodes; this process has joined."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # everything on loopback
        patch.setenv("RAY_DISABLE_IMPORT_WARNING", "1")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path.cwd()), str(Path(__file__).parent)]))
        import ray
        from ray.cluster_utils import Cluster

        from benchmark.execution.ray_executor import connect

        made = Cluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0})
        try:
            for _ in range(2):
                made.add_node(**NODE)
            connect(made.address)
            yield made
        finally:
            ray.shutdown()
            made.shutdown()


@pytest.fixture
def executor(cluster: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    from benchmark.execution import ray_executor

    monkeypatch.setattr(ray_executor, "_FETCH_SECONDS", 0)
    return ray_executor.RayExecutor(store)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return prepared(tmp_path / "store")


def prepared(root: Path) -> Store:
    store = Store(root)
    store.prepare()
    return store


def tasks(features: Path, *methods: str, epochs: int = 3, kind: type[DataSet] = DataSet) -> list[Task]:
    data = dataset("meld", features)
    specs = expand(load_preset("smoke"), [data], methods, range(2), training={"epochs": epochs})
    return [Task(spec, kind(data.name, data.family, data.file), None) for spec in specs]


@pytest.fixture(scope="module")
def local(features: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Digests of the grid as the local scheduler makes it."""
    store = prepared(tmp_path_factory.mktemp("local"))
    for _ in Scheduler(store, 1).run(tasks(features, *GRID)):
        pass
    return digests(store.root)


def ends(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events if not isinstance(event, Started | Epoch)]


def test_a_cluster_makes_the_bits_of_one_machine(
    executor: Any, store: Store, features: Path, local: dict[str, Any]
) -> None:
    given = tasks(features, *GRID)
    t=time.time()
    events = list(executor.run(given))
    print(time.time()-t, events)
    assert ends(events) == [Finished] * len(given)
    assert digests(store.root) == local
