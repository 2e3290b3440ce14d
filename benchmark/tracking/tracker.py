"""Every run of a grid, live in MLflow. The run store is the truth, MLflow the view.

The coordinator's calls only note what happened and return; once a second a thread of the tracker's own brings MLflow
up to date with the notes. MLflow being slow, absent or full therefore costs training nothing and loses no result: what
it did not take stays noted, is offered again later, and is counted in a warning at the end; ``cssbench sync`` logs it
from the store another day. Only the thread imports mlflow.
"""

import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from benchmark.base.locks import locked
from benchmark.base.words import counted
from benchmark.store.store import Store
from benchmark.tracking import confusion, entries, view
from benchmark.tracking.answers import PATIENCE_SECONDS, Answers
from benchmark.tracking.database import StoreDatabase, cause_of
from benchmark.tracking.logged import Logged
from benchmark.tracking.uris import ARTIFACTS, artifacts_beside, default_uri, without_password

FLUSH_SECONDS = 5.0  # between two looks at the notes: each costs every open run a transaction
RETRY_SECONDS = 30.0  # at most, after failures
_BATCH = 1000  # metrics that MLflow takes at once

_ENVIRONMENT = {  # defaults: what the user has set stays. mlflow reads most of them once, when imported
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # it logs a traceback for each error that it also raises
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # mlflow's own 7 take minutes; the tracker tries again itself
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # else the server decides how long the thread sleeps
    "GIT_PYTHON_REFRESH": "quiet",
}
_LOCAL_ENVIRONMENT = {  # or connections to a database that was put aside would be used again
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
}


@dataclass(frozen=True, eq=False)
class _Invocation:
    name: str
    tags: Mapping[str, str]
    started: int
    token: str = field(default_factory=lambda: uuid4().hex)  # by which its parents are found again


@dataclass(frozen=True, eq=False)
class _Parent:
    """MLflow's run over all runs of one (invocation, data set)."""

    experiment: str
    run_id: str
    statuses: dict[str, str] = field(default_factory=dict)  # of the nested runs, by key: the last attempt counts
    scores: dict[str, dict[str, float]] = field(default_factory=dict)  # weighted F1 of finished ones, by label and key

    @property
    def status(self) -> str:
        return next((bad for bad in ("KILLED", "FAILED") if bad in self.statuses.values()), "FINISHED")


@dataclass(frozen=True)
class _End:
    status: str
    time: int
    folder: Path | None = None
    error: str | None = None


@dataclass(eq=False)
class _Run:
    """What MLflow is still to be told of a run.

    The coordinator appends to `epochs` and at last sets `end`; the tracker's thread removes, and alone touches what
    stands below. Each of these operations is atomic, so neither side ever waits for the other.
    """

    spec: Mapping[str, Any]
    manifest: Mapping[str, Any]
    invocation: _Invocation
    started: int
    epochs: list[entries.Metric] = field(default_factory=list)
    end: _End | None = None

    run_id: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    steps: set[int] = field(default_factory=set)  # epochs that were logged
    failures: int = 0


class Tracker:
    """Logs the runs of a grid to the MLflow at `uri`; a context manager that closes itself.

    Each data set has an experiment `css-bench/<dataset>`, each invocation a parent run in it, each run a nested run of
    that. The artifacts of new experiments are beside a local database; a server decides itself. `warn` takes one line
    for the user and may be called from the tracker's thread. No method raises or waits for MLflow's sake; only `close`
    waits, as long as it is told. Calls about a run that is not open are ignored. Only finite numbers are logged: MLflow
    would store ∞ as 1.8e308. ``logged`` remembers the keys of finished runs that are in MLflow, fully and once; where
    `uri` is the database in its store, one that is broken is made again from the store.

    Attributes:
        is_rebuilt: whether that happened.
    """

    def __init__(self, uri: str, warn: Callable[[str], None], logged: Logged | None = None) -> None:
        self._uri, self._warn, self._logged = uri, warn, logged
        self._artifacts = artifacts_beside(uri)
        self._database = StoreDatabase(logged.root) if logged and uri == default_uri(logged.root) else None
        for name, value in (_ENVIRONMENT | (_LOCAL_ENVIRONMENT if self._artifacts else {})).items():
            os.environ.setdefault(name, value)
        self.is_rebuilt = False
        self._shown_uri = without_password(uri)
        self._invocation = _Invocation("css-bench", {}, _now())
        self._lasting: dict[str, _Invocation] = {}  # by token
        self._open: dict[str, _Run] = {}
        self._unlogged: list[_Run] = []
        self._started = 0
        self._parents: dict[tuple[_Invocation, str], _Parent] = {}
        self._mine: set[str] = set()  # runs of MLflow's that were created here
        self._cause: str | None = None  # of the last failure
        self._answers = Answers(f"MLflow at {self._shown_uri}", warn)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def begin(self, name: str, tags: Mapping[str, str], token: str | None = None) -> None:
        """Nest the runs started from now on in a parent run of this name and these tags, one per data set.

        The parent that was begun with the same ``token``, here or by another process, goes on.
        """
        if token is None:
            self._invocation = _Invocation(name, tags, _now())
        else:
            self._invocation = self._lasting.setdefault(token, _Invocation(name, tags, _now(), token))

    def run_started(self, spec: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
        """Open a run from its spec.json and manifest.json; a run that is open goes on."""
        if spec["key"] in self._open:
            return
        run = self._open[spec["key"]] = _Run(spec, manifest, self._invocation, _now())
        self._unlogged.append(run)
        self._started += 1

    def epoch(self, key: str, metrics: Mapping[str, float], step: int) -> None:
        """Log metrics of an epoch (`step`, from 1), as of now."""
        if run := self._open.get(key):
            run.epochs.extend((name, value, _now(), step) for name, value in entries.epoch(metrics))

    def run_finished(self, key: str, folder: Path) -> None:
        """Close a run as FINISHED, with the scores and files of its run folder."""
        self._end(key, _End("FINISHED", _now(), folder=folder))

    def run_kept(self, folder: Path) -> None:
        """Log a run that was finished earlier, from its folder."""
        spec, manifest, result = (
            json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("spec", "manifest", "result")
        )
        started = round(1000 * datetime.fromisoformat(manifest["created"]).timestamp())
        seconds = result["timings"]["total"] if "timings" in result else 0  # an import took none
        end = _End("FINISHED", started + round(1000 * seconds), folder=folder)
        self._unlogged.append(_Run(spec, manifest, self._invocation, started, end=end))
        self._started += 1

    def run_failed(self, key: str, error: str) -> None:
        """Close a run as FAILED, its tag `error` the end of the message."""
        self._end(key, _End("FAILED", _now(), error=error))

    def run_interrupted(self, key: str) -> None:
        """Close a run as KILLED."""
        self._end(key, _End("KILLED", _now()))

    def close(self, timeout: float | None = 30.0) -> int:
        """Log what is left, for at most `timeout` seconds; runs still open were interrupted. Later calls do nothing.

        Without a timeout a server is waited for as long as it answers, and given up that has not during some time.
        Returns how many runs are not, or not fully, in MLflow.
        """
        if self._closing.is_set():
            return len(self._unlogged)
        for key in list(self._open):
            self.run_interrupted(key)
        self._closing.set()
        if timeout is None and not self._artifacts:
            self._answers.wait_for(self._thread)
        else:
            self._thread.join(timeout)
        if missing := list(self._unlogged):
            waited = PATIENCE_SECONDS if timeout is None else timeout
            finished = sum(run.end is not None and run.end.status == "FINISHED" for run in missing)
            safe = "their results are" if finished == len(missing) else f"results of the {finished} that finished are"
            self._warn(
                f"not, or not fully, in MLflow at {self._shown_uri}: {len(missing)} of {counted(self._started, 'run')} "
                f"({self._cause or f'it did not answer within {waited:g} s'}); "
                + (
                    f"{safe} safe in the run store, and cssbench sync logs them once the server or the disk works again"
                    if finished
                    else "none of them finished, so that there are no results to be logged later"
                )
            )
        return len(missing)

    def _end(self, key: str, end: _End) -> None:
        if run := self._open.pop(key, None):
            run.end = end

    # From here on everything happens in the tracker's thread.

    def _work(self) -> None:
        with self._logged.held() if self._logged and not self._logged.is_held else nullcontext():
            pause = FLUSH_SECONDS
            while not self._closing.wait(pause):
                pause = FLUSH_SECONDS if self._try(self._log_runs) else min(2 * pause, RETRY_SECONDS)
            any(self._try(self._log_runs) for _ in range(3))  # each failure moves another run to the end
            self._try(self._end_parents)

    def _try(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except Exception as error:  # whatever MLflow, its database or the network may raise
            self._cause = cause_of(error)
            return False
        return True

    def _log_runs(self) -> None:
        if self._unlogged:
            self._client  # noqa: B018 (it may find that there is more to log)
        for run in sorted(self._unlogged, key=lambda run: run.failures):  # a run that MLflow refuses holds up no other
            if run.run_id is None or run.epochs or run.end:
                run.failures += 1
                self._log(run)
                run.failures = 0

    def _log(self, run: _Run) -> None:
        from mlflow.entities import Metric, Param

        end = run.end  # the end first: no epoch follows it
        parent = self._parent(run.invocation, run.spec["dataset"])
        if run.run_id is None and (logged := self._finished(run, parent)):
            self._close_run(run, parent, "FINISHED", logged)
            return
        if run.run_id is None:
            self._create(run, parent)
        epochs = len(run.epochs)
        metrics = run.epochs[:epochs]
        run.steps |= {step for _, _, _, step in metrics}
        if end and end.folder:
            metrics += [*entries.history(end.folder, end.time, run.steps), *entries.result(end.folder, end.time)]
        # From here on a second attempt repeats what the first one did: of what is equal MLflow keeps one.
        if run.params:
            self._client.log_inputs(run.run_id, datasets=[entries.dataset(run.spec, run.manifest)])
        for first in range(0, max(len(metrics), 1), _BATCH):
            batch = [Metric(*m) for m in metrics[first : first + _BATCH]]
            self._client.log_batch(run.run_id, batch, [Param(*p) for p in run.params.items()])
        del run.epochs[:epochs]
        run.params = {}
        if end:
            self._end_run(run, end)
            self._close_run(run, parent, end.status, run.run_id or "")

    def _close_run(self, run: _Run, parent: _Parent, status: str, run_id: str) -> None:
        """Nothing is left to be told of the run."""
        key = run.spec["key"]
        if status == "FINISHED" and self._logged:
            self._logged.add(key, run_id)
        parent.statuses[key] = status
        if status == "FINISHED" and run.end and run.end.folder:
            parent.scores.setdefault(entries.method(run.spec), {})[key] = entries.weighted_f1(run.end.folder)
        self._unlogged.remove(run)

    def _finished(self, run: _Run, parent: _Parent) -> str | None:
        """The id of the run that MLflow has under this key, finished: the same bits are not logged twice."""
        key = run.spec["key"]
        runs = self._client.search_runs([parent.experiment], f"tags.key = '{key}' and attributes.status = 'FINISHED'")
        return runs[0].info.run_id if runs else None

    def _create(self, run: _Run, parent: _Parent) -> None:
        """Create MLflow's run in the place of one that was cut off: by the server's death, or by this program's."""
        key = run.spec["key"]
        cut_off = f"tags.key = '{key}' and attributes.status = 'RUNNING'"
        for other in self._client.search_runs([parent.experiment], cut_off):
            if other.info.run_id not in self._mine:
                self._client.delete_run(other.info.run_id)
        run.params = entries.params(run.spec)
        run.run_id = self._client.create_run(
            parent.experiment,
            start_time=run.started,
            tags={"mlflow.parentRunId": parent.run_id, **entries.tags(run.spec, run.manifest)},
            run_name=entries.name(run.spec),
        ).info.run_id
        self._mine.add(run.run_id)

    def _end_run(self, run: _Run, end: _End) -> None:
        if end.error is not None:
            self._client.set_tag(run.run_id, "error", end.error[-5000:])  # MLflow's limit
        if end.folder:
            for path in (end.folder / name for name in ARTIFACTS):
                if path.exists():
                    self._client.log_artifact(run.run_id, str(path))
            matrix = entries.confusion(end.folder)
            self._client.log_text(run.run_id, confusion.table(*matrix), "confusion.csv")
            self._client.log_text(run.run_id, confusion.picture(*matrix), "confusion.svg")
        self._client.set_terminated(run.run_id, end.status, end.time)

    def _parent(self, invocation: _Invocation, dataset: str) -> _Parent:
        if (parent := self._parents.get((invocation, dataset))) is None:
            experiment = self._experiment(dataset)
            tags = dict(invocation.tags) | {"invocation": invocation.token}
            runs = self._client.search_runs([experiment], f"tags.invocation = '{invocation.token}'")
            run = runs[0] if runs else self._client.create_run(experiment, invocation.started, tags, invocation.name)
            parent = self._parents[invocation, dataset] = _Parent(experiment, run.info.run_id)
        return parent

    def _end_parents(self) -> None:
        for parent in self._parents.values():
            for name, value in entries.summary(parent.scores).items():
                self._client.log_metric(parent.run_id, name, value)
            self._client.set_terminated(parent.run_id, parent.status)

    def _experiment(self, dataset: str) -> str:
        from mlflow.exceptions import MlflowException

        name = f"{view.PREFIX}{dataset}"
        folder = re.sub(r"[^\w.-]+", "-", dataset).strip("-")
        location = (self._artifacts / folder).as_uri() if self._artifacts else None
        if (experiment := self._client.get_experiment_by_name(name)) is None:
            try:
                return self._client.create_experiment(name, location, view.tags())
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                experiment = self._client.get_experiment_by_name(name)  # another process was quicker
        for tag, value in view.tags().items():
            if tag not in experiment.tags:
                self._client.set_experiment_tag(experiment.experiment_id, tag, value)
        return experiment.experiment_id

    @cached_property
    def _client(self) -> Any:
        from mlflow import MlflowClient  # here, for the import and a first database take seconds

        with locked(self._artifacts) if self._artifacts else nullcontext():
            if self._database and self._logged:
                self._prepare(self._database, self._logged)
            return self._answers.to(MlflowClient(self._uri))

    def _prepare(self, database: StoreDatabase, logged: Logged) -> None:
        """Have the store's database there; where it had to be made again, log the store's finished runs into it."""
        is_new = not database.file.exists()
        broken = database.prepare()
        if broken or is_new:
            logged.forget()
        if not broken:
            return
        self._warn(broken)
        self.is_rebuilt = True
        store, noted = Store(logged.root), {run.spec["key"] for run in self._unlogged}
        for spec in store.specs():
            if spec["key"] not in noted and store.is_whole(spec["key"]):
                self.run_kept(store.folder(spec["key"]))


def _now() -> int:
    return time.time_ns() // 1_000_000
