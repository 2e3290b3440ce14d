"""What the tests of studies share: plans without training, and a search whose runs are made in no time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmark.data.datasets import dataset
from benchmark.execution.events import Failed, Finished
from benchmark.execution.tasks import Task
from benchmark.experiment.presets import load_preset
from benchmark.experiment.spec import RunSpec
from benchmark.store.store import Store
from benchmark.tuning import search as searching
from benchmark.tuning.measuring import Measured
from benchmark.tuning.plan import Plan, Recipe
from benchmark.tuning.search import Open, Search
from benchmark.tuning.storage import Heartbeat, connect
from benchmark.tuning.study import Study

Score = Callable[[RunSpec], float]


def recipe(method: str = "css", **options: Any) -> Recipe:
    """Of a simulated corpus, which is never made here."""
    return Recipe(load_preset("smoke"), dataset("meld-sim", None), method, **options)


def plan(method: str = "css", name: str = "a study", seeds: int = 1, **options: Any) -> Plan:
    return Plan(name, recipe(method), seeds, **options)


@contextmanager
def opened(url: str, *plans: Plan, trials: int | None = None, host: str = "here") -> Iterator[list[Study]]:
    """The plans' studies; none of their trials has a heartbeat after its first. Locks do not reach another host."""
    database = connect(url)
    locks = Path(url.removeprefix("sqlite:///")).parent / host
    studies = [Study(each, database, Heartbeat(database), locks) for each in plans]
    for study in studies:
        study.extend(trials)
    yield studies
    database.engine.dispose()


class Workshop:
    """A store without files, whose runs score what a function of their specification says.

    Attributes:
        made: the keys of all runs that were executed, in order.
        ended: the trials that ended.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path, score: Score) -> None:
        self.store = Store(root)
        self.score = score
        self.made: list[str] = []
        self.ended: list[Open] = []
        self._specs: dict[str, RunSpec] = {}
        monkeypatch.setattr(Store, "is_whole", lambda _, key: key in self._specs)
        monkeypatch.setattr(searching, "measure", self._measure)

    def _measure(self, folder: Path, seed: int, _: Any) -> Measured:
        score = self.score(self._specs[folder.name])
        return Measured(seed=seed, key=folder.name, validation=score, volatility=1 - score, seconds=2.0, epochs=1)

    def search(self, studies: list[Study]) -> Search:
        return Search(
            studies, self.store, lambda spec: Task(spec, dataset("meld-sim", None), None), lambda *_: 0.0,
            self.ended.append,
        )  # fmt: skip

    def make(self, search: Search, task: Task, error: str | None = None) -> None:
        """Execute a run, to the search's knowledge."""
        key = task.spec.key
        self.made.append(key)
        if error:
            search.hear(Failed(key, error))
        else:
            self._specs[key] = task.spec
            search.hear(Finished(key))

    def run(self, studies: list[Study], fails: Callable[[RunSpec], bool] = lambda _: False) -> Search:
        """Make everything, one run after the other."""
        search = self.search(studies)
        for task in search.tasks():
            if task is None:
                time.sleep(0.05)
            else:
                self.make(search, task, "ValueError: no such thing" if fails(task.spec) else None)
        return search


def rank_and_order(spec: RunSpec) -> tuple[int, int]:
    options = spec.method.fusion.options
    return int(options["rank"]), int(options["order"])
