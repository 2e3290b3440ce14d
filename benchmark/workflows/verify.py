"""``benchmark.verify``: are the runs of a store what they say?"""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmark.base.errors import UserError
from benchmark.base.words import counted
from benchmark.execution.listener import Listener
from benchmark.execution.rebuilding import rebuild
from benchmark.store.checksums import damage, has_checksums
from benchmark.store.query import IMPORTED, Filter, Held, by_prefix
from benchmark.store.records import DamagedRunError
from benchmark.store.store import Store
from benchmark.workflows.defaults import data_folder, store_folder
from benchmark.workflows.notebook import default_listener
from benchmark.workflows.preparation import existing

if TYPE_CHECKING:
    from benchmark.execution.tasks import Task


class Status(Enum):
    """What verification says of a run; the gravest status of several runs is the greatest."""

    SAME = 0
    """Bit by bit, or within the tolerance, or its files are whole where nothing was to be executed."""
    UNVERIFIABLE = 1
    """It cannot be executed here."""
    DIFFERENT = 2
    """It is damaged, or ends differently when it is executed again."""


@dataclass(frozen=True)
class Verified:
    """What verification says of a run.

    Attributes:
        key, name: the run.
        status: in one word.
        sentences: in words, the most important first.
    """

    key: str
    name: str
    status: Status
    sentences: Sequence[str]


def verify(
    runs: Sequence[str] | None = None,
    *,
    store: Path | str | None = None,
    data_dir: Path | str | None = None,
    plugins: Sequence[str] = (),
    sample: int | None = None,
    seed: int = 0,
    tolerance: float | None = None,
    files: bool = False,
    workers: int | None = None,
    listener: Listener | None = None,
) -> list[Verified]:
    """Execute runs again, in a temporary folder, and compare weights, history and predictions bit by bit.

    Imported runs cannot be executed: of them the files are compared with their checksums. With all runs the looks of
    ``--until-decided`` are verified too: whether what they decided follows from the store's runs.

    Args:
        runs: keys, or how they begin; None is every complete run.
        store, data_dir, listener: as for :func:`benchmark.run`.
        plugins: fusions and aggregators of the user's own that runs may name, each as ``module:Class``; others are
            imported only where they are installed, and none with a source that is not the run's.
        sample, seed: verify only so many of the runs, drawn at random with that seed.
        tolerance: where bits differ, compare scores instead: the run passes if none differs by more (a fraction).
        files: compare the files with their checksums only, and execute nothing.
        workers: processes, one thread each; default: one a core.

    Raises:
        UserError: no such run, or nothing to verify.
        KeyboardInterrupt: on Ctrl-C; nothing was compared then, and the store is as it was.
    """
    for name, number, least in (("--workers", workers, 1), ("--sample", sample, 1), ("--tolerance", tolerance, 0)):
        if number is not None and not number >= least:
            raise UserError(f"{name} must be at least {least}, got {number}")
    held = Store(existing(store_folder(store)))
    unusable: list[DamagedRunError] = []
    chosen = _choose(held, runs, sample, seed, unusable)
    damaged = {run.key: why for run in chosen if (why := damage(held.folder(run.key)))}
    gone = {run.key for run in chosen if held.is_gone(run.key)}
    verified = [_removed(run) for run in chosen if run.key in gone and runs is not None]
    chosen = [run for run in chosen if run.key not in gone]
    verified += [Verified(run.key, run.name, Status.DIFFERENT, [f"damaged: {damaged[run.key]}"])
                for run in chosen if run.key in damaged]  # fmt: skip
    verified += [Verified(error.folder.name, "cannot be read", Status.DIFFERENT, [str(error)])
                 for error in unusable]  # fmt: skip
    sound = [run for run in chosen if run.key not in damaged]
    if runs is None and sample is None:
        verified += _looks(held.root)
    if files:
        return verified + [_whole(held, run) for run in sound]
    if runs is None:
        imported = [run for run in sound if run.spec.get("protocol") == IMPORTED]
        verified += [
            Verified(
                run.key,
                run.name,
                Status.SAME,
                ["imported: its files are whole, and there is nothing here to execute it with"],
            )
            for run in imported
        ]
        sound = [run for run in sound if run not in imported]
    at_once = workers or os.cpu_count() or 1
    tasks, missing = _rebuilt(sound, data_folder(data_dir), plugins)
    return [*verified, *missing, *_execute(held, sound, tasks, tolerance, at_once, listener or default_listener())]


def _choose(
    store: Store, prefixes: Sequence[str] | None, sample: int | None, seed: int, unusable: list[DamagedRunError]
) -> list[Held]:
    """The runs that are meant; folders among them that cannot be used are put apart, whatever sample is drawn."""
    if prefixes is not None and not prefixes:
        raise UserError("name the runs to verify, or all of them with --all; cssbench runs lists them")
    if prefixes is None:
        chosen = list(Filter(state="complete").select(store, unusable))
    else:
        chosen = by_prefix(store, prefixes, unusable)
    if unfinished := [run.key for run in chosen if run.state != "complete"]:
        raise UserError(f"run {unfinished[0]} is not complete: there is nothing to verify; cssbench run makes it")
    if not chosen and not unusable:
        raise UserError(f"no complete run in {store.root}: there is nothing to verify")
    return chosen if sample is None else Random(seed).sample(chosen, min(sample, len(chosen)))


def _looks(store: Path) -> Iterator[Verified]:
    """What verification says of every family that was followed until it was decided."""
    import reports

    try:
        checked = reports.check_looks(store)
    except (reports.ReportError, ValueError) as error:
        yield Verified("looks", "of followed families", Status.DIFFERENT, [str(error)])
        return
    for name, (taken, fault) in checked.items():
        status = Status.DIFFERENT if fault else Status.SAME
        yield Verified(name, counted(taken, "look"), status, [fault or "decided as the store's runs say"])


def _removed(run: Held) -> Verified:
    return Verified(run.key, run.name, Status.UNVERIFIABLE, ["was removed by another process meanwhile"])


def _whole(store: Store, run: Held) -> Verified:
    try:
        checked = has_checksums(store.folder(run.key))
    except FileNotFoundError:
        return _removed(run)
    sentence = "files are whole" if checked else "has no checksums (of an earlier version)"
    return Verified(run.key, run.name, Status.SAME, [sentence])


def _rebuilt(
    runs: Sequence[Held], data_dir: Path | None, plugins: Sequence[str]
) -> "tuple[dict[str, Task], list[Verified]]":
    """The runs' tasks by key, and what is said of those that cannot be executed here."""
    tasks: dict[str, Task] = {}
    missing = []
    for run in runs:
        try:
            tasks[run.key] = rebuild(run.spec, data_dir, plugins)
        except UserError as error:
            missing.append(Verified(run.key, run.name, Status.UNVERIFIABLE, [f"cannot be verified: {error}"]))
    return tasks, missing


def _execute(
    store: Store,
    runs: Sequence[Held],
    tasks: "dict[str, Task]",
    tolerance: float | None,
    workers: int,
    listener: Listener,
) -> Iterator[Verified]:
    """Execute the runs again that have a task, and say of each how it compares."""
    if not tasks:
        return
    with TemporaryDirectory(prefix="cssbench-verify-") as folder:
        scratch = Store(Path(folder))
        scratch.prepare()
        errors = _make(list(tasks.values()), scratch, workers, listener)
        for run in runs:
            if run.key in tasks:
                key = tasks[run.key].spec.key
                status, sentences = _compare(store.folder(run.key), scratch.folder(key), errors.get(key), tolerance)
                is_gone = store.is_gone(run.key)
                yield _removed(run) if is_gone else Verified(run.key, run.name, status, sentences)


def _make(tasks: "Sequence[Task]", scratch: Store, workers: int, listener: Listener) -> dict[str, str]:
    """Execute the tasks into the scratch store; returns the errors of those that failed."""
    from benchmark.execution.events import Failed
    from benchmark.execution.local import Scheduler

    unique = {task.spec.key: task for task in tasks}
    errors = {}
    with (
        listener.runs({key: task.spec for key, task in unique.items()}) as hear,
        closing(Scheduler(scratch, workers).run(list(unique.values()))) as events,
    ):
        for event in events:
            hear(event)
            if isinstance(event, Failed):
                errors[event.key] = event.error
    return errors


def _compare(stored: Path, again: Path, error: str | None, tolerance: float | None) -> tuple[Status, list[str]]:
    """Whether the run passes, and what to say of it."""
    from benchmark.store.verification import compare

    if error is not None:
        return Status.DIFFERENT, ["failed when it was executed again", error.strip().splitlines()[-1]]
    try:
        comparison = compare(stored, again)
    except (OSError, ValueError, KeyError, TypeError) as error:  # without checksums, damage shows here alone
        return Status.DIFFERENT, [f"damaged: {type(error).__name__}: {' '.join(str(error).split())[:200]}"]
    if comparison.first is None:
        return Status.SAME, ["the same bits", *comparison.environment]
    passes = comparison.passes(tolerance)
    verdict = f"differs within the tolerance {tolerance:g}" if passes else "differs"
    sentences = [f"{verdict}, first at {comparison.first}"]
    if comparison.score is None:
        sentences.append("every score is the same")
    else:
        name, before, now = comparison.score
        sentences.append(f"the score that differs most: {name} {now:.6f} now, {before:.6f} in the store")
    environment = list(comparison.environment or ["versions, hardware and source are the same"])
    return (Status.SAME if passes else Status.DIFFERENT), sentences + environment
