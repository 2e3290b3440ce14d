"""``benchmark.run``: from choices to a store that holds their runs, and to the report."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, Unpack

import reports
from benchmark.base.errors import UserError
from benchmark.base.words import counted
from benchmark.execution.estimate import estimate
from benchmark.execution.listener import Listener
from benchmark.execution.places import Places, places
from benchmark.store.query import IMPORTED
from benchmark.store.records import DamagedRunError
from benchmark.store.store import Store
from benchmark.workflows.defaults import data_folder, store_folder
from benchmark.workflows.grid import Choices, Grid, plan_grid, refuse_beside
from benchmark.workflows.lock import read_lock
from benchmark.workflows.making import make_missing
from benchmark.workflows.minutes import refuse_beside_minutes, seeds_that_fit
from benchmark.workflows.notebook import default_listener
from benchmark.workflows.outcome import Outcome
from benchmark.workflows.preparation import missing, warn_of_tracking
from benchmark.workflows.refit import refits
from benchmark.workflows.reporting import log_report, refuse_foreign, write_report
from benchmark.workflows.selection import with_rules
from benchmark.workflows.until_decided import make_until_decided, what_it_takes


def run(
    *,
    store: Path | str | None = None,
    report: Path | str | Literal[False] | None = None,
    tracking_uri: str | None = None,
    refit: bool = False,
    workers: int | None = None,
    gpus: str | int | None = None,
    workers_per_gpu: int | None = None,
    executor: str = "local",
    address: str | None = None,
    run_timeout: float | None = None,
    minutes: float | None = None,
    dry_run: bool = False,
    locked: Path | str | None = None,
    listener: Listener | None = None,
    **choices: Unpack[Choices],
) -> Outcome:
    """Train data sets × methods × seeds, log them to MLflow, and write the report, as ``cssbench run`` does.

    Finished runs are not repeated; one that was cut off goes on from its last epoch; one that failed is tried again.
    Runs are made in processes of their own: a script calls this under ``if __name__ == "__main__":``.

    Args:
        store: holds the runs; default: ``$CSSBENCH_STORE``, else ``cssbench-store``.
        report: folder of the report; default: ``report`` in the store; False for no report.
        tracking_uri: MLflow; default: ``$MLFLOW_TRACKING_URI``, else a database in the store.
        refit: afterwards train each method on training and validation data, for the mean epoch that its seeds selected.
        workers: processes, one thread each; default: one a core, one a GPU, or what the cluster has room for.
        gpus, workers_per_gpu: the GPUs that workers are placed on (a number or ``all``), and how many share one.
        executor, address: ``local``, or ``ray`` with the cluster's HOST:PORT.
        run_timeout: seconds without a finished epoch after which a run is taken for hung.
        minutes: make as many seeds as fit into this time, but at least 8, instead of a number of ``seeds``.
        dry_run: say how many runs, how long and how much memory; make nothing.
        locked: make the runs of this file by :func:`benchmark.lock`; nothing else may choose runs then,
            and the plug-ins that it names are imported only where ``plugins`` names them or they are installed.
        listener: hears messages and progress; default: one line that updates in a notebook, silence elsewhere.
        choices: what is compared, see :class:`benchmark.Choices`: datasets, methods, seeds, preset, …

    Raises:
        UserError: wrong input, in one line with cause, value and remedy; nothing is written then.
        KeyboardInterrupt: Ctrl-C twice. Once lets each run finish its epoch, and the outcome says ``interrupted``.
    """
    listener = listener or default_listener()
    root = store_folder(store)
    if refit and choices.get("protocol") == "sessions":
        raise UserError(
            "--refit makes scores to stand beside published ones, which are of the published split, and --protocol "
            "sessions has another: leave one of them out"
        )
    if refit and choices.get("protocol") == "published":
        raise UserError(
            "--refit needs the epochs that validation selected, and --protocol published has no validation data; "
            "leave one of them out"
        )
    if minutes is not None:
        refuse_beside_minutes(minutes, choices, locked)
        choices = {**choices, "seeds": 1}
    if locked is not None:
        refuse_beside(Path(locked), choices)
        grid = read_lock(Path(locked), data_folder(choices.get("data_dir")), choices.get("plugins", ()))
    else:
        grid = plan_grid(root, anywhere=executor == "ray", **choices)
    where = places(
        root,
        Path(report) if report else root / "report",
        tracking_uri,
        run_timeout,
        device=grid.specs[0].provenance.device,
        workers=workers,
        gpus=None if gpus is None else str(gpus),
        workers_per_gpu=workers_per_gpu,
        executor=executor,
        address=address,
    )
    if minutes is not None:
        choices = {**choices, "seeds": seeds_that_fit(minutes, grid, where, listener)}
        grid = plan_grid(root, anywhere=executor == "ray", **choices)
    return carry_out(grid, where, listener, refit=refit, dry_run=dry_run, report=report is not False)


def carry_out(
    grid: Grid, where: Places, listener: Listener, *, refit: bool = False, dry_run: bool = False, report: bool = True
) -> Outcome:
    """Make the runs of a grid that the store has not got, and write the report."""
    store = Store(where.store)
    grid = with_rules(grid, store)
    if report:
        refuse_foreign(where.report)
    if dry_run:
        return _say_what_it_takes(grid, where, store, listener, refit=refit)
    warn_of_tracking(where.tracking_uri, listener)
    declared, specs = grid.preregistration, grid.specs
    if declared and declared.looks is not None:
        outcome, specs = make_until_decided(grid, declared, store, where, listener)
    else:
        if declared and declared.insisted and not missing(specs, store):
            declared.declare(store.root)  # too late to be a plan: the report shows such comparisons as exploratory
        outcome = make_missing("run", specs, grid.datasets, store, where, listener, declared=declared)
    budgets = {spec.budget for spec in grid.specs}
    if refit and not outcome.interrupted:
        again, left_out = refits(specs, store)
        for reason in left_out:
            listener.notice(reason)
        outcome += make_missing("refit", again, grid.datasets, store, where, listener)
        budgets |= {spec.budget for spec in again}
    damaged: list[DamagedRunError] = []
    keys = {record["key"] for record in store.specs(damaged) if record["budget"] in budgets}
    unusable = {error.folder.name: str(error) for error in damaged}
    if not report or not any(map(store.is_complete, keys)):
        return _naming(unusable, outcome, listener)
    if outcome.interrupted:
        listener.message("reporting the runs that are there; Ctrl-C leaves without a report")
    shown = keys | _imported(store, {spec.provenance.data for spec in grid.specs})
    page = write_report(store.root, where.report, shown, listener)
    if outcome.made:
        log_report(where, store, outcome.keys, shown, listener)
    unusable |= reports.read_left_out(where.report)
    return _naming(unusable, replace(outcome, report=page), listener)


def _naming(unusable: Mapping[str, str], outcome: Outcome, listener: Listener) -> Outcome:
    """Name the damaged runs of the store that the grid has not made again, each with its remedy."""
    for sentence in unusable.values():
        listener.notice(f"left out: {sentence}")
    return replace(outcome, left_out=tuple(unusable))


def _say_what_it_takes(grid: Grid, where: Places, store: Store, listener: Listener, *, refit: bool) -> Outcome:
    """Say how many runs are missing and what they take; make nothing."""
    keys, to_make = [spec.key for spec in grid.specs], missing(grid.specs, store)
    if grid.preregistration is not None and grid.preregistration.looks is not None:
        for sentence in what_it_takes(grid, grid.preregistration, store, where.at_once()):
            listener.message(sentence)
    else:
        listener.message(f"{counted(len(keys), 'run')}, {len(keys) - len(to_make)} of them already in {store.root}")
        listener.message(estimate(list(to_make.values()), store, where.at_once()))
    if refit:
        listener.message("refits come on top: their epochs are not known before these runs are there")
    return Outcome(store.root, keys)


def _imported(store: Store, data: set[str]) -> set[str]:
    """Keys of what was imported on data of these fingerprints."""
    records = (record for record in store.specs() if record.get("protocol") == IMPORTED)
    return {record["key"] for record in records if record["provenance"]["data"] in data}
