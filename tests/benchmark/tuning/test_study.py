"""A study's trials: each executed once, whoever shares it and whoever dies; nothing but validation scores decides."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import optuna
import pytest
from sqlalchemy.exc import IntegrityError

from benchmark.base.errors import UserError
from benchmark.experiment.spec import RunSpec
from benchmark.tuning import storage
from benchmark.tuning.plan import GOALS
from benchmark.tuning.records import record
from benchmark.tuning.space import draws
from benchmark.tuning.study import Study
from tests.benchmark.harness import until
from tests.benchmark.tuning.studies import Score, Workshop, opened, plan, rank_and_order

Shop = Callable[[Score], Workshop]


def simple(spec: RunSpec) -> float:
    """Best at rank 16 and order 2; a little of chance by the seed."""
    rank, order = rank_and_order(spec)
    return 0.5 - 0.02 * abs(order - 2) - 0.0005 * abs(rank - 16) + 0.0001 * (spec.seed % 7)


def states(study: Study) -> list[tuple[int, str]]:
    return [(number, attempt.state.name) for number, attempt in study.attempts()]


def test_a_grid_covers_every_cell_once_the_default_first(url: str, workshop: Shop) -> None:
    shop = workshop(simple)
    with opened(url, plan("css(rank=4)", sampler="grid")) as (study,):
        shop.run([study])
        found = record(study, url)
    assert [trial["params"] for trial in found["trials"]] == [{"order": order} for order in (4, 1, 2, 3, 5, 6)]
    assert {trial["state"] for trial in found["trials"]} == {"complete"}
    assert found["trials"][found["best"]]["params"] == {"order": 2}
    assert len(shop.made) == len(set(shop.made)) == 6


@pytest.mark.parametrize("sampler", ["tpe", "gp", "random"])
def test_trial_0_is_the_default_and_the_best_has_the_highest_score(url: str, workshop: Shop, sampler: str) -> None:
    with opened(url, plan(sampler=sampler), trials=9) as (study,):
        workshop(simple).run([study])
        found = record(study, url)
    assert found["default"] == found["trials"][0]["params"] == {"rank": 8, "order": 4}
    assert [trial["number"] for trial in found["trials"]] == list(range(9))
    values = [trial["values"][0] for trial in found["trials"]]
    assert found["best"] == values.index(max(values))
    for trial in found["trials"]:
        assert 2 <= trial["params"]["rank"] <= 128
        assert 1 <= trial["params"]["order"] <= 6


def test_the_same_study_proposes_the_same_settings_again(tmp_path: Any, workshop: Shop) -> None:
    found = []
    for name in ("first", "second"):
        with opened(f"sqlite:///{tmp_path}/{name}.db", plan(), trials=9) as (study,):
            workshop(simple).run([study])
            found.append([attempt.params for _, attempt in study.attempts()])
    assert found[0] == found[1]
    assert len({tuple(params.items()) for params in found[0]}) > 5


@pytest.mark.parametrize(
    ("sampler", "goals", "trials", "is_killed"), [("tpe", 1, 10, True), ("nsga2", 3, 14, False)], ids=["tpe", "nsga2"]
)
def test_an_interrupted_study_proposes_what_an_undisturbed_one_does(
    tmp_path: Path, workshop: Shop, sampler: str, goals: int, trials: int, is_killed: bool
) -> None:
    chosen = plan(also=("lr",), seeds=2, sampler=sampler, goals=tuple(GOALS)[:goals])
    shop = workshop(simple)
    with opened(f"sqlite:///{tmp_path}/whole.db", chosen, trials=trials) as (study,):
        shop.run([study])
        whole = [(attempt.params, attempt.values) for _, attempt in study.attempts()]
    url = f"sqlite:///{tmp_path}/cut.db"
    again = workshop(simple)
    for runs in (3, 10, 3):
        with opened(url, chosen, trials=trials) as (study,):
            search = again.search([study])
            for task in islice(search.tasks(), runs):
                assert task is not None
                again.make(search, task)
            next(search.tasks())  # a run begins, and never ends
            if is_killed:
                for trial in search.open:
                    study._locks.release(trial.number)
            else:
                search.release()
    with opened(url, chosen, trials=trials) as (study,):
        again.run([study])
        assert [(attempt.params, attempt.values) for _, attempt in study.attempts()] == whole
        assert len(study.optuna.get_trials()) > trials
    assert len(again.made) == len(set(again.made))


def test_more_trials_are_those_of_a_study_that_was_begun_with_them(tmp_path: Path, workshop: Shop) -> None:
    shop, made = workshop(simple), []
    for steps in ((9,), (6, 9)):
        for trials in steps:
            with opened(f"sqlite:///{tmp_path}/{len(steps)}.db", plan(also=("lr",)), trials=trials) as (study,):
                shop.run([study])
                proposed = [attempt.params for _, attempt in study.attempts()]
        made.append(proposed)
    assert made[0] == made[1]


def test_a_random_study_makes_the_documented_draws(url: str, workshop: Shop) -> None:
    fair = plan(sampler="random", fair={"group": "g", "index": 2, "of": 3})
    with opened(url, fair, trials=6) as (study,):
        workshop(simple).run([study])
        made = [attempt.params for _, attempt in study.attempts()]
    assert made == list(islice(draws(fair.space, fair.default_settings, 2), 6))


def test_a_plainly_worse_trial_is_stopped_before_its_last_seeds(url: str, workshop: Shop) -> None:
    shop = workshop(simple)
    with opened(url, plan("css(order=2)", sampler="grid", seeds=5)) as (study,):
        shop.run([study])
        found = record(study, url)
    by_state = Counter(trial["state"] for trial in found["trials"])
    assert by_state == {"complete": 2, "pruned": 5}  # the default, rank 8, and the better rank 16
    for trial in found["trials"]:
        assert len(trial["runs"]) == (5 if trial["state"] == "complete" else 3)
        assert (trial["values"] is None) == (trial["state"] == "pruned")
    assert len(shop.made) == 5 * by_state["complete"] + 3 * by_state["pruned"]
    assert found["trials"][found["best"]]["params"] == {"rank": 16}


def test_the_default_is_never_stopped(url: str, workshop: Shop) -> None:
    shop = workshop(lambda spec: 0.9 if rank_and_order(spec)[1] == 2 else 0.1 + 0.001 * (spec.seed % 7))
    with opened(url, plan("css(rank=4)", sampler="grid", seeds=5)) as (study,):
        search = shop.search([study])
        tasks = search.tasks()
        default = next(tasks)
        assert default is not None
        for task in tasks:  # the default's first run is the last to finish
            if task is None:
                break
            shop.make(search, task)
        shop.make(search, default)
        for task in tasks:
            assert task is not None
            shop.make(search, task)
        found = record(study, url)
    assert [trial["state"] for trial in found["trials"]] == ["complete", "complete", "complete", *["pruned"] * 3]


def test_a_fair_study_stops_no_trial(url: str, workshop: Shop) -> None:
    shop = workshop(simple)
    with opened(url, plan(sampler="random", seeds=5, fair={"group": "g", "index": 0, "of": 3}), trials=4) as (study,):
        shop.run([study])
        assert states(study) == [(number, "COMPLETE") for number in range(4)]
    assert len(shop.made) == 20


def test_the_front_of_several_objectives_is_that_of_brute_force(url: str, workshop: Shop) -> None:
    chosen = plan(sampler="nsga2", goals=("weighted_f1", "volatility", "seconds"), seeds=2)
    with opened(url, chosen, trials=12) as (study,):
        shop = workshop(simple)
        made = shop.search([study])
        for task in made.tasks():
            assert task is not None
            shop.make(made, task)
        values = {t.number: tuple(t.study.optuna.get_trials()[t.number].values) for t in shop.ended}
        found = record(study, url)
    points = {number: (-f1, volatility, seconds) for number, (f1, volatility, seconds) in values.items()}
    front = [
        a for a, p in points.items()
        if not any(q != p and all(x <= y for x, y in zip(q, p, strict=True)) for q in points.values())
    ]  # fmt: skip
    assert found["front"] == sorted(front)
    assert found["best"] is None
    assert [objective["direction"] for objective in found["objectives"]] == ["maximize", "minimize", "minimize"]
    assert found["pruner"] is None


@pytest.mark.parametrize("goals", [("weighted_f1",), ("weighted_f1", "seconds")])
def test_the_storage_names_what_the_values_of_a_trial_are(url: str, goals: tuple[str, ...]) -> None:
    sampler = "tpe" if len(goals) == 1 else "nsga2"
    for _ in range(2):  # the second time the study is there
        with opened(url, plan(goals=goals, sampler=sampler), trials=1) as (study,):
            assert study.optuna.metric_names == list(goals)


def test_a_front_of_conflicting_objectives_has_several_trials(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(url, plan(sampler="tpe", goals=("weighted_f1", "seconds")), trials=14) as (study,):
        values = {}
        while asked := study.ask():
            trial, number = asked
            rank, order = trial.params["rank"], trial.params["order"]
            values[number] = (min(rank, 60) + order % 3, rank)
            study.end(trial, list(values[number]))
        front = [
            n for n, (f1, cost) in values.items()
            if not any(o[0] >= f1 and o[1] <= cost and o != (f1, cost) for o in values.values())
        ]  # fmt: skip
        assert study.front() == sorted(front)
        assert len(front) > 2


def test_a_trial_of_the_same_settings_costs_nothing_again(url: str, workshop: Shop) -> None:
    chosen = plan("css(rank=4)", seeds=2, sampler="random", fair={"group": "g", "index": 0, "of": 3})
    shop = workshop(simple)
    with opened(url, chosen, trials=14) as (study,):
        shop.run([study])
        found = record(study, url)
    assert len(found["trials"]) == 14
    assert len(shop.made) == len(set(shop.made)) <= 12  # six orders, two seeds


def test_a_run_that_two_open_trials_want_is_made_once(url: str, workshop: Shop) -> None:
    chosen = plan("css(rank=4)", sampler="random")
    shop = workshop(simple)
    with opened(url, chosen, trials=15) as (study,):
        search = shop.search([study])
        tasks = search.tasks()
        flying = [task for task in islice(tasks, 7) if task is not None]  # more workers than orders
        assert len({task.spec.key for task in flying}) == len(flying) <= 6
        for task in flying:
            shop.make(search, task)
        assert list(tasks) == []
        assert states(study) == [(number, "COMPLETE") for number in range(15)]


def test_a_failed_run_fails_its_trial_alone_and_the_same_command_tries_it_again(url: str, workshop: Shop) -> None:
    shop = workshop(simple)
    with opened(url, plan("css(rank=4)", sampler="grid")) as (study,):
        shop.run([study], fails=lambda spec: rank_and_order(spec) == (4, 3))
        found = record(study, url)
    (failed,) = [trial for trial in found["trials"] if trial["state"] == "failed"]
    assert failed["params"] == {"order": 3}
    assert re.fullmatch(r"the run of seed 1000000 \([0-9a-f]{16}\) failed: ValueError: no such thing", failed["error"])
    assert len(found["trials"]) == 6
    with opened(url, plan("css(rank=4)", sampler="grid")) as (study,):
        assert not study.is_finished
        before = len(shop.made)
        shop.run([study])
        found = record(study, url)
    assert len(shop.made) == before + 1
    assert {trial["state"] for trial in found["trials"]} == {"complete"}
    assert found["trials"][failed["number"]]["params"] == failed["params"]


def test_two_that_share_a_study_make_each_trial_once_and_no_more(url: str, workshop: Shop) -> None:
    shop = workshop(simple)
    numbers: list[int] = []

    def work() -> None:
        with opened(url, plan(), trials=10) as (study,):
            while not study.is_finished:
                if asked := study.ask():
                    trial, number = asked
                    numbers.append(number)
                    study.end(trial, [shop.score(study.plan.specs(trial.params)[0])])
                else:
                    time.sleep(0.05)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(10))
    with opened(url, plan(), trials=10) as (study,):
        over = [t for t in study.optuna.get_trials() if t.state.name in ("COMPLETE", "PRUNED")]
        assert sorted(t.user_attrs["slot"] for t in over) == list(range(10))


def test_what_was_enqueued_twice_is_made_once(url: str) -> None:
    with opened(url, plan(), trials=6) as (study,):
        for number in (0, 3, 5):  # as two processes do that begin the study at the same moment
            study.optuna.enqueue_trial({}, user_attrs={"slot": number})
        taken = []
        while asked := study.ask():
            taken.append(asked[1])
            study.end(asked[0], [0.5])
        assert taken == list(range(6))
        assert study.is_finished


def test_what_another_host_left_is_made_again_with_its_settings(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "GRACE_SECONDS", 1)
    with (
        opened(url, plan(sampler="random"), trials=3, host="there") as (dead,),
        opened(url, plan(sampler="random"), trials=3) as (heir,),
    ):
        asked = [dead.ask(), dead.ask()]
        lost = {number: trial.params for trial, number in filter(None, asked)}
        taken: dict[int, Any] = {}

        def take() -> bool:
            if again := heir.ask():
                taken[again[1]] = again[0].params
                heir.end(again[0], [0.4])
            return len(taken) == 3

        until(take)
        assert lost.items() <= taken.items()
        assert states(heir) == [(number, "COMPLETE") for number in range(3)]
        assert heir.is_finished
        with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):  # the dead one was only asleep
            dead.report(asked[0][0], [], 0, 0.5)  # type: ignore[index]


def test_one_that_died_before_its_first_heartbeat_is_made_again_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "GRACE_SECONDS", 1)
    with opened(url, plan(), trials=1, host="there") as (study,):
        monkeypatch.setattr(study._storage, "record_heartbeat", lambda _: None)
        assert study.ask()
    with opened(url, plan(), trials=1) as (heir,):
        asked: list[Any] = []
        until(lambda: asked.extend(filter(None, [heir.ask()])) or asked)
        assert asked[0][1] == 0


OWNER = """
import sys
from tests.benchmark.tuning.studies import opened, plan
with opened(sys.argv[1], plan(sampler="random"), trials=1) as (study,):
    trial, number = study.ask()
    print(trial.params, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def owner(url: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that has taken the only trial of a study, says its settings, and waits."""
    words = [sys.executable, "-c", OWNER, url]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_suspended_process_keeps_its_trial_and_a_dead_one_does_not(
    url: str, monkeypatch: pytest.MonkeyPatch, owner: "subprocess.Popen[str]"
) -> None:
    monkeypatch.setattr(storage, "GRACE_SECONDS", 1)
    assert owner.stdout
    settings = owner.stdout.readline().strip()
    owner.send_signal(signal.SIGSTOP)
    with opened(url, plan(sampler="random"), trials=1) as (heir,):

        def is_stale() -> bool:
            return bool(heir._storage._get_stale_trial_ids(heir.optuna._study_id))

        for _ in range(2):
            until(is_stale)  # the grace is over
            heir._looked = 0.0
            assert heir.ask() is None
        assert [attempt.state.name for attempt in heir.optuna.get_trials()] == ["RUNNING"]
        owner.kill()
        owner.wait()
        asked: list[Any] = []
        until(lambda: asked.extend(filter(None, [heir.ask()])) or asked)
        trial, number = asked[0]
        assert (str(trial.params), number) == (settings, 0)


def test_whoever_sees_a_lock_vouches_for_its_trial_to_those_who_do_not(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "GRACE_SECONDS", 1)
    with opened(url, plan(), trials=1) as (owner,), opened(url, plan(), trials=1) as (sibling,):
        assert owner.ask()
        storage_, study = sibling._storage, sibling.optuna._study_id
        sibling._vouched.add(next(iter(owner._mine)))
        until(lambda: storage_._get_stale_trial_ids(study))
        beats: list[int] = []
        monkeypatch.setattr(storage_, "record_heartbeat", beats.append)
        sibling._looked = 0.0
        assert sibling.ask() is None
        assert beats == list(owner._mine)


def test_where_there_are_no_locks_heartbeats_decide(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(storage, "GRACE_SECONDS", 1)
    (tmp_path / "file").touch()  # no lock can be below a file
    with (
        opened(url, plan(), trials=1, host="file/below") as (first,),
        opened(url, plan(), trials=1, host="file/below") as (second,),
    ):
        assert first.ask()
        assert second.ask() is None
        until(second.ask)


def test_a_lock_is_held_until_the_trial_is_over(url: str) -> None:
    with opened(url, plan(), trials=2) as (study,), opened(url, plan(), trials=2) as (other,):
        trial, number = study.ask() or pytest.fail("nothing to do")
        assert (other._locks.is_held(number), other._locks.is_held(1)) == (True, False)
        with study._locks.taking() as first, other._locks.taking() as second:
            assert (first, second) == (True, False)
            assert other.ask() is None
        study.end(trial, [0.5])
        assert not other._locks.is_held(number)
        assert other.ask()


def test_a_search_that_was_taken_for_dead_lets_go(url: str, workshop: Shop) -> None:
    shop = workshop(simple)
    with opened(url, plan(seeds=2), trials=1) as (study,), opened(url, plan(seeds=2), trials=1) as (other,):
        search = shop.search([study])
        task = next(search.tasks())
        assert task is not None
        other.optuna.tell(0, state=optuna.trial.TrialState.FAIL)
        shop.make(search, task)
        assert search.open == []
        assert shop.ended == []


def test_what_is_left_open_is_taken_up_at_once_with_what_was_made(url: str, workshop: Shop) -> None:
    shop = workshop(simple)
    with opened(url, plan(seeds=3), trials=4) as (study,):
        search = shop.search([study])
        for task in islice(search.tasks(), 2):
            assert task is not None
            shop.make(search, task)
        left = [trial.trial.params for trial in search.open]
        search.release()
    with opened(url, plan(seeds=3), trials=4) as (study,):
        shop.run([study])
        assert [attempt.params for _, attempt in study.attempts()][: len(left)] == left
        assert [number for number, _ in states(study)] == list(range(4))
    assert len(shop.made) == len(set(shop.made))


def test_settings_that_the_sampler_chose_stay_with_a_trial_that_is_made_again(url: str) -> None:
    with opened(url, plan(also=("lr",)), trials=8) as (study,):
        for _ in range(6):
            trial, number = study.ask() or pytest.fail("nothing to do")
            study.end(trial, [0.1 * number])
        (left, number), (other, _) = (study.ask() or pytest.fail("nothing to do") for _ in range(2))
        settings = left.params
        study.end(other, [0.9])  # the sampler would choose otherwise now
        study.release(left)
    with opened(url, plan(also=("lr",)), trials=8) as (study,):
        again, same = study.ask() or pytest.fail("nothing to do")
        assert (same, again.params) == (number, settings)


def test_a_study_that_was_begun_otherwise_is_refused_with_what_differs(url: str) -> None:
    with opened(url, plan(), trials=2):
        pass
    for other, said in (
        (plan(seeds=2), "seeds 1 there, 2 here"),
        (plan(sampler="random"), "sampler tpe there, random here"),
        (plan("concat-matched"), r"method spf\+pgm there, concat-matched\+equal here"),
        (plan(also=("lr",)), "space"),
    ):
        refusal = rf"'a study' was begun otherwise: .*{said}.*--study NAME"
        with pytest.raises(UserError, match=refusal), opened(url, other, trials=2):
            pass
    refusal = "begun with 2 trials: give --trials 2 or more, got 1"
    with pytest.raises(UserError, match=refusal), opened(url, plan(), trials=1):
        pass


def test_more_trials_extend_a_study(url: str, workshop: Shop) -> None:
    shop = workshop(simple)
    for trials in (3, 5):
        with opened(url, plan(), trials=trials) as (study,):
            shop.run([study])
            assert states(study) == [(number, "COMPLETE") for number in range(trials)]


def test_studies_over_one_scheduler_advance_together(url: str, workshop: Shop) -> None:
    shop = workshop(simple)
    with opened(url, plan(name="a"), plan("concat-matched", name="b"), trials=3) as studies:
        shop.run(studies)
        assert [t.study.plan.name for t in shop.ended] == ["a", "b"] * 3 or {t.study for t in shop.ended[:4]} == {
            *studies
        }


def test_a_run_whose_volatility_is_unknown_fails_its_trial_where_it_counts(
    url: str, workshop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = workshop(simple)
    measured = shop._measure
    monkeypatch.setattr(
        "benchmark.tuning.search.measure", lambda *a: measured(*a).model_copy(update={"volatility": None})
    )
    with opened(
        url, plan(name="one"), plan(name="two", sampler="tpe", goals=("weighted_f1", "volatility")), trials=1
    ) as s:
        shop.run(s)
        assert [record(study, url)["trials"][0]["state"] for study in s] == ["complete", "failed"]


def test_the_storage_knows_nothing_but_settings_and_validation(url: str, workshop: Shop) -> None:
    with opened(url, plan(), trials=1) as (study,):
        workshop(simple).run([study])
        (trial,) = study.optuna.get_trials()
    assert set(trial.user_attrs) == {"slot", "lock", "runs"}
    (run,) = json.loads(trial.user_attrs["runs"])
    assert set(run) == {"seed", "key", "validation", "volatility", "seconds", "epochs"}


def test_a_database_that_another_process_makes_at_this_moment_is_opened(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, tried = storage.patient_storage, []

    def clash(*words: Any, **options: Any) -> Any:
        tried.append(words)
        if len(tried) == 1:
            raise IntegrityError("INSERT", {}, ValueError("UNIQUE constraint failed: alembic_version.version_num"))
        return opening(*words, **options)

    monkeypatch.setattr(storage, "patient_storage", clash)
    storage.connect(url).engine.dispose()
    assert len(tried) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sampler": "tep"}, "unknown sampler 'tep', did you mean 'tpe'"),
        ({"goals": ("weighted_f1", "second")}, "unknown goal 'second', did you mean 'seconds'"),
        ({"goals": ("seconds", "weighted_f1")}, "begins with weighted_f1"),
        ({"goals": ("weighted_f1", "seconds"), "sampler": "grid"}, "--sampler grid is for one goal"),
        ({"sampler": "nsga2"}, "--sampler nsga2 is for several goals"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        plan(**options)
