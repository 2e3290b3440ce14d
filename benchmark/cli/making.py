"""From a grid of runs to its report, as ``run`` and ``tune`` do it: exit codes and messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from benchmark.base.errors import UserError
from benchmark.cli.options import DONE, FAILED, INTERRUPTED, say
from benchmark.execution.estimate import estimate
from benchmark.execution.places import Places
from benchmark.store.checksums import damage

if TYPE_CHECKING:
    from benchmark.data.datasets import DataSet
    from benchmark.experiment.spec import RunSpec
    from benchmark.store.store import Store


@dataclass(frozen=True)
class Family:
    """What is compared, declared before the runs; ``insisted``: the user wrote it, and it is kept even where late."""

    comparisons: "Sequence[dict[str, Any]]"
    seeds: Sequence[int]
    margin: float
    insisted: bool = False

    def declare(self, store: Path) -> None:
        """Write it into the store."""
        from benchmark.experiment.preregistration import declare

        declare(store, self.comparisons, self.seeds, self.margin)


def carry_out(
    specs: "Sequence[RunSpec]",
    datasets: "Sequence[DataSet]",
    places: Places,
    family: Family | None,
    *,
    refit: bool = False,
    dry_run: bool = False,
) -> int:
    """Make the runs that the store has not got and write the report; returns the exit code."""
    import reports
    from benchmark.store.store import Store
    from benchmark.workflows.refit import refits

    held = Store(places.store)
    try:
        reports.refuse_foreign(places.report.resolve())  # before hours of training
    except reports.ReportError as error:
        raise UserError(str(error)) from error

    if dry_run:
        missing = [spec for spec in specs if not held.is_whole(spec.key)]
        typer.echo(f"{len(specs)} runs, {len(specs) - len(missing)} of them already in {places.store}")
        typer.echo(estimate(missing, held, places.at_once()))
        if refit:
            typer.echo("refits come on top: their epochs are not known before these runs are there")
        return DONE
    by_name = {d.name: d for d in datasets}
    if family and family.insisted and all(held.is_whole(spec.key) for spec in specs):
        family.declare(places.store)  # too late to be a plan: the report shows such comparisons as exploratory
    outcome = _train("runs", specs, by_name, held, places, family)
    budgets = {spec.budget for spec in specs}
    if refit and outcome != INTERRUPTED:
        again, left_out = refits(specs, held)
        for reason in left_out:
            say(reason)
        outcome = max(outcome, _train("refits", again, by_name, held, places))
        budgets |= {spec.budget for spec in again}
    keys = {record["key"] for record in held.specs() if record["budget"] in budgets}
    if outcome != INTERRUPTED and any(map(held.is_complete, keys)):
        write_report(places.store, places.report, keys | _imported(held, {spec.provenance.data for spec in specs}))
    return outcome


def _imported(store: "Store", data: set[str]) -> set[str]:
    """Keys of what was imported on data of these fingerprints."""
    records = (record for record in store.specs() if record.get("protocol") == "imported")
    return {record["key"] for record in records if record["provenance"]["data"] in data}


def _train(
    what: str,
    grid: "Sequence[RunSpec]",
    datasets: "Mapping[str, DataSet]",
    store: "Store",
    places: Places,
    family: Family | None = None,
) -> int:
    """Declare what will be compared, then make the runs that the store does not hold; returns the exit code."""
    specs = [spec for spec in grid if not store.is_whole(spec.key)]
    for spec in specs:
        if store.is_complete(spec.key):
            say(f"warning: run {spec.key} in {store.root} is damaged ({damage(store.folder(spec.key))}): made again")
    typer.echo(f"{len(grid)} {what}, {len(grid) - len(specs)} of them already in {store.root}")
    if not specs:
        return DONE
    from benchmark.data.splits import split
    from benchmark.experiment.grid import may_be_refused

    for name, hold_out in dict.fromkeys((spec.dataset, spec.protocol == "validated") for spec in specs):
        split(datasets[name].load(), seed=0, hold_out=hold_out)  # unusable data are found before anything is written
    if doubtful := list(filter(may_be_refused, specs)):  # and so are methods that cannot be built
        from benchmark.training.building import refuse_unbuildable

        refuse_unbuildable(doubtful)
    from rich.console import Console

    from benchmark.execution.coordinator import run_grid
    from benchmark.execution.events import Failed, Finished
    from benchmark.tracking.uris import resolve_uri

    store.prepare()
    if family:
        family.declare(places.store)
    outcomes = run_grid(
        specs,
        datasets,
        store,
        executor=places.executor(store),
        tracking_uri=resolve_uri(places.tracking_uri, store.root),
        console=Console(),
    )
    if failed := outcomes[Failed]:
        say(
            f"{failed} of {len(specs)} runs failed; {store.runs}/*/error.txt has the tracebacks, and the same command "
            "tries them again"
        )
    if outcomes[Finished] + failed < len(specs):
        return INTERRUPTED
    return FAILED if failed else DONE


def write_report(store: Path, out: Path, keys: set[str] | None) -> None:
    """Write the report of these runs, or of all, unless it is there; say where it is."""
    import reports

    page = out / "index.html"
    if not reports.is_current(store, out, keys):
        typer.echo("writing the report …")
        try:
            page = reports.build(store, out, keys)
        except reports.ReportError as error:
            raise UserError(str(error)) from error
    typer.echo(f"report: {page}")
