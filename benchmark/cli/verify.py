"""``cssbench verify``: are the runs of a store what they say?"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.base.errors import UserError
from benchmark.cli.options import (
    DONE,
    FAILED,
    INTERRUPTED,
    STORE,
    WRONG_INPUT,
    DataOption,
    StoreOption,
    existing,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark.execution.tasks import Task
    from benchmark.store.query import Held
    from benchmark.store.store import Store

app = typer.Typer()


@app.command(
    epilog="Exit codes: 0 the same, 1 something differs or is damaged, 2 a run cannot be verified here.\n\n"
    "Examples:\n\ncssbench verify 3f2a\n\ncssbench verify --all --sample 3\n\ncssbench verify --all --files"
)
def verify(
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN", help="A key, or how it begins.")] = None,
    store: StoreOption = STORE,
    data_dir: DataOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every complete run.")] = False,
    sample: Annotated[int | None, typer.Option(metavar="N", help="Of these, N at random.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the choice of --sample.")] = 0,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Compare scores instead of bits where bits differ: pass if none differs by more than X (fractions: "
            "0.01 is a point of F1), as between machines or versions.",
        ),
    ] = None,
    files: Annotated[
        bool, typer.Option("--files", help="Compare the files with their checksums only; executes nothing.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Worker processes, one thread each.", show_default="all cores")
    ] = None,
) -> None:
    """Execute runs again, in a temporary folder, and compare weights, history and predictions bit by bit.

    On a difference it names the first epoch and quantity, and what differs in versions, hardware and source. Imported
    runs cannot be executed: of them the files are compared with their checksums.
    """
    from benchmark.store.store import Store

    for name, number, least in (("--workers", workers, 1), ("--sample", sample, 1), ("--tolerance", tolerance, 0)):
        if number is not None and not number >= least:
            raise UserError(f"{name} must be at least {least}, got {number}")
    held = Store(existing(store))
    chosen = _choose(held, runs or [], everything, sample, seed)
    sound, damaged = [], 0
    for run in chosen:
        if why := _damage(held, run, say_sound=files):
            damaged += 1
            typer.echo(f"{run.key} {run.name}: damaged: {why}")
        else:
            sound.append(run)
    outcome = FAILED if damaged else DONE
    if everything and not files:
        if imported := [run.key for run in sound if run.spec.get("protocol") == "imported"]:
            typer.echo(f"{len(imported)} imported runs are whole; there is nothing here to execute them with")
        sound = [run for run in sound if run.key not in imported]
    if not files:
        outcome = max(outcome, _execute(held, sound, data_dir, tolerance, workers or os.cpu_count() or 1), key=_gravity)
    raise typer.Exit(outcome)


def _gravity(code: int) -> int:
    """A run that differs weighs more than one that cannot be verified."""
    return (DONE, WRONG_INPUT, FAILED).index(code)


def _choose(store: "Store", prefixes: list[str], everything: bool, sample: int | None, seed: int) -> "list[Held]":
    from random import Random

    from benchmark.store.query import Filter, by_prefix

    if everything == bool(prefixes):
        raise UserError("name the runs to verify, or all of them with --all; cssbench runs lists them")
    chosen = list(Filter(state="complete").select(store)) if everything else by_prefix(store, prefixes)
    if unfinished := [run.key for run in chosen if run.state != "complete"]:
        raise UserError(f"run {unfinished[0]} is not complete: there is nothing to verify; cssbench run makes it")
    if not chosen:
        raise UserError(f"no complete run in {store.root}: there is nothing to verify")
    return chosen if sample is None else Random(seed).sample(chosen, min(sample, len(chosen)))


def _damage(store: "Store", run: "Held", *, say_sound: bool) -> str | None:
    from benchmark.store.checksums import damage, has_checksums

    why = damage(store.folder(run.key))
    if why is None and say_sound:
        what = "files are whole" if has_checksums(store.folder(run.key)) else "has no checksums (of an earlier version)"
        typer.echo(f"{run.key} {run.name}: {what}")
    return why


def _execute(
    store: "Store", runs: "Sequence[Held]", data_dir: Path | None, tolerance: float | None, workers: int
) -> int:
    """Execute the runs again and say of each how it compares; returns the exit code."""
    from benchmark.execution.rebuilding import rebuild

    outcome = DONE
    tasks: dict[str, Task] = {}
    for run in runs:
        try:
            tasks[run.key] = rebuild(run.spec, data_dir)
        except UserError as error:
            outcome = WRONG_INPUT
            say(f"{run.key} {run.name}: cannot be verified: {error}")
    if not tasks:
        return outcome
    from tempfile import TemporaryDirectory

    from benchmark.store.store import Store

    with TemporaryDirectory(prefix="cssbench-verify-") as folder:
        scratch = Store(Path(folder))
        scratch.prepare()
        try:
            errors = _make(list(tasks.values()), scratch, workers)
        except KeyboardInterrupt:
            say("interrupted: nothing was compared, and the store is as it was")
            raise SystemExit(INTERRUPTED) from None
        for run in runs:
            if run.key in tasks:
                key = tasks[run.key].spec.key
                same, lines = _compare(store.folder(run.key), scratch.folder(key), errors.get(key), tolerance)
                outcome = outcome if same else FAILED
                typer.echo(f"{run.key} {run.name}: {lines[0]}")
                for line in lines[1:]:
                    typer.echo(f"    {line}")
    return outcome


def _make(tasks: "Sequence[Task]", scratch: "Store", workers: int) -> dict[str, str]:
    """Execute the tasks into the scratch store; returns the errors of those that failed."""
    from contextlib import closing

    from rich.console import Console

    from benchmark.execution.display import Display
    from benchmark.execution.events import Failed
    from benchmark.execution.local import Scheduler

    unique = {task.spec.key: task for task in tasks}
    errors = {}
    with (
        Display({key: task.spec for key, task in unique.items()}, Console(stderr=True)) as display,
        closing(Scheduler(scratch, workers).run(list(unique.values()))) as events,
    ):
        for event in events:
            display.update(event)
            if isinstance(event, Failed):
                errors[event.key] = event.error
    return errors


def _compare(stored: Path, again: Path, error: str | None, tolerance: float | None) -> tuple[bool, list[str]]:
    """Whether the run passes, and what to say of it."""
    from benchmark.store.verification import compare

    if error is not None:
        return False, ["failed when it was executed again", error.strip().splitlines()[-1]]
    found = compare(stored, again)
    if found.first is None:
        return True, ["the same bits", *found.environment]
    passes = found.passes(tolerance)
    verdict = "differs" if not passes else f"differs within the tolerance {tolerance:g}"
    lines = [f"{verdict}, first at {found.first}"]
    if found.score is None:
        lines.append("every score is the same")
    else:
        name, before, now = found.score
        lines.append(f"the score that differs most: {name} {now:.6f} now, {before:.6f} in the store")
    return passes, lines + list(found.environment or ["versions, hardware and source are the same"])
