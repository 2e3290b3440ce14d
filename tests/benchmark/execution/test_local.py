"""Tasks over worker processes: each ends in one event, whatever happens to the worker."""

import ctypes
import errno
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from threading import Thread, Timer

import pytest

from benchmark.base.errors import DataError
from benchmark.data.datasets import DataSet, dataset
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Retried, Started, Waiting
from benchmark.execution.local import Scheduler, _Worker, _workers_environment
from benchmark.execution.tasks import Task
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.store.store import Store
from tests.benchmark.harness import digests, until


@dataclass(frozen=True)
class Misbehaving(DataSet):
    """Its description is asked for by the worker alone, when the run begins."""

    @property
    def description(self) -> str:
        print("about to misbehave", flush=True)
        self.misbehave()
        return "data"

    def misbehave(self) -> None:
        raise ValueError("no such thing")


class Unusable(Misbehaving):
    def misbehave(self) -> None:
        raise DataError("no such file")


class FullDisk(Misbehaving):
    def misbehave(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Killed(Misbehaving):
    def misbehave(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Segfault(Misbehaving):
    def misbehave(self) -> None:
        ctypes.string_at(0)


class Leaving(Misbehaving):
    def misbehave(self) -> None:
        os._exit(7)


class Hanging(Misbehaving):
    def misbehave(self) -> None:
        time.sleep(3600)


class Flaky(Misbehaving):
    def misbehave(self) -> None:
        tried = Path(os.environ["TRIED"])
        if not tried.exists():
            tried.touch()
            raise OSError("not now")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.prepare()
    return store


def tasks(features: Path, *kinds: type[DataSet], epochs: int = 2) -> list[Task]:
    """A task for each kind of data set, all on the tiny feature file."""
    data = dataset("meld", features)
    specs = expand(load_preset("smoke"), [data], ["adam"], range(len(kinds)), training={"epochs": epochs})
    return [Task(spec, k(data.name, data.corpus, data.file), None) for spec, k in zip(specs, kinds, strict=True)]


def ends(events: list[Event]) -> list[tuple[type[Event], str]]:
    return [(type(event), event.key) for event in events if not isinstance(event, Started | Waiting | Epoch)]


@pytest.mark.parametrize(
    ("kind", "cause", "logged"),
    [
        (Misbehaving, "ValueError: no such thing", ""),
        (Killed, "the worker process was killed, as happens when memory runs out: try fewer --workers", ""),
        (Segfault, "the worker process died (signal SIGSEGV)", "Fatal Python error: Segmentation fault"),
        (Leaving, "the worker process died (exit code 7)", ""),
        (Hanging, "no epoch was finished within 1.5 s", "in misbehave"),
    ],
)
def test_a_run_that_fails_is_tried_twice_and_costs_itself_alone(
    store: Store, features: Path, kind: type[DataSet], cause: str, logged: str
) -> None:
    bad, good = given = tasks(features, kind, DataSet)
    events = list(Scheduler(store, workers=1, timeout=1.5 if kind is Hanging else None).run(given))
    assert ends(events) == [(Retried, bad.spec.key), (Finished, good.spec.key), (Failed, bad.spec.key)]
    error = (store.folder(bad.spec.key) / "error.txt").read_text()
    assert error.strip().splitlines()[-1] == cause
    assert logged in error
    log = store.log_file(bad.spec.key).read_text()
    assert log.count("about to misbehave") == 2
    assert log.count(logged) >= 2
    assert kind is Misbehaving or error.count("about to misbehave") == 1  # the second attempt's words, not the first's
    assert [store.state(task.spec.key) for task in given] == ["failed", "complete"]
    assert not store.log_file(good.spec.key).exists()

    again = list(Scheduler(store, workers=1).run(tasks(features, DataSet)))
    assert type(again[-1]) is Finished
    assert not list(store.runs.glob("*/error.txt"))


def test_a_run_that_finds_no_space_says_what_to_do(store: Store, features: Path) -> None:
    *_, failed = Scheduler(store, workers=1).run(tasks(features, FullDisk))
    assert isinstance(failed, Failed)
    *_, cause, remedy = failed.error.strip().splitlines()
    assert "No space left on device" in cause
    assert remedy.startswith(f"no room is left for the store {store.root}: free some space, or name a folder elsewhere")


def test_wrong_input_is_not_tried_again(store: Store, features: Path) -> None:
    (bad,) = given = tasks(features, Unusable)
    assert ends(list(Scheduler(store, workers=1).run(given))) == [(Failed, bad.spec.key)]


def test_a_run_that_fails_once_succeeds(
    store: Store, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIED", str(tmp_path / "tried"))
    (task,) = given = tasks(features, Flaky)
    events = list(Scheduler(store, workers=1).run(given))
    assert ends(events) == [(Retried, task.spec.key), (Finished, task.spec.key)]
    assert store.is_whole(task.spec.key)


def test_silence_is_counted_from_the_last_word_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("benchmark.execution.local.time.monotonic", lambda: next(clock))
    worker = object.__new__(_Worker)
    worker.connection, theirs = Pipe()
    worker._heard = None
    assert worker.silence() == 0  # before the run begins, as while another process makes it
    theirs.send(Started("a"))
    worker.hear()
    assert [worker.silence(), worker.silence()] == [1, 2]
    theirs.send(Epoch("a", 1, {}, 0.5))
    worker.hear()
    assert worker.silence() == 1


def test_waiting_for_another_process_is_not_hanging(store: Store, features: Path) -> None:
    (task,) = given = tasks(features, DataSet)
    scheduler, events = Scheduler(store, workers=1, timeout=0.2), []
    thread = Thread(target=lambda: events.extend(scheduler.run(given)))
    with store.claim(task.spec.key):
        thread.start()
        until(store.log_file(task.spec.key).exists)  # the worker has the run in hand
        time.sleep(1)
        scheduler.stop()
        thread.join(60)
    assert [(type(event), event.key) for event in events] == [(kind, task.spec.key) for kind in (Waiting, Interrupted)]


def test_the_environment_of_workers_is_not_that_of_who_starts_them(
    store: Store, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    before = dict(os.environ)
    assert ends(list(Scheduler(store, workers=1).run(given := tasks(features, DataSet)))) == [
        (Finished, given[0].spec.key)
    ]
    assert dict(os.environ) == before


def test_threads_that_start_workers_wait_for_each_others_environment() -> None:
    before, left = dict(os.environ), threading.Event()
    faults: list[BaseException] = []

    def start() -> None:
        try:
            with _workers_environment():
                left.wait(60)
        except BaseException as fault:
            faults.append(fault)

    thread = Thread(target=start)
    with _workers_environment():
        thread.start()
        thread.join(1)  # time to come in where nothing keeps it out
    left.set()
    thread.join(60)
    assert not faults
    assert dict(os.environ) == before


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


def test_tasks_may_follow_from_events(store: Store, features: Path) -> None:
    first, second = tasks(features, DataSet, DataSet)
    heard: list[Event] = []
    asked = 0

    def following() -> Iterator[Task | None]:
        nonlocal asked
        yield first
        while not ends(heard):
            asked += 1
            yield None
        yield second

    for event in Scheduler(store, workers=2).run(following()):
        heard.append(event)  # noqa: PERF402 - the tasks follow from what is heard
    assert ends(heard) == [(Finished, first.spec.key), (Finished, second.spec.key)]
    assert asked < 2000  # not in a loop that never rests


def test_a_run_is_tried_again_though_more_tasks_wait_for_it(
    store: Store, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIED", str(tmp_path / "tried"))
    (flaky,) = tasks(features, Flaky)
    heard: list[Event] = []

    def following() -> Iterator[Task | None]:
        yield flaky
        while not any(isinstance(event, Finished) for event in heard):
            assert len(heard) < 100
            yield None

    scheduler = Scheduler(store, workers=1)
    patience = Timer(120, scheduler.stop)
    patience.start()
    for event in scheduler.run(following()):
        heard.append(event)  # noqa: PERF402 - the tasks follow from what is heard
    patience.cancel()
    assert [kind for kind, _ in ends(heard)] == [Retried, Finished]


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


def test_neither_the_order_of_a_grid_nor_what_else_is_in_it_nor_workers_change_a_bit(
    features: Path, tmp_path: Path
) -> None:
    data = dataset("meld", features)
    specs = expand(load_preset("smoke"), [data], ["css", "adam", "pcgrad"], [0, 1])
    grids = {
        "forwards": (1, specs),
        "backwards": (1, specs[::-1]),
        "two workers": (2, specs[1:] + specs[:1]),
        "fewer methods": (1, [spec for spec in specs if spec.method.label != "css"]),
        "one run": (1, [spec for spec in specs if spec.method.label == "css"][1:]),
    }
    found = {}
    for name, (workers, chosen) in grids.items():
        held = Store(tmp_path / name)
        held.prepare()
        events = Scheduler(held, workers).run([Task(spec, data, None) for spec in chosen])
        assert sum(isinstance(event, Finished) for event in events) == len(chosen)
        found[name] = digests(held.root)
    assert len(found["forwards"]) == len({json.dumps(digest) for digest in found["forwards"].values()}) == 6
    for name, digest in found.items():
        assert digest.items() <= found["forwards"].items(), name


class Telling(Misbehaving):
    def misbehave(self) -> None:
        threads = len(list(Path(f"/proc/{os.getppid()}/task").iterdir()))
        raise DataError(f"{os.environ['TOLD']}, {threads} in the parent")


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forks on Linux alone")
@pytest.mark.parametrize("word", ["once", "again"])
def test_workers_are_forks_of_a_process_with_one_thread_and_have_the_coordinators_environment(
    word: str, store: Store, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLD", word)
    (event,) = [e for e in Scheduler(store, 1).run(tasks(features, Telling)) if isinstance(e, Failed)]
    assert f"{word}, 1 in the parent" in event.error


def test_workers_run_the_code_that_is_there_when_they_start(
    store: Store, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for word in ("first", "second time"):  # of another length: a compiled file tells by it
        (tmp_path / "edited_between_grids.py").write_text(
            "from benchmark.base.errors import DataError\n"
            "from tests.benchmark.execution.test_local import Misbehaving\n"
            f"class Edited(Misbehaving):\n    def misbehave(self):\n        raise DataError({word!r})\n"
        )
        kind = importlib.import_module("edited_between_grids").Edited
        (event,) = [e for e in Scheduler(store, 1).run(tasks(features, kind)) if isinstance(e, Failed)]
        assert f"DataError: {word}" in event.error
