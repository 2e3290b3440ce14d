"""Tasks over worker processes: each ends in one event, whatever happens to the worker."""

import os
import signal
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from benchmark.data.datasets import DataSet, dataset
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Started
from benchmark.execution.scheduler import Scheduler
from benchmark.execution.store import Store
from benchmark.execution.tasks import Task
from benchmark.grid import expand
from benchmark.presets import load_preset


@dataclass(frozen=True)
class Broken(DataSet):
    @property
    def description(self) -> str:  # asked for by the worker alone
        raise ValueError("no such thing")


@dataclass(frozen=True)
class Deadly(DataSet):
    @property
    def description(self) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.prepare()
    return store


def tasks(features: Path, *kinds: type[DataSet], epochs: int = 2) -> list[Task]:
    """A task for each kind of data set, all on the tiny feature file."""
    data = dataset("meld", features)
    specs = expand(load_preset("smoke"), [data], ["adam"], range(len(kinds)), training={"epochs": epochs})
    return [Task(spec, k(data.name, data.family, data.file), None) for spec, k in zip(specs, kinds, strict=True)]


def test_a_run_that_raises_and_a_worker_that_dies_cost_those_runs_alone(store: Store, features: Path) -> None:
    bad, dead, good = given = tasks(features, Broken, Deadly, DataSet)
    events = list(Scheduler(store, workers=1).run(given))
    ends = [event for event in events if not isinstance(event, Started | Epoch)]
    assert [(type(e), e.key) for e in ends] == [
        (Failed, bad.spec.key),
        (Failed, dead.spec.key),
        (Finished, good.spec.key),
    ]
    assert "ValueError: no such thing" in (store.folder(bad.spec.key) / "error.txt").read_text()
    assert "killed" in (store.folder(dead.spec.key) / "error.txt").read_text()
    assert [store.state(task.spec.key) for task in given] == ["failed", "failed", "complete"]

    again = list(Scheduler(store, workers=1).run(tasks(features, DataSet, DataSet)))
    assert sum(isinstance(event, Finished) for event in again) == 2
    assert not list(store.runs.glob("*/error.txt"))


def test_stopping_ends_the_run_after_its_epoch_and_starts_no_other(store: Store, features: Path) -> None:
    given = tasks(features, DataSet, DataSet, epochs=2000)
    scheduler = Scheduler(store, workers=1)
    events: list[Event] = []
    for event in scheduler.run(given):
        events.append(event)
        if isinstance(event, Epoch):
            scheduler.stop()
    assert type(events[-1]) is Interrupted
    assert {event.key for event in events} == {given[0].spec.key}
    assert (store.folder(given[0].spec.key) / "checkpoint.safetensors").exists()


def test_leaving_early_ends_the_workers_at_once(store: Store, features: Path) -> None:
    scheduler = Scheduler(store, workers=1)
    with closing(scheduler.run(tasks(features, DataSet, DataSet, epochs=2000))) as events:
        next(events)
        (worker,) = scheduler._busy.values()
    assert worker.process.exitcode == -signal.SIGKILL


def test_a_run_that_two_processes_want_is_made_once(store: Store, features: Path) -> None:
    heard: list[Event] = []

    def make() -> None:
        heard.extend(Scheduler(store, workers=1).run(tasks(features, DataSet, epochs=30)))

    threads = [Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(event, Finished) for event in heard) == 2
    assert [event.epoch for event in heard if isinstance(event, Epoch)] == list(range(1, 31))


def test_a_claim_ends_with_its_holder_and_excludes_all_others(store: Store) -> None:
    with store.claim("0" * 16) as first, store.claim("0" * 16) as second, store.claim("1" * 16) as other:
        assert (first, second, other) == (True, False, True)
    with store.claim("0" * 16) as again:
        assert again
    assert not list(store.folder("0" * 16).iterdir())
