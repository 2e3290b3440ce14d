"""One study in Optuna's storage, shared by any number of processes, each trial executed to its end exactly once.

All trials are enqueued beforehand, each with its number as the attribute ``slot``: what is taken from a queue is taken
by one process alone, so that no two make the same trial and the total is exact. Where the settings follow from the
number (the default, a grid, random draws) they are enqueued too; else the sampler fills them in when the trial is
taken. A trial that was abandoned is failed and enqueued again with the same slot and settings. Optuna's own number of
the new attempt is another one: elsewhere a trial's number is its slot. Abandoned is what nobody has vouched for during
some time, and whose lock no living process holds: a process that is slow or suspended loses no trial to those who see
its locks, and whoever sees that its lock is gone waits for nothing. A trial that was abandoned is taken before those
of higher numbers, so that the samplers learn in the same order as in a study that was never interrupted.
"""

import itertools
import json
import time
from collections import ChainMap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.base.errors import UserError
from benchmark.base.words import counted
from benchmark.tuning.locks import TrialLocks
from benchmark.tuning.measuring import Measured
from benchmark.tuning.plan import GOALS, Plan
from benchmark.tuning.samplers import STARTUP, propose, sampler
from benchmark.tuning.space import Settings, cells, draws
from benchmark.tuning.storage import Heartbeat, quiet

if TYPE_CHECKING:
    from optuna import Study as OptunaStudy
    from optuna import Trial
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

_PRUNE_BELOW = 0.13  # p: a trial that is worse than the best with each of three seeds is pruned (p = 1/8)
_LOOK_SECONDS = 1.0  # between two looks for what other processes left or finished


class Study:
    """A plan's study: opened, or made where there is none.

    Args:
        locks: a folder of the store, for locks on trials.

    Raises:
        UserError: the storage has a study of that name and another definition.
    """

    def __init__(self, plan: Plan, storage: "RDBStorage", heartbeat: Heartbeat, locks: Path) -> None:
        import optuna

        self.plan = plan
        self._locks = TrialLocks(locks, plan.name)
        self._storage = storage
        self._heartbeat = heartbeat
        self._mine: dict[int, int] = {}  # numbers of the trials that this process makes, by Optuna's ids
        self._vouched: set[int] = set()  # and of those of others that it once vouched for
        self._idle, self._looked = False, 0.0
        self._finished, self._checked = False, 0.0
        self.trials = 0
        with quiet():
            self.optuna: OptunaStudy = optuna.create_study(
                storage=storage,
                study_name=plan.name,
                directions=[GOALS[name] for name in plan.goals],
                load_if_exists=True,
                sampler=sampler(plan, 0),
                pruner=optuna.pruners.WilcoxonPruner(p_threshold=_PRUNE_BELOW)
                if plan.pruner
                else optuna.pruners.NopPruner(),
            )
            self._agree()
            self.optuna.set_metric_names(list(plan.goals))

    def _agree(self) -> None:
        here = self.plan.definition()
        begun = json.loads(self.optuna.user_attrs.get("definition", "null"))
        if begun is None:
            self.optuna.set_user_attr("definition", json.dumps(here))
        elif begun != here:
            differing = "; ".join(
                f"{name} {_brief(begun.get(name))} there, {_brief(here.get(name))} here"
                for name in {**begun, **here}
                if begun.get(name) != here.get(name)
            )
            raise UserError(
                f"study {self.plan.name!r} was begun otherwise: {differing}; begin another one with --study NAME"
            )

    def extend(self, trials: int | None) -> None:
        """Have so many trials, of a grid all; failed ones are tried again, and what is missing is enqueued.

        Raises:
            UserError: fewer than the study was begun with.
        """
        begun = max(self._by_slot(), default=-1) + 1
        if self.plan.sampler == "grid":
            trials = len(self._settled)
        assert trials is not None
        if trials < begun:
            raise UserError(
                f"study {self.plan.name!r} was begun with {counted(begun, 'trial')}: give --trials {begun} or more, "
                f"got {trials}"
            )
        self.trials = trials
        self._enqueue(also_failed=True)

    def _enqueue(self, *, also_failed: bool = False) -> None:
        """Enqueue every trial that nobody makes, made or is going to make."""
        known = self._by_slot()
        with quiet():
            for number, settings in enumerate(self._known_settings(self.trials)):
                attempts = known.get(number, [])
                if any(map(_lives, attempts)) or (any(map(_failed, attempts)) and not also_failed):
                    continue
                if drawn := [a.params for a in attempts if a.params]:
                    settings = drawn[0]  # of two that were enqueued at once the second was never made
                self.optuna.enqueue_trial(settings, user_attrs={"slot": number})

    @cached_property
    def _settled(self) -> list[Settings]:
        return cells(self.plan.space, self.plan.default_settings)

    def _known_settings(self, trials: int) -> list[Settings]:
        """What of each trial's settings is known before it is taken; the rest is the sampler's to say."""
        plan = self.plan
        if plan.sampler == "grid":
            return self._settled
        drawn = draws(plan.space, plan.default_settings, plan.fair["index"] if plan.fair else 0)
        count = trials if plan.sampler == "random" else min(trials, STARTUP)
        return [*itertools.islice(drawn, count), *({} for _ in range(trials - count))]

    def ask(self) -> "tuple[Trial, int] | None":
        """A trial to make, with its settings and its number; None where there is none now."""
        is_due = time.monotonic() - self._looked >= _LOOK_SECONDS
        if self._idle and not is_due:
            return None
        with self._locks.taking() as is_alone:
            if not is_alone:
                return None
            if is_due:
                self._revive()
                self._looked = time.monotonic()
            return self._take()

    def _take(self) -> "tuple[Trial, int] | None":
        """Take the trial of the lowest number, and its lock before anybody may look whether it is abandoned."""
        with quiet():
            while (expected := self._waiting()) is not None:
                self._storage.record_heartbeat(expected._trial_id)
                trial = self._begin(expected)
                if trial is None:
                    continue
                if self._is_surplus(trial):
                    self.optuna.tell(trial, state=_state("FAIL"))
                    continue
                number = self._mine[trial._trial_id] = trial.user_attrs["slot"]
                if place := self._locks.hold(number):
                    trial.set_user_attr("lock", place)
                self._heartbeat.add(trial._trial_id)
                self._idle = False
                return trial, number
        self._idle = True
        return None

    def _begin(self, expected: "FrozenTrial") -> "Trial | None":
        """Begin a trial of the queue with what is proposed for it now; None where another process was quicker."""
        from optuna import Trial
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.samplers import PartialFixedSampler, RandomSampler

        identity, number = expected._trial_id, expected.user_attrs["slot"]
        try:
            if not self._storage.set_trial_state_values(identity, _state("RUNNING")):
                return None
        except UpdateFinishedTrialError:
            return None
        proposal = propose(self.plan, number, expected.system_attrs.get("fixed_params", {}), self._over())
        notes = [attempt.system_attrs for attempt in self._by_slot()[number]]  # what was drawn once is not drawn again
        for name, value in ChainMap(proposal.system_attrs, *notes).items():
            self._storage.set_trial_system_attr(identity, name, value)
        self.optuna.sampler = PartialFixedSampler(proposal.params, RandomSampler())
        trial = Trial(self.optuna, identity)
        for name, parameter in self.plan.space.items():
            trial._suggest(name, parameter.distribution)
        return trial

    def _over(self) -> "Iterator[FrozenTrial]":
        """By number, the attempts that are complete or pruned."""
        return (attempt for _, attempt in self.attempts() if attempt.state.name in ("COMPLETE", "PRUNED"))

    def report(self, trial: "Trial", runs: Sequence[Measured], seed: int, score: float) -> None:
        """Keep what a trial's finished runs were, and tell the pruner of the one with that index."""
        trial.set_user_attr("runs", json.dumps([run.model_dump() for run in runs]))
        if not self.plan.multiple:
            trial.report(score, seed)

    def is_hopeless(self, trial: "Trial") -> bool:
        """Whether the trial is plainly worse than the best one, seed by seed; the default is compared to the end."""
        if self.plan.pruner is None or trial.user_attrs["slot"] == 0:
            return False
        with quiet():
            return trial.should_prune()

    def end(self, trial: "Trial", values: Sequence[float] | None = None, error: str | None = None) -> None:
        """The trial is complete with these values, failed with this error or, with neither, pruned."""
        from optuna.exceptions import UpdateFinishedTrialError

        state = "FAIL" if error is not None else "PRUNED" if values is None else "COMPLETE"
        with quiet():
            if error is not None:
                with suppress(UpdateFinishedTrialError):  # another process took it over
                    trial.set_user_attr("error", error)
            self.optuna.tell(trial, values, _state(state), skip_if_finished=True)
        self.forget(trial)

    def release(self, trial: "Trial") -> None:
        """Leave an open trial to whoever goes on with the study: it is enqueued again then."""
        with quiet():
            self.optuna.tell(trial, state=_state("FAIL"), skip_if_finished=True)
        self.forget(trial)

    def forget(self, trial: "Trial") -> None:
        """The trial is over, or another process has it."""
        self._heartbeat.remove(trial._trial_id)
        if (number := self._mine.pop(trial._trial_id, None)) is not None:
            self._locks.release(number)
        self._checked = 0.0

    @property
    def is_finished(self) -> bool:
        """Whether every trial is over, of whatever process."""
        if not self._finished and time.monotonic() - self._checked >= _LOOK_SECONDS:
            known = self._by_slot()
            self._finished = all(_is_over(known.get(number, [])) for number in range(self.trials))
            self._checked = time.monotonic()
        return self._finished

    def attempts(self) -> Iterator[tuple[int, "FrozenTrial"]]:
        """By number, the attempt at each trial that counts: one that is over, under way, or the last that failed."""
        order = ("COMPLETE", "PRUNED", "RUNNING")
        for number, attempts in sorted(self._by_slot().items()):
            best = min(attempts, key=lambda a: order.index(a.state.name) if a.state.name in order else len(order))
            if best.state.name in order:
                yield number, best
            elif failed := list(filter(_failed, attempts)):
                yield number, failed[-1]

    def front(self) -> list[int]:
        """Numbers of the trials that no other one beats in every goal."""
        return sorted(trial.user_attrs["slot"] for trial in self.optuna.best_trials)

    def _by_slot(self) -> dict[int, list["FrozenTrial"]]:
        attempts: dict[int, list[FrozenTrial]] = {}
        for trial in self.optuna.get_trials(deepcopy=False):
            if "slot" in trial.user_attrs:
                attempts.setdefault(trial.user_attrs["slot"], []).append(trial)
        return attempts

    def _waiting(self) -> "FrozenTrial | None":
        """The trial that would be taken next."""
        waiting = self.optuna.get_trials(deepcopy=False, states=(_state("WAITING"),))
        return min(waiting, key=lambda trial: trial.user_attrs["slot"], default=None)

    def _is_surplus(self, trial: "Trial") -> bool:
        """Whether two processes at once enqueued this number, or took what was the last of the queue."""
        number = trial.user_attrs.get("slot")
        if number is None:
            return True
        return any(_lives(a) and a._trial_id < trial._trial_id for a in self._by_slot()[number])

    def _revive(self) -> None:
        """Enqueue again what a dead process had."""
        from optuna.exceptions import UpdateFinishedTrialError

        with quiet():
            stale = set(self._storage._get_stale_trial_ids(self.optuna._study_id))
            for attempt in self.optuna.get_trials(deepcopy=False, states=(_state("RUNNING"),)):
                identity, number = attempt._trial_id, attempt.user_attrs.get("slot")
                if identity in self._mine:
                    continue
                is_visible = attempt.user_attrs.get("lock", "") == self._locks.place(number)
                if (identity in stale or is_visible) and (number is None or not self._locks.is_held(number)):
                    with suppress(UpdateFinishedTrialError):
                        self.optuna.tell(attempt.number, state=_state("FAIL"), skip_if_finished=True)
                elif identity in stale or identity not in self._vouched:
                    # its process lives, for those too who do not see the lock; and one whose process died before its
                    # first heartbeat would never be stale
                    self._vouched.add(identity)
                    self._storage.record_heartbeat(identity)
        self._enqueue()


def _lives(attempt: "FrozenTrial") -> bool:
    """Whether the attempt is over, under way or to come."""
    return attempt.state.name != "FAIL"


def _failed(attempt: "FrozenTrial") -> bool:
    """Whether a run of the attempt failed; one that was abandoned just ended."""
    return "error" in attempt.user_attrs


def _is_over(attempts: Sequence["FrozenTrial"]) -> bool:
    if any(attempt.state.name in ("COMPLETE", "PRUNED") for attempt in attempts):
        return True
    return any(map(_failed, attempts)) and not any(map(_lives, attempts))


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]


def _brief(value: Any) -> str:
    if isinstance(value, str):
        return value[:12] if len(value) == 64 else value  # of a fingerprint a few digits do
    return json.dumps(value)[:100]
