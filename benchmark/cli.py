"""``cssbench``: the command line. Heavy libraries are imported by the commands that need them, never by ``--help``."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.errors import UserError

DONE, SOME_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Is the reported gain real? Trains CSS and its baselines on the same encoder, seeds and budget, selects every "
    "epoch on validation data, and reports what is left of the difference.",
    epilog="Exit codes: 0 done, 1 some runs failed, 2 wrong usage or input, 130 after Ctrl-C. "
    "Add --debug to any command for a traceback.",
)
data_app = typer.Typer(no_args_is_help=True, help="The data sets: which there are, and where they come from.")
app.add_typer(data_app, name="data")

StoreOption = Annotated[
    Path,
    typer.Option(
        "--store", envvar="CSSBENCH_STORE", help="Folder that holds the runs; finished ones are never run again."
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data-dir", envvar="CSSBENCH_DATA", help="Folder with the community's feature files."),
]
STORE = Path("cssbench-store")


@app.command()
def run(
    preset: Annotated[str, typer.Option(help="Budget: smoke, quick, full or paper.")] = "quick",
    datasets: Annotated[
        str | None,
        typer.Option(
            help="iemocap, meld, iemocap-sim, meld-sim, comma-separated. Default: the feature files in --data-dir, or "
            "without one the simulated pair."
        ),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated: a name (cssbench methods), FUSION+AGGREGATOR, options as spf(order=2)+pgm."
        ),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="A count (5) or a list (3,7,11). Default: the preset's.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of every run instead of the preset's.")] = None,
    hidden: Annotated[int | None, typer.Option(help="Hidden width instead of the preset's.")] = None,
    rank: Annotated[int | None, typer.Option(help="Rank r of SPF instead of the preset's.")] = None,
    order: Annotated[int | None, typer.Option(help="Polynomial order p of SPF instead of the preset's.")] = None,
    encoder: Annotated[str, typer.Option(help="Encoder that all methods share.")] = "paper",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes, one thread each. Default: all cores.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    data_dir: DataOption = None,
    store: StoreOption = STORE,
    tracking_uri: Annotated[
        str | None, typer.Option(help="MLflow server. Default: $MLFLOW_TRACKING_URI, else a database in the store.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Folder of the report. Default: STORE/report.")] = None,
) -> None:
    """Train data sets × methods × seeds, log to MLflow, and write the report.

    Runs that the store holds are not repeated, and one that was cut off goes on from its last epoch.
    """
    from benchmark.data import datasets as known
    from benchmark.execution.store import Store
    from benchmark.fingerprints import resolve_device
    from benchmark.grid import expand, parse_seeds
    from benchmark.presets import load_preset
    from benchmark.registry import METHODS, look_up, split_list

    look_up("device", device, dict.fromkeys(("auto", "cpu", "cuda")))
    budget = load_preset(preset)
    chosen = [known.dataset(name, data_dir) for name in split_list(datasets)] if datasets else known.default(data_dir)
    training = {"epochs": epochs, "hidden": hidden}
    options = {"rank": rank, "order": order}
    specs = expand(
        budget,
        chosen,
        split_list(methods) if methods else METHODS,
        parse_seeds(seeds, budget),
        device=resolve_device(device),
        encoder=encoder,
        training={name: value for name, value in training.items() if value is not None},
        options={name: value for name, value in options.items() if value is not None},
    )
    runs = Store(store)
    outcomes = _execute(specs, {d.name: d for d in chosen}, runs, workers, tracking_uri)
    budgets = {spec.budget for spec in specs}
    keys = {record["key"] for record in runs.specs() if record["budget"] in budgets}
    if any(runs.is_complete(key) for key in keys):
        _report(runs.root, report or runs.root / "report", keys)
    raise typer.Exit(outcomes)


def _execute(specs: Any, datasets: Any, store: Any, workers: int | None, tracking_uri: str | None) -> int:
    """Run what the store lacks; returns the exit code."""
    missing = sum(not store.is_complete(spec.key) for spec in specs)
    typer.echo(f"{len(specs)} runs, {len(specs) - missing} of them already in {store.root}")
    if not missing:
        return DONE
    for dataset in datasets.values():
        if any(spec.dataset == dataset.name for spec in specs):
            dataset.load()  # unusable data are found before anything is written
    from rich.console import Console

    from benchmark.execution.coordinator import run_grid
    from benchmark.execution.events import Failed, Finished
    from benchmark.tracking import resolve_uri

    store.runs.mkdir(parents=True, exist_ok=True)
    outcomes = run_grid(
        specs,
        datasets,
        store,
        workers=workers or os.cpu_count() or 1,
        tracking_uri=resolve_uri(tracking_uri, store.root),
        console=Console(),
    )
    if sum(outcomes.values()) < missing or outcomes.total() > outcomes[Finished] + outcomes[Failed]:
        return INTERRUPTED
    return SOME_FAILED if outcomes[Failed] else DONE


def _report(store: Path, out: Path, keys: set[str] | None) -> None:
    import reports

    if reports.is_current(store, out, keys):
        page = out / "index.html"
    else:
        typer.echo("writing the report …")
        page = reports.build(store, out, keys)
    typer.echo(f"report: {page}")


@app.command()
def report(
    store: StoreOption = STORE,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the report. Default: STORE/report.")] = None,
) -> None:
    """Write the report of all finished runs of a store."""
    _existing(store)
    _report(store, out or store / "report", None)


@app.command()
def runs(store: StoreOption = STORE) -> None:
    """List the runs of a store: data set, method, seed, state and selected weighted F1."""
    import json

    from rich.console import Console
    from rich.table import Table

    from benchmark.execution.store import Store

    held = Store(_existing(store))
    table = Table("run", "data set", "method", "seed", "preset", "state", "weighted F1 (selected)")
    for record in sorted(held.specs(), key=lambda r: (r["dataset"], r["label"], r["preset"], r["seed"])):
        key, state = record["key"], held.state(record["key"])
        score = ""
        if state == "complete":
            score = f"{100 * json.loads((held.folder(key) / 'result.json').read_text())['selected']['weighted_f1']:.2f}"
        table.add_row(key, record["dataset"], record["label"], str(record["seed"]), record["preset"], state, score)
    Console().print(table)


@app.command()
def methods() -> None:
    """List the methods of the benchmark, and the fusions and aggregators that FUSION+AGGREGATOR can name."""
    from rich.console import Console
    from rich.table import Table

    from benchmark.methods import parse_method
    from benchmark.registry import AGGREGATORS, FUSIONS, METHODS

    table = Table("method", "fusion", "aggregator", title="compared by default")
    for name in METHODS:
        method = parse_method(name, {})
        table.add_row(name, method.fusion.name, method.aggregator.name)
    console = Console()
    console.print(table)
    for kind, known in (("fusion", FUSIONS), ("aggregator", AGGREGATORS)):
        table = Table(kind, "options (default)", "what it is")
        for name, entry in known.items():
            table.add_row(name, ", ".join(f"{o}={v.default}" for o, v in entry.options.items()), entry.summary)
        console.print(table)


@data_app.command("list")
def data_list(data_dir: DataOption = None) -> None:
    """List the data sets, and which of them can be used here."""
    from rich.console import Console
    from rich.table import Table

    from benchmark.data.datasets import available

    table = Table("data set", "usable", "what it is")
    for name, found in available(data_dir).items():
        table.add_row(name, *(("no", found) if isinstance(found, str) else ("yes", found.description)))
    Console().print(table)


def _existing(store: Path) -> Path:
    if not (store / "runs").is_dir():
        raise UserError(f"no runs in {store}: name a store with --store, or make one with cssbench run")
    return store


def main() -> None:
    """Entry point: errors meant for the user become one line and exit code 2."""
    debug = "--debug" in sys.argv
    try:
        app(args=[word for word in sys.argv[1:] if word != "--debug"], prog_name="cssbench")
    except UserError as error:
        message = str(error)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if debug or type(error).__name__ != "ReportError":  # reports/ is imported by the commands that need it alone
            raise
        message = str(error)
    if debug:
        traceback.print_exc()
    typer.echo(f"error: {message}", err=True)
    sys.exit(WRONG_INPUT)
