"""A grid on a Ray cluster of several nodes (all on this machine): the bits of the local scheduler, whatever happens."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from benchmark.base.errors import UserError
from benchmark.base.fingerprints import package_fingerprint
from benchmark.data.conversations import Conversations
from benchmark.data.datasets import DataSet, dataset
from benchmark.data.defects.remedies import Change
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Retried, Started, Waiting
from benchmark.execution.local import Scheduler
from benchmark.execution.tasks import Task
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.methods.parts import Plugin
from benchmark.store.checksums import FILES
from benchmark.store.store import Store
from tests.benchmark.harness import HUNG, MAIN, Say, StartCli, digests, until

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed")

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
GRID, LONG = ("css", "adam"), 12


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

        from benchmark.execution.ray.cluster import connect

        made = Cluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0})
        try:
            for _ in range(2):
                made.add_node(**NODE, num_gpus=1)
            connect(made.address)
            yield made
        finally:
            ray.shutdown()
            made.shutdown()


@pytest.fixture
def executor(cluster: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    from benchmark.execution.ray import executor as ray_executor

    monkeypatch.setattr(ray_executor, "_FETCH_SECONDS", 0)
    return ray_executor.RayExecutor(store)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return prepared(tmp_path / "store")


def prepared(root: Path) -> Store:
    store = Store(root)
    store.prepare()
    return store


class Telling(Conversations):
    """Says what its process sees when a run begins with it."""

    def where(self, split: str) -> Conversations:
        began = Path("/proc/self/environ").read_bytes()  # what the allocator read
        print("GPU", os.environ.get("CUDA_VISIBLE_DEVICES"), "writable", self.features["text"].flags.writeable)
        print("threads", torch.get_num_threads(), "deterministic", torch.are_deterministic_algorithms_enabled())
        print("allocator", b"MALLOC_TRIM_THRESHOLD_=1073741824" in began)
        return super().where(split)


class Named(Conversations):
    """Says which process it is in."""

    def where(self, split: str) -> Conversations:
        print("process", os.getpid())
        return super().where(split)


class Slow(Conversations):
    """Takes its time for every batch, so that a run does not end before it is disturbed."""

    def rows(self, conversations: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        time.sleep(0.1)
        return super().rows(conversations)


class Crashing(Conversations):
    def where(self, split: str) -> Conversations:
        os._exit(7)


class Hanging(Conversations):
    def where(self, split: str) -> Conversations:
        time.sleep(3600)
        return self


@dataclass(frozen=True)
class Odd(DataSet):
    """A data set whose conversations do that, on the node that gets them."""

    what: type[Conversations] = Conversations

    def load_remedied(self) -> tuple[Conversations, tuple[Change, ...]]:
        found, changes = super().load_remedied()
        return self.what(**vars(found)), changes


def tasks(features: Path, *methods: str, epochs: int = 3, kinds: tuple[type[Conversations], ...] = ()) -> list[Task]:
    """Two runs a method, or one for each kind of conversations."""
    data = dataset("meld", features)
    specs = expand(load_preset("smoke"), [data], methods, range(len(kinds) or 2), training={"epochs": epochs})
    sets = [Odd(data.name, data.corpus, data.file, what=kind) for kind in kinds] or [data] * len(specs)
    return [Task(spec, chosen, None) for spec, chosen in zip(specs, sets, strict=True)]


@pytest.fixture(scope="module")
def local(features: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The runs below as the local scheduler makes them."""
    store = prepared(tmp_path_factory.mktemp("local"))
    for _ in Scheduler(store, 1).run([*tasks(features, *GRID), *tasks(features, "adam", epochs=LONG)]):
        pass
    return store


def scratch() -> set[Path]:
    """Where runs are being made."""
    return set(Path(tempfile.gettempdir()).glob("css-bench-run-*"))


def ends(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events if not isinstance(event, Started | Waiting | Epoch)]


def test_an_address_that_is_none_or_leads_nowhere_is_named(say: Say, tmp_path: Path) -> None:
    """Before this process joins a cluster: it cannot join another."""
    common = ("run", "--preset", "smoke", "--datasets", "meld-sim", "--device", "cpu", "--store", tmp_path / "store")
    for address in ("127.0.0.1:1", "nowhere", "ray://127.0.0.1:1"):
        ray = ("--executor", "ray", "--address", address)
        code, _, err = say(*common, *ray, "--dry-run")
        assert code == 2
        assert address in err
    assert not (tmp_path / "store").exists()
    for words, remedy in (
        (("--executor", "ray"), "--address HOST:PORT"),
        (("--address", "127.0.0.1:1"), "add --executor ray"),
        (("--executor", "ray", "--address", "a:1", "--gpus", "1"), "leave it out"),
        (("--executor", "ray", "--address", "a:1", "--workers-per-gpu", "2"), "--device cuda"),
    ):
        code, _, err = say(*common, *words)
        assert (code, remedy in err) == (2, True), err


def test_a_cluster_makes_the_bits_of_one_machine(executor: Any, store: Store, features: Path, local: Store) -> None:
    given, before = tasks(features, *GRID), scratch()
    events: list[Event] = []
    with ExitStack() as other:  # another process makes the first one, for a while
        other.enter_context(store.claim(given[0].spec.key))
        for event in executor.run(given):
            events.append(event)
            if isinstance(event, Finished):
                other.close()
    assert events[0] == Waiting(given[0].spec.key)
    assert ends(events) == [Finished] * len(given)
    firsts = [event for event in events[1:] if event.key == given[0].spec.key or isinstance(event, Finished)]
    assert firsts[0].key != given[0].spec.key
    assert digests(store.root).items() <= digests(local.root).items()
    assert len(digests(store.root)) == len(given)
    assert all(store.is_whole(task.spec.key) for task in given)
    assert {file.name for file in store.folder(given[0].spec.key).iterdir()} == {
        *FILES,
        "result.json",
        "weights.safetensors",
    }
    until(lambda: scratch() <= before)
    for task in given:
        mine = [event for event in events[1:] if event.key == task.spec.key]
        assert [type(event) for event in mine] == [Started, *[Epoch] * 3, Finished]

    assert ends(list(executor.run(given))) == [Finished] * len(given)  # the store has them: nothing is made


def test_the_command_makes_its_runs_on_the_cluster(cluster: Any, say: Say, features: Path, tmp_path: Path) -> None:
    what = ("run", "--preset", "smoke", "--data-dir", features, "--methods", "adam", "--device", "cpu")
    ray = ("--executor", "ray", "--address", cluster.address, "--store", tmp_path / "store")
    code, out, err = say(*what, "--seeds", "1", *ray)
    assert code == 0, err
    assert "1/1" in out
    assert len(digests(tmp_path / "store")) == 1
    code, out, err = say(*what, "--seeds", "5", *ray, "--dry-run")
    assert (code, "4 runs to make" in out, " on 2 workers " in out) == (0, True, True), out


def test_what_arrives_damaged_is_no_result(executor: Any, store: Store, local: Store) -> None:
    (key, *_) = digests(local.root)
    files = {file.name: file.read_bytes() for file in local.folder(key).iterdir()}
    store.folder(key).mkdir()
    with pytest.raises(OSError, match=r"damaged on its way: history\.parquet"):
        executor._keep(key, files | {"history.parquet": files["history.parquet"][:-1]})
    assert store.state(key) == "unfinished"
    executor._keep(key, files)
    assert store.is_whole(key)


def test_runs_share_a_gpu_and_the_data_of_their_node(executor: Any, store: Store, features: Path) -> None:
    from benchmark.execution.ray.cluster import capacity
    from benchmark.execution.ray.executor import RayExecutor

    executor = RayExecutor(store, runs_per_gpu=2)
    assert capacity(2) == 2
    given = tasks(features, "adam", kinds=(Telling,))
    assert ends(list(executor.run(given))) == [Finished]
    said = {"GPU 0 writable False", "threads 1 deterministic True", "allocator True"}
    assert set(store.log(given[0].spec.key).decode().splitlines()) == said


def test_a_crash_and_a_hang_cost_the_run_two_attempts_and_no_other(executor: Any, store: Store, features: Path) -> None:
    crashing, hanging, good = given = tasks(features, "adam", kinds=(Crashing, Hanging, Conversations))
    events: list[Event] = []
    for event in executor.run(given):
        events.append(event)
        if {Finished, Failed} <= set(ends(events)):
            executor.timeout = 0.5  # what is left hangs for an hour, so that a busy machine is no cause
    for bad, cause in ((crashing, "is gone"), (hanging, "no epoch was finished within 0.5 s")):
        assert ends([event for event in events if event.key == bad.spec.key]) == [Retried, Failed]
        assert (store.folder(bad.spec.key) / "error.txt").read_text().strip().endswith(cause)
    assert store.is_whole(good.spec.key)


def test_a_node_with_other_libraries_is_refused(cluster: Any, tmp_path: Path) -> None:
    from benchmark.execution.ray.cluster import _refuse_other_nodes

    other = tmp_path / "numpy-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.0\n")
    node = cluster.add_node(**NODE, env_vars={"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])})
    try:
        with pytest.raises(
            UserError, match=rf"node \S+ would make other bits: numpy 1.0, here {np.__version__}; install"
        ):
            _refuse_other_nodes()
    finally:
        cluster.remove_node(node)


def test_the_runs_of_a_node_that_is_killed_go_on_elsewhere(
    cluster: Any, executor: Any, store: Store, features: Path, local: Store
) -> None:
    given = tasks(features, "adam", epochs=LONG, kinds=(Slow, Slow))
    events: list[Event] = []
    killed = False
    for event in executor.run(given):
        events.append(event)
        seen = Counter(event.key for event in events if isinstance(event, Epoch))
        if not killed and len(seen) == 2 and min(seen.values()) >= 2:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
            killed = True
    assert sorted(map(str, ends(events))) == sorted(map(str, [Retried, Finished, Finished]))
    assert digests(store.root).items() <= digests(local.root).items()
    assert len(digests(store.root)) == 2
    (again,) = [event.key for event in events if isinstance(event, Retried)]
    epochs = [event.epoch for event in events if isinstance(event, Epoch) and event.key == again]
    assert epochs.count(1) == 1, "it began anew"
    assert epochs[-1] == LONG


def test_stopping_keeps_every_epoch_and_the_run_goes_on_here(executor: Any, store: Store, features: Path) -> None:
    given = tasks(features, "adam", epochs=LONG, kinds=(Slow, Slow))
    events: list[Event] = []
    for event in executor.run(given):
        events.append(event)
        if isinstance(event, Epoch):
            executor.stop()
    assert ends(events) == [Interrupted]
    (last,) = [event for event in events[-2:] if isinstance(event, Epoch)]
    with store.claim(last.key) as granted:
        assert granted
    (task,) = [task for task in tasks(features, "adam", epochs=LONG) if task.spec.key == last.key]
    here = list(Scheduler(store, 1).run([task]))
    assert next(event.epoch for event in here if isinstance(event, Epoch)) == last.epoch + 1


def test_without_ray_the_command_says_how_to_get_it(start_cli: StartCli, tmp_path: Path) -> None:
    code = f"import sys; sys.modules['ray'] = None; {MAIN}"
    ray = ("--executor", "ray", "--address", "127.0.0.1:1", "--preset", "smoke", "--store", tmp_path)
    process = start_cli("run", "--dry-run", *ray, code=code)
    _, err = process.communicate(timeout=HUNG)
    assert process.returncode == 2
    assert err.strip() == "error: --executor ray needs Ray: install it with pip install 'css-bench[ray]'"


def test_a_run_with_a_plug_in_is_the_last_of_its_process(executor: Any, store: Store, features: Path) -> None:
    factory = "baselines.fusions.concat:ConcatFusion"  # which stands for somebody else's
    plugin = Plugin(factory=factory, source=package_fingerprint(factory))
    foreign = []
    for task in tasks(features, "concat", kinds=(Named,) * 3):
        fusion = task.spec.method.fusion.model_copy(update={"plugin": plugin})
        method = task.spec.method.model_copy(update={"fusion": fusion})
        foreign.append(replace(task, spec=task.spec.model_copy(update={"method": method})))
    executor.workers = 1
    assert ends(list(executor.run(foreign))) == [Finished] * 3
    logs = [store.log(task.spec.key).decode().split() for task in foreign]
    assert len({log[log.index("process") + 1] for log in logs}) == 3
