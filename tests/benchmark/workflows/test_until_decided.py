"""Seeds until it is decided, through the front door: order of runs, looks in the store, interruption, locks, refits."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import benchmark
from benchmark.execution.events import Event, Finished
from benchmark.execution.listener import Hear
from benchmark.experiment.spec import RunSpec
from benchmark.workflows import until_decided
from benchmark.workflows.grid import plan_grid
from tests.benchmark.harness import alive, digests, until
from tests.benchmark.workflows.heard import Heard
from tests.paths import ROOT


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, Any]:
    """Three methods on a small simulated corpus: runs of a moment that learn something, and two looks."""
    return {
        "datasets": ["meld-sim(scale=0.05)"], "methods": ["adam", "concat", "linear"], "preset": "smoke", "epochs": 3,
        "device": "cpu", "store": tmp_path / "store", "workers": 1, "report": False, "margin": 60.0,
        "until_decided": True, "looks": "2,4", "spending": "pocock", "training": {"lr": 0.01},
    }  # fmt: skip


def looks(store: Path) -> dict[int, list[Mapping[str, Any]]]:
    """What every look of the one family says of its comparisons; the time is left out."""
    return {
        int(path.stem): json.loads(path.read_text())["comparisons"] for path in sorted(store.glob("looks/*/*.json"))
    }


def seeds(store: Path) -> dict[str, list[int]]:
    """The seeds of the finished runs, by method."""
    specs = [json.loads((store / "runs" / key / "spec.json").read_text()) for key in digests(store)]
    return {label: sorted(s["seed"] for s in specs if s["label"] == label) for label in {s["label"] for s in specs}}


class Impatient(Heard):
    """Presses Ctrl-C, or sends another signal to its own process, as soon as so many runs are finished."""

    def __init__(self, after: int, ends: signal.Signals = signal.SIGINT) -> None:
        super().__init__()
        self.after = after
        self.ends = ends

    @contextmanager
    def runs(self, specs: Mapping[str, RunSpec], title: str = "all runs") -> Iterator[Hear]:
        def hear(event: Event) -> None:
            self.events.append(event)
            if sum(isinstance(e, Finished) for e in self.events) == self.after and isinstance(event, Finished):
                os.kill(os.getpid(), self.ends)

        yield hear


def test_a_plan_that_is_cut_off_goes_on_to_the_same_decisions_and_bits(asked: dict[str, Any], tmp_path: Path) -> None:
    whole = asked | {"store": tmp_path / "whole"}
    heard = Heard()
    outcome = benchmark.run(**whole, listener=heard)
    assert not outcome.failed
    assert heard.messages[0] == "look 1 of 2, at 2 seeds: 0 of 2 comparisons decided; 6 to 12 runs to come"
    assert looks(whole["store"]).keys() <= {2, 4}
    for after in (1, 6, 7):
        stopped = benchmark.run(**asked, listener=Impatient(after))
        if not stopped.interrupted:
            break
    benchmark.run(**asked)
    assert looks(asked["store"]) == looks(whole["store"])
    assert digests(asked["store"]) == digests(whole["store"])
    (verified,) = [each for each in benchmark.verify(store=asked["store"], files=True) if "look" in each.name]
    assert (verified.status, verified.sentences) == (benchmark.Status.SAME, ["decided as the store's runs say"])
    before = {path: path.stat().st_mtime_ns for path in asked["store"].glob("looks/*/*.json")}
    again = benchmark.run(**asked)
    assert again.made == 0
    assert set(again.keys) == set(digests(asked["store"]))
    assert {path: path.stat().st_mtime_ns for path in asked["store"].glob("looks/*/*.json")} == before


KILLED = """
import signal
from pathlib import Path
import benchmark
from tests.benchmark.workflows.test_until_decided import Impatient
benchmark.run(**{asked!r} | {{"store": Path({store!r})}}, listener=Impatient({after}, signal.SIGKILL))
"""


def test_a_plan_whose_process_is_killed_goes_on_to_the_same_decisions_and_bits(
    asked: dict[str, Any], tmp_path: Path
) -> None:
    """Killed amid the runs of a look, and when the last of them is done and the look not yet written."""
    whole = asked | {"store": tmp_path / "whole"}
    benchmark.run(**whole)
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    given = {name: value for name, value in asked.items() if name != "store"}
    for left in (4, 0):  # runs of the first look's six
        after = 6 - len(digests(asked["store"])) - left
        code = KILLED.format(asked=given, store=str(asked["store"]), after=after)
        killed = subprocess.Popen(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, start_new_session=True
        )
        assert killed.wait() == -signal.SIGKILL
        until(lambda pid=killed.pid: not alive(pid))  # a worker may end its run before it notices
        assert not looks(asked["store"])
    assert len(digests(asked["store"])) == 6
    benchmark.run(**asked)
    assert looks(asked["store"]) == looks(whole["store"])
    assert digests(asked["store"]) == digests(whole["store"])


def test_the_plan_is_declared_before_its_first_run_and_a_look_written_before_the_next_ones(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decisions of the first look: one comparison is over, and its method gets no further seed."""
    rounds = []

    def made(what: str, specs: list[RunSpec], data: Any, store: Any, *rest: Any, declared: Any, title: str) -> Any:
        rounds.append([(spec.method.label, spec.seed) for spec in specs])
        declared.declare(store.root)
        assert len(list(store.root.glob("looks/*/*.json"))) == len(rounds) - 1
        return until_decided.Outcome(store.root, [spec.key for spec in specs])

    def look(store: Path, name: str) -> dict[str, Any]:
        plan = json.loads((store / "preregistrations" / f"{name}.json").read_text())
        assert plan["looks"] == [2, 4]
        ends = ["shown equal", None] if len(rounds) == 1 else ["shown equal", "rejected"]
        return {"comparisons": [
            {**c, "decision": end, "mean": 0.5, "reason": ""} for c, end in zip(plan["comparisons"], ends, strict=True)
        ]}  # fmt: skip

    monkeypatch.setattr(until_decided, "make_missing", made)
    monkeypatch.setattr("reports.take_look", look)
    heard = Heard()
    outcome = benchmark.run(**asked, listener=heard)
    first, second = rounds
    assert sorted(first) == [(label, seed) for label in ("adam", "concat", "linear") for seed in (0, 1)]
    assert sorted(set(second) - set(first)) == [(label, seed) for label in ("adam", "linear") for seed in (2, 3)]
    assert len(outcome.keys) == 10
    name = "meld-sim(scale=0.05)"
    assert f"decided at 2 seeds: {name}: adam − concat: shown equal, +0.50 points" in heard.messages
    assert f"decided at 4 seeds: {name}: adam − linear: different, +0.50 points" in heard.messages
    assert heard.messages[-1] == "until decided: 2 of 2 comparisons decided"


def test_refits_follow_on_the_seeds_that_the_looks_have_used(asked: dict[str, Any]) -> None:
    small = asked | {"methods": ["adam", "linear"], "looks": "2", "refit": True}
    outcome = benchmark.run(**small)
    specs = [json.loads((asked["store"] / "runs" / key / "spec.json").read_text()) for key in outcome.keys]
    made = sorted((spec["protocol"], spec["label"], spec["seed"]) for spec in specs)
    assert made == [(protocol, label, seed) for protocol in ("refit", "validated") for label in ("adam", "linear")
                    for seed in (0, 1)]  # fmt: skip
    assert looks(asked["store"]).keys() == {2}


def test_runs_that_were_there_before_the_plan_are_judged_and_called_exploratory(asked: dict[str, Any]) -> None:
    fixed = {k: v for k, v in asked.items() if k not in ("until_decided", "looks", "spending")}
    benchmark.run(**fixed, seeds=2)
    heard = Heard()
    outcome = benchmark.run(**asked | {"looks": "2"}, listener=heard)
    assert (outcome.made, len(outcome.keys)) == (0, 6)
    assert looks(asked["store"]).keys() == {2}
    assert [notice.partition(":")[2] for notice in heard.notices] == [
        " 6 runs of this plan were made before it was declared, so the report shows its comparisons as exploratory; "
        "another --store would not"
    ]


def test_where_every_comparison_lacks_runs_no_look_is_taken(asked: dict[str, Any], features: Path) -> None:
    """The reference fails in every seed: the same command goes on once the cause is gone."""
    small = asked | {"datasets": ["meld"], "data_dir": features, "training": {"lr": 1e30}, "looks": "2"}
    heard = Heard()
    outcome = benchmark.run(**small, listener=heard)
    assert outcome.failed == 6
    assert any("no look was taken, and the same command goes on" in notice for notice in heard.notices)
    assert looks(small["store"]) == {}


def test_a_lock_carries_the_plan(asked: dict[str, Any], tmp_path: Path) -> None:
    choices = {k: v for k, v in asked.items() if k not in ("store", "workers", "report")}
    benchmark.lock(tmp_path / "lock.json", **choices)
    plan = plan_grid(asked["store"], **choices).preregistration
    heard = Heard()
    where = {"store": asked["store"], "workers": 1, "report": False}
    benchmark.run(**where, locked=tmp_path / "lock.json", dry_run=True, listener=heard)
    assert plan is not None
    assert heard.messages[0] == "looks at 2, 4 seeds: 0 of 2 comparisons decided"
    assert heard.messages[1].startswith("at least: 6 runs to make")
    assert heard.messages[2].startswith("at most: 12 runs to make")
    assert not asked["store"].exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"until_decided": False}, "--looks and --spending say how --until-decided judges"),
        ({"minutes": 3}, "--minutes and --until-decided both choose"),
        ({"protocol": "published"}, "--protocol published has none"),
        ({"protocol": "sessions"}, "--until-decided judges runs of the published split"),
        ({"looks": "4,2"}, "increasing numbers of seeds"),
        ({"seeds": 3}, "the last look is at 4 seeds, and --seeds names 3"),
        ({"spending": "haybittle"}, "unknown spending 'haybittle'"),
        ({"contrasts": "adam:concat"}, "linear is in none"),
    ],
)
def test_what_does_not_go_together_is_refused(asked: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(benchmark.UserError, match=message):
        benchmark.run(**asked | change)
    assert not asked["store"].exists()
