"""Workers on GPUs: how many, which each sees, and that nothing else depends on it."""

import os
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmark.base.errors import UserError
from benchmark.data.datasets import DataSet, dataset
from benchmark.execution import placement
from benchmark.execution.events import Finished, Retried
from benchmark.execution.local import Scheduler
from benchmark.execution.placement import place
from benchmark.execution.tasks import Task
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.store.store import Store
from tests.benchmark.harness import Say, digests


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with four GPUs."""
    monkeypatch.setattr(placement, "cuda_devices", lambda: 4)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("workers", "gpus", "each", "expected"),
    [
        (None, None, None, (4, ("0", "1", "2", "3"))),
        (None, "all", 3, (12, ("0", "1", "2", "3"))),
        (None, "2", None, (2, ("0", "1"))),
        (None, "2", 2, (4, ("0", "1"))),
        (6, None, None, (6, ("0", "1", "2", "3"))),
        (1, "2", None, (1, ("0", "1"))),
    ],
)
def test_workers_are_counted_by_gpus(
    workers: int | None, gpus: str | None, each: int | None, expected: tuple[int, tuple[str, ...]]
) -> None:
    assert place("cuda", workers, gpus, each) == expected


def test_only_the_gpus_that_this_process_may_see_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "cuda_devices", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,GPU-8f2c")
    assert place("cuda", None, "all", 1) == (2, ("5", "GPU-8f2c"))


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("device", "workers", "gpus", "each", "message"),
    [
        ("cpu", None, "2", None, "are for --device cuda, and these runs are on cpu"),
        ("cpu", None, None, 2, "are for --device cuda, and these runs are on cpu"),
        ("cuda", 2, None, 2, "leave one out"),
        ("cuda", None, "5", None, "--gpus 5: there are 4"),
        ("cuda", None, "0", None, "--gpus 0: there are 4"),
        ("cuda", None, "two", None, "--gpus two: there are 4"),
    ],
)
def test_what_cannot_be_had_is_said(
    device: str, workers: int | None, gpus: str | None, each: int | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        place(device, workers, gpus, each)


def test_a_machine_without_cuda_says_so(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.base.devices.cuda_devices", lambda: 0)
    common = ("run", "--preset", "smoke", "--datasets", "meld-sim", "--dry-run", "--store", tmp_path)
    code, _, err = say(*common, "--gpus", "2")
    assert (code, "--gpus and --workers-per-gpu are for --device cuda" in err) == (2, True)
    code, _, err = say(*common, "--device", "cuda", "--gpus", "2")
    assert (code, "no CUDA device for torch" in err) == (2, True)


@dataclass(frozen=True)
class Noting(DataSet):
    """Its description, which the worker alone asks for, notes the GPU that the worker sees."""

    @property
    def description(self) -> str:
        gpu = os.environ.get("CUDA_VISIBLE_DEVICES")
        with Path(os.environ["NOTES"]).open("a") as notes:
            notes.write(f"{self.name} {gpu} {os.getpid()}\n")
        self.then()
        return "data"

    def then(self) -> None:
        pass


class Dying(Noting):
    def then(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_workers_see_their_gpu_in_turn_and_a_new_one_takes_a_dead_ones_place(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    data = dataset("meld", features)
    specs = expand(load_preset("smoke"), [data], ["adam"], range(5), training={"epochs": 1})
    found = {}
    for name, workers, gpus in (("none", 1, ()), ("two", 4, ("3", "5"))):
        store = Store(tmp_path / name)
        store.prepare()
        (tmp_path / "notes").unlink(missing_ok=True)
        kinds = [Noting] * 5 if name == "none" else [Dying, *[Noting] * 4]
        tasks = [Task(s, k(data.name, data.corpus, data.file), None) for s, k in zip(specs, kinds, strict=True)]
        scheduler = Scheduler(store, workers, gpus=gpus)
        events, at_once = [], []
        for event in scheduler.run(tasks):
            events.append(type(event))
            at_once.append(Counter(worker.gpu for worker in scheduler._busy.values()))
        found[name] = {tuple(line.split()[1:]) for line in (tmp_path / "notes").read_text().splitlines()}
        if gpus:
            assert max(at_once, key=Counter.total) == {"3": 2, "5": 2}
            assert all(crowd[gpu] <= 2 for crowd in at_once for gpu in gpus)
            assert events.count(Retried) == 1
            assert events.count(Finished) == 4
        else:
            undisturbed = digests(store.root)
    assert {gpu for gpu, _ in found["none"]} == {str(os.environ.get("CUDA_VISIBLE_DEVICES"))}
    assert Counter(gpu for gpu, _ in found["two"]).keys() == {"3", "5"}
    assert digests(tmp_path / "two").items() <= undisturbed.items()  # keys and bits are the same
    assert len(digests(tmp_path / "two")) == 4
