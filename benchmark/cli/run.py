"""``cssbench run`` and ``cssbench report``."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.common import (
    BUDGET,
    COMPARED,
    DONE,
    FAILED,
    INTERRUPTED,
    PLACES,
    STORE,
    DataOption,
    PluginOption,
    StoreOption,
    existing,
    given,
    listed,
    say,
)
from benchmark.errors import UserError

if TYPE_CHECKING:
    from benchmark.data.datasets import DataSet
    from benchmark.execution.store import Store
    from benchmark.specs import RunSpec

app = typer.Typer()


@app.command(
    epilog="Examples:\n\n"
    "cssbench run --preset smoke\n\n"
    "cssbench run --data-dir features --preset full --seeds 10\n\n"
    "cssbench run --datasets meld-sim --methods 'css,adam,spf(order=2)+pgm,concat+pcgrad' --seeds 3,7,11\n\n"
    "cssbench run --grid factorial --fusions spf,concat,lmf --aggregators equal,pgm,mgda\n\n"
    "cssbench run --datasets 'meld-sim,meld-sim(conflict_rate=0.6)'"
)
def run(
    preset: Annotated[
        str, typer.Option(metavar="NAME", rich_help_panel=COMPARED, help="Budget: smoke, quick, full or paper.")
    ] = "quick",
    datasets: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            rich_help_panel=COMPARED,
            help="Of iemocap, meld, iemocap-sim, meld-sim; the last two with knobs, as in meld-sim(conflict_rate=0.5).",
            show_default="the feature files in --data-dir; without one, the simulated pair",
        ),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            rich_help_panel=COMPARED,
            help="A name (see cssbench methods) or FUSION+AGGREGATOR, with options as in spf(order=2)+pgm; if need be "
            "ENCODER/ before it and /OBJECTIVES after it.",
            show_default="css,adam,concat,concat+pgm,pcgrad,tensor",
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=COMPARED,
            help="Instead of --methods: ablation, sensitivity, rank-order, or factorial (--fusions × --aggregators).",
        ),
    ] = None,
    fusions: Annotated[
        str | None, typer.Option(metavar="A,B", rich_help_panel=COMPARED, help="Of the factorial grid.")
    ] = None,
    aggregators: Annotated[
        str | None, typer.Option(metavar="A,B", rich_help_panel=COMPARED, help="Of the factorial grid.")
    ] = None,
    raw_scale: Annotated[
        bool,
        typer.Option(
            "--raw-scale", rich_help_panel=COMPARED, help="Aggregators keep their published scale instead of Σγ = 1."
        ),
    ] = False,
    plugin: PluginOption = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="N|A,B",
            rich_help_panel=COMPARED,
            help="A count (5: seeds 0 to 4) or a list (3,7,11).",
            show_default="the preset's",
        ),
    ] = None,
    margin: Annotated[
        float,
        typer.Option(
            metavar="F1",
            rich_help_panel=COMPARED,
            help="Points of weighted F1 below which a difference does not matter; declared before the runs.",
        ),
    ] = 0.5,
    contrasts: Annotated[
        str | None,
        typer.Option(
            metavar="A:B,C:D",
            rich_help_panel=COMPARED,
            help="The comparisons that are tested, as one family; declared before the runs.",
            show_default="css against each other method",
        ),
    ] = None,
    modalities: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            rich_help_panel=COMPARED,
            help="Of text, audio, visual: what every method sees.",
            show_default="all three",
        ),
    ] = None,
    text_view: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=COMPARED,
            help="Of a feature file's views of the text: 1, 2, 3, 4, mean or concat.",
            show_default="1",
        ),
    ] = None,
    encoder: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=COMPARED, help="Encoder of all methods that name none: paper or released."
        ),
    ] = "paper",
    epochs: Annotated[
        int | None, typer.Option(metavar="N", rich_help_panel=BUDGET, help="Epochs of every run.")
    ] = None,
    hidden: Annotated[
        int | None, typer.Option(metavar="N", rich_help_panel=BUDGET, help="Width; a multiple of the preset's heads.")
    ] = None,
    rank: Annotated[int | None, typer.Option(metavar="R", rich_help_panel=BUDGET, help="Rank of SPF.")] = None,
    order: Annotated[
        int | None, typer.Option(metavar="P", rich_help_panel=BUDGET, help="Polynomial order of SPF.")
    ] = None,
    store: StoreOption = STORE,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", rich_help_panel=PLACES, help="Gets the report.", show_default="STORE/report"),
    ] = None,
    data_dir: DataOption = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            rich_help_panel=PLACES,
            help="MLflow server.",
            show_default="$MLFLOW_TRACKING_URI, else a database in the store",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", rich_help_panel=PLACES, help="Worker processes, one thread each.", show_default="all cores"
        ),
    ] = None,
    device: Annotated[str, typer.Option(metavar="NAME", rich_help_panel=PLACES, help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train data sets × methods × seeds, log to MLflow, and write the report.

    Finished runs are not repeated; one that was cut off goes on from its last epoch; one that failed is tried again.

    Ctrl-C lets every run finish its epoch; a second one leaves at once.
    """
    import reports
    from benchmark.data import datasets as known
    from benchmark.execution.store import Store
    from benchmark.families import MARGIN, check_margin, declare, plan
    from benchmark.fingerprints import resolve_device
    from benchmark.grid import expand, parse_inputs, parse_seeds
    from benchmark.grids import choose_methods
    from benchmark.plugins import register
    from benchmark.presets import load_preset
    from benchmark.registry import look_up

    look_up("device", device, dict.fromkeys(("auto", "cpu", "cuda")))
    if workers is not None and workers < 1:
        raise UserError(f"--workers must be at least 1, got {workers}")
    register(plugin or ())
    budget = load_preset(preset)
    inputs = parse_inputs(modalities, text_view)
    chosen = (
        known.default(data_dir, inputs)
        if datasets is None
        else [known.dataset(name, data_dir, inputs) for name in listed("--datasets", datasets)]
    )
    compared, replicates = choose_methods(methods, grid, fusions, aggregators), parse_seeds(seeds, budget)
    expanded = partial(
        expand,
        budget,
        chosen,
        device=resolve_device(device),
        encoder=encoder,
        training=given(epochs=epochs, hidden=hidden),
        options=given(rank=rank, order=order, raw_scale=raw_scale or None),
    )
    specs = expanded(compared, replicates)
    check_margin(margin)
    comparisons = plan(compared, contrasts, lambda text: expanded([text], replicates[:1]))
    held = Store(store)
    out = report or store / "report"
    try:
        reports.refuse_foreign(out.resolve())  # before hours of training
    except reports.ReportError as error:
        raise UserError(str(error)) from error

    missing = [spec for spec in specs if not held.is_complete(spec.key)]
    typer.echo(f"{len(specs)} runs, {len(specs) - len(missing)} of them already in {store}")
    declared = partial(declare, store, comparisons, replicates, margin)
    if missing:
        outcome = _train(missing, {d.name: d for d in chosen}, held, workers, tracking_uri, declared)
    else:
        outcome = DONE
        if contrasts is not None or margin != MARGIN:
            declared()  # too late to be a plan: the report shows such comparisons as exploratory
    budgets = {spec.budget for spec in specs}
    keys = {record["key"] for record in held.specs() if record["budget"] in budgets}
    if outcome != INTERRUPTED and any(map(held.is_complete, keys)):
        _report(store, out, keys)
    raise typer.Exit(outcome)


def _train(
    specs: "Sequence[RunSpec]",
    datasets: "Mapping[str, DataSet]",
    store: "Store",
    workers: int | None,
    tracking_uri: str | None,
    declared: Callable[[], object],
) -> int:
    """Declare what will be compared, then make the runs; returns the exit code."""
    from benchmark.data.splits import split
    from benchmark.grid import may_be_refused

    for name in dict.fromkeys(spec.dataset for spec in specs):
        split(datasets[name].load(), seed=0)  # unusable data are found before anything is written
    if doubtful := list(filter(may_be_refused, specs)):  # and so are methods that cannot be built
        from benchmark.training.building import refuse_unbuildable

        refuse_unbuildable(doubtful)
    from rich.console import Console

    from benchmark.execution.coordinator import run_grid
    from benchmark.execution.events import Failed, Finished
    from benchmark.tracking import resolve_uri

    store.prepare()
    declared()
    outcomes = run_grid(
        specs,
        datasets,
        store,
        workers=workers or os.cpu_count() or 1,
        tracking_uri=resolve_uri(tracking_uri, store.root),
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


def _report(store: Path, out: Path, keys: set[str] | None) -> None:
    import reports

    page = out / "index.html"
    if not reports.is_current(store, out, keys):
        typer.echo("writing the report …")
        try:
            page = reports.build(store, out, keys)
        except reports.ReportError as error:
            raise UserError(str(error)) from error
    typer.echo(f"report: {page}")


@app.command()
def report(
    store: StoreOption = STORE,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", rich_help_panel=PLACES, help="Gets the report.", show_default="STORE/report"
        ),
    ] = None,
) -> None:
    """Write the report of all finished runs of a store."""
    existing(store)
    _report(store, out or store / "report", None)
