"""From a grid to a store that holds it: what is missing is run, shown, and logged."""

import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from benchmark.audit.examination import examine
from benchmark.data.datasets import DataSet
from benchmark.execution.display import Display
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Started
from benchmark.execution.executor import Executor
from benchmark.execution.tasks import Task
from benchmark.experiment.spec import RunSpec
from benchmark.store.store import Store
from benchmark.tracking.logged import Logged
from benchmark.tracking.tracker import Tracker
from benchmark.tracking.uris import artifacts_beside, without_password


def run_grid(
    specs: Sequence[RunSpec],
    datasets: Mapping[str, DataSet],
    store: Store,
    *,
    executor: Executor,
    tracking_uri: str,
    console: Console,
) -> Counter[type[Event]]:
    """Run every specification that the store does not hold yet; returns how the runs ended, by kind of event.

    The executor writes into the same store.

    The first Ctrl-C (or SIGTERM) lets each run finish its epoch and leaves; the second leaves at once, as
    KeyboardInterrupt.
    """
    missing = {spec.key: spec for spec in specs if not store.is_whole(spec.key)}
    if not missing:
        return Counter()
    git = git_state(Path(__file__).parent)
    known = {name: about(datasets[name], console) for name in dict.fromkeys(s.dataset for s in missing.values())}
    tasks = {key: Task(spec, datasets[spec.dataset], git, known[spec.dataset]) for key, spec in missing.items()}
    presets = ",".join(dict.fromkeys(spec.preset for spec in specs))
    with (
        tracking(tracking_uri, store) as tracker,
        Display(missing, console) as display,
        making(executor.run(list(tasks.values())), executor.stop) as events,
    ):
        tracker.begin(f"{presets}: {len(missing)} runs", {"preset": presets})
        for event in events:
            display.update(event)
            log(tracker, event, tasks[event.key], store)
    return display.outcomes


@contextmanager
def tracking(uri: str, store: Store) -> Iterator[Tracker]:
    """A tracker of the store's runs; at the end it logs what is left, after an error in a hurry."""
    tracker = Tracker(uri, artifacts_beside(uri, store.root), _warn, Logged(store.root, without_password(uri)))
    try:
        yield tracker
        tracker.close()
    finally:
        tracker.close(timeout=1)  # in a hurry, unless it is closed already


@contextmanager
def making(events: Generator[Event, None, None], stop: Callable[[], None]) -> Iterator[Iterator[Event]]:
    """What happens while tasks are executed, until they are over or a signal stops them (see :func:`run_grid`)."""
    with _stopping(stop), closing(events):
        yield events


def about(dataset: DataSet, console: Console) -> dict[str, Any]:
    """What is to be known of a data set; a warning where its audit finds defects."""
    found = examine(dataset, console.print)
    audit = found["audit"]
    if count := len(audit["defects"]):
        where = "" if dataset.file is None else f" (cssbench data audit {shlex.quote(str(dataset.file))} shows them)"
        remedies = ",".join(audit["remedies"])
        mend = f"; --drop-defects {remedies} is a remedy" if remedies else ""
        _warn(f"{dataset.name}: the audit finds {count} {'defect' if count == 1 else 'defects'}{where}{mend}")
    return found


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
def _stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C or SIGTERM once calls ``stop``; twice raises KeyboardInterrupt."""
    signals = (signal.SIGINT, signal.SIGTERM)

    def handle(signum: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.default_int_handler)
        stop()
        print("stopping after the current epoch of each run; Ctrl-C again leaves at once", file=sys.stderr)

    previous = {each: signal.signal(each, handle) for each in signals}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def _warn(message: str) -> None:
    """Show a warning; a live display on the terminal makes room for it."""
    print(f"warning: {message}", file=sys.stderr)


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and dirty flag of the repository around ``folder``, or None where there is none."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None
