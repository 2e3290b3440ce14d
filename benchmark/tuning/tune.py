"""Plans to finished studies: in Optuna's storage, in the run store, in MLflow, and as files for reports."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.execution.coordinator import about, log, making, tracking
from benchmark.execution.listener import EndedTrial, Listener, TrialRun
from benchmark.execution.local import Scheduler
from benchmark.execution.repository import git_state
from benchmark.execution.tasks import Task
from benchmark.experiment.spec import RunSpec
from benchmark.store.store import Store
from benchmark.tracking.uris import without_password
from benchmark.tuning.measuring import Volatility
from benchmark.tuning.plan import Plan
from benchmark.tuning.records import write_record
from benchmark.tuning.search import Open, Search
from benchmark.tuning.storage import Heartbeat, connect, explained
from benchmark.tuning.study import Study


@dataclass(frozen=True)
class Outcome:
    """What became of studies: their files' contents, and whether every trial is over."""

    records: list[dict[str, Any]]
    finished: bool


def tune(
    plans: Sequence[Plan],
    trials: int | None,
    store: Store,
    storage: str,
    *,
    scheduler: Scheduler,
    tracking_uri: str,
    volatility: Volatility,
    listener: Listener,
) -> Outcome:
    """Make the trials that the studies have not got yet, sharing them with other processes that do the same.

    A signal stops it as it stops :func:`benchmark.execution.coordinator.run_grid`; its open trials are left to whoever
    goes on.

    Raises:
        UserError: a storage that cannot be used, or a study that was begun otherwise.
    """
    with ExitStack() as stack:
        stack.enter_context(explained(storage))
        database = connect(storage, listener.notice)
        stack.callback(database.engine.dispose)
        heartbeat = stack.enter_context(Heartbeat(database))
        studies = [Study(plan, database, heartbeat, store.root / "studies" / ".trials") for plan in plans]
        for study in studies:  # none is begun where another one cannot be
            study.extend(trials)
        records = {study.plan.name: write_record(store.root, study, storage) for study in studies}
        if all(study.is_finished for study in studies):
            return Outcome(list(records.values()), finished=True)

        datasets = {plan.recipe.dataset.name: plan.recipe.dataset for plan in plans}
        git = git_state(Path(__file__).parent)
        known = {name: about(dataset, listener) for name, dataset in datasets.items()}

        def task(spec: RunSpec) -> Task:
            return Task(spec, datasets[spec.dataset], git, known[spec.dataset])

        def ended(trial: Open) -> None:
            write_record(store.root, trial.study, storage)
            progress.ended(_ended(trial))

        tracker = stack.enter_context(tracking(tracking_uri, store, listener))
        search = Search(studies, store, task, volatility, ended)
        stack.callback(search.release)
        progress = stack.enter_context(
            listener.trials(sum(study.trials for study in studies), sum(map(_over, records.values())))
        )
        for event in stack.enter_context(making(scheduler.run(search.tasks()), scheduler.stop, listener)):
            trial = search.of(event.key)
            name, preset = trial.study.plan.name, trial.study.plan.recipe.preset.name
            spec = next(spec for spec in trial.specs if spec.key == event.key)
            progress.update(event, TrialRun(name, trial.number, spec.seed, spec.training.epochs))
            token = hashlib.sha256(f"{without_password(storage)} {name}".encode()).hexdigest()[:32]
            tracker.begin(name, {"study": name, "preset": preset}, token)
            log(tracker, event, task(spec), store)
            search.hear(event)
        search.release()
        return Outcome(
            [write_record(store.root, study, storage) for study in studies],
            finished=all(study.is_finished for study in studies),
        )


def _ended(trial: Open) -> EndedTrial:
    return EndedTrial(
        study=trial.study.plan.name,
        number=trial.number,
        settings=trial.trial.params,
        scores=tuple(run.validation for run in trial.runs),
        seeds=len(trial.specs),
        error=trial.error,
    )


def _over(record: Mapping[str, Any]) -> int:
    return sum(trial["state"] in ("complete", "pruned", "failed") for trial in record["trials"])
