"""From a grid to a store that holds it: what is missing is run, shown, and logged."""

import shlex
import signal
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from benchmark.audit.examination import examine
from benchmark.base.words import counted
from benchmark.data.datasets import DataSet
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Started
from benchmark.execution.executor import Executor
from benchmark.execution.listener import Listener
from benchmark.execution.repository import git_state
from benchmark.execution.tasks import Task
from benchmark.experiment.spec import RunSpec
from benchmark.store.store import Store
from benchmark.tracking.logged import Logged
from benchmark.tracking.tracker import Tracker
from benchmark.tracking.uris import without_password


def run_grid(
    specs: Mapping[str, RunSpec],
    datasets: Mapping[str, DataSet],
    store: Store,
    *,
    executor: Executor,
    tracking_uri: str,
    listener: Listener,
    title: str = "all runs",
    invocation: str | None = None,
) -> Counter[type[Event]]:
    """Make these runs, which the store does not hold; returns how they ended, by kind of event.

    Args:
        specs: the runs, by key.
        datasets: by name, those that the runs are on.
        executor: writes into the same store.
        title: of these runs, for the display of progress.
        invocation: runs made under the same one have the same parent runs in MLflow; default: one of its own.

    The first Ctrl-C (or SIGTERM) lets each run finish its epoch and leaves; the second leaves at once, as
    KeyboardInterrupt.
    """
    if not specs:
        return Counter()
    git = git_state(Path(__file__).parent)
    known = {name: about(datasets[name], listener) for name in dict.fromkeys(s.dataset for s in specs.values())}
    tasks = {key: Task(spec, datasets[spec.dataset], git, _known_of(spec, known)) for key, spec in specs.items()}
    presets = ",".join(dict.fromkeys(spec.preset for spec in specs.values()))
    outcomes: Counter[type[Event]] = Counter()
    with (
        tracking(tracking_uri, store, listener) as tracker,
        listener.runs(specs, title) as hear,
        making(executor.run(list(tasks.values())), executor.stop, listener) as events,
    ):
        tracker.begin(f"{presets}: {counted(len(specs), 'run')}", {"preset": presets}, invocation)
        for event in events:
            outcomes[type(event)] += 1
            hear(event)
            log(tracker, event, tasks[event.key], store)
    return outcomes


def _known_of(spec: RunSpec, known: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What is known of the run's data; of a fold without what is measured on the published test set."""
    of_data = known[spec.dataset]
    return of_data | dict.fromkeys(("ceiling", "references")) if spec.fold else of_data


@contextmanager
def tracking(uri: str, store: Store, listener: Listener) -> Iterator[Tracker]:
    """A tracker of the store's runs; at the end it logs what is left, after an error in a hurry."""
    logged = Logged(store.root, without_password(uri))
    tracker = Tracker(uri, partial(_warn, listener), logged)
    try:
        yield tracker
        tracker.close()
    finally:
        tracker.close(timeout=1)  # in a hurry, unless it is closed already


@contextmanager
def making(
    events: Generator[Event, None, None], stop: Callable[[], None], listener: Listener
) -> Iterator[Iterator[Event]]:
    """What happens while tasks are executed, until they are over or a signal stops them (see :func:`run_grid`)."""
    with _stopping(stop, listener), closing(events):
        yield events


def about(dataset: DataSet, listener: Listener) -> dict[str, Any]:
    """What is to be known of a data set; a warning where its audit finds defects."""
    known = examine(dataset, listener.message)
    audit = known["audit"]
    if count := len(audit["defects"]):
        where = "" if dataset.file is None else f" (cssbench data audit {shlex.quote(str(dataset.file))} shows them)"
        remedies = ",".join(audit["remedies"])
        mend = f"; --drop-defects {remedies} is a remedy" if remedies else ""
        _warn(listener, f"{dataset.name}: the audit finds {count} {'defect' if count == 1 else 'defects'}{where}{mend}")
    return known


def log(tracker: Tracker, event: Event, task: Task, store: Store) -> None:
    """Tell MLflow what happened to a run."""
    match event:
        case Started():
            data = {
                "kind": task.dataset.kind,
                "description": task.dataset.description,
                "fingerprint": task.spec.provenance.data,
            }
            tracker.run_started(task.spec.record(), {"git": task.git, "data": data})
        case Epoch(epoch=epoch, metrics=metrics):
            tracker.epoch(event.key, metrics, epoch)
        case Finished():
            tracker.run_finished(event.key, store.folder(event.key))
        case Interrupted():
            tracker.run_interrupted(event.key)
        case Failed(error=error):
            tracker.run_failed(event.key, error)


@contextmanager
def _stopping(stop: Callable[[], None], listener: Listener) -> Iterator[None]:
    """Ctrl-C or SIGTERM once calls ``stop``; twice raises KeyboardInterrupt.

    Outside the main thread, which alone may handle signals, nothing is handled here.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)

    def handle(signum: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.default_int_handler)
        stop()
        listener.notice("stopping after the current epoch of each run; Ctrl-C again leaves at once")

    previous = {each: signal.signal(each, handle) for each in signals}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def _warn(listener: Listener, message: str) -> None:
    listener.notice(f"warning: {message}")
