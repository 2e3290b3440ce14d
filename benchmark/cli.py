"""``cssbench``: the command line. Heavy libraries are imported by the commands that need them, never by ``--help``."""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from benchmark.data.audit.pages import View
    from benchmark.data.datasets import DataSet
    from benchmark.execution.store import Store
    from benchmark.specs import RunSpec

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    add_completion=False,
    help="Is the reported gain real? Trains CSS and its baselines on the same encoder, seeds and budget, selects every "
    "epoch on validation data, and reports what is left of the difference.",
    epilog="Exit codes: 0 done, 1 some runs failed (the others are kept and reported), 2 wrong usage or input, 130 "
    "after Ctrl-C. --debug, anywhere on the line, shows the traceback behind an error.",
)
data_app = typer.Typer(help="The data sets: which there are, and where they come from.")
app.add_typer(data_app, name="data")

COMPARED, BUDGET, PLACES = "What is compared", "Instead of the preset's settings", "Where, and on what"

STORE = Path("cssbench-store")
StoreOption = Annotated[
    Path,
    typer.Option(
        "--store",
        metavar="FOLDER",
        envvar="CSSBENCH_STORE",
        rich_help_panel=PLACES,
        help="Holds the runs; finished ones are never run again.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="FOLDER",
        envvar="CSSBENCH_DATA",
        rich_help_panel=PLACES,
        help="Holds the community's feature files.",
    ),
]


@app.command(
    epilog="Examples:\n\n"
    "cssbench run --preset smoke\n\n"
    "cssbench run --data-dir features --preset full --seeds 10\n\n"
    "cssbench run --datasets meld-sim --methods 'css,adam,spf(order=2)+pgm,concat+pcgrad' --seeds 3,7,11\n\n"
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
            help="A name (see cssbench methods) or FUSION+AGGREGATOR, with options as in spf(order=2)+pgm.",
            show_default="css,adam,concat,concat+pgm,pcgrad,tensor",
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="N|A,B",
            rich_help_panel=COMPARED,
            help="A count (5: seeds 0 to 4) or a list (3,7,11).",
            show_default="the preset's",
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
        str, typer.Option(metavar="NAME", rich_help_panel=COMPARED, help="Encoder that all methods share.")
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
    from benchmark.fingerprints import resolve_device
    from benchmark.grid import expand, parse_inputs, parse_seeds
    from benchmark.presets import load_preset
    from benchmark.registry import METHODS, look_up

    look_up("device", device, dict.fromkeys(("auto", "cpu", "cuda")))
    if workers is not None and workers < 1:
        raise UserError(f"--workers must be at least 1, got {workers}")
    budget = load_preset(preset)
    inputs = parse_inputs(modalities, text_view)
    chosen = (
        known.default(data_dir, inputs)
        if datasets is None
        else [known.dataset(name, data_dir, inputs) for name in _listed("--datasets", datasets)]
    )
    specs = expand(
        budget,
        chosen,
        METHODS if methods is None else _listed("--methods", methods),
        parse_seeds(seeds, budget),
        device=resolve_device(device),
        encoder=encoder,
        training=_given(epochs=epochs, hidden=hidden),
        options=_given(rank=rank, order=order),
    )
    held = Store(store)
    out = report or store / "report"
    try:
        reports.refuse_foreign(out.resolve())  # before hours of training
    except reports.ReportError as error:
        raise UserError(str(error)) from error

    missing = [spec for spec in specs if not held.is_complete(spec.key)]
    typer.echo(f"{len(specs)} runs, {len(specs) - len(missing)} of them already in {store}")
    outcome = _train(missing, {d.name: d for d in chosen}, held, workers, tracking_uri) if missing else DONE
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
) -> int:
    """Make the runs; returns the exit code."""
    from benchmark.data.splits import split

    for name in dict.fromkeys(spec.dataset for spec in specs):
        split(datasets[name].load(), seed=0)  # unusable data are found before anything is written
    from rich.console import Console

    from benchmark.execution.coordinator import run_grid
    from benchmark.execution.events import Failed, Finished
    from benchmark.tracking import resolve_uri

    store.prepare()
    outcomes = run_grid(
        specs,
        datasets,
        store,
        workers=workers or os.cpu_count() or 1,
        tracking_uri=resolve_uri(tracking_uri, store.root),
        console=Console(),
    )
    if failed := outcomes[Failed]:
        _say(
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
    _existing(store)
    _report(store, out or store / "report", None)


@app.command()
def runs(store: StoreOption = STORE) -> None:
    """List the runs of a store: data set, method, seed, state and selected weighted F1."""
    import json

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
    _show(table)


@app.command()
def methods() -> None:
    """List the methods of the benchmark, and the fusions and aggregators that FUSION+AGGREGATOR can name."""
    from rich.table import Table

    from benchmark.methods import parse_method
    from benchmark.registry import AGGREGATORS, FUSIONS, METHODS

    table = Table("method", "fusion", "aggregator", title="compared by default")
    for name in METHODS:
        method = parse_method(name, {})
        table.add_row(name, method.fusion.name, method.aggregator.name)
    tables = [table]
    for kind, known in (("fusion", FUSIONS), ("aggregator", AGGREGATORS)):
        table = Table(kind, "options (default)", "what it is")
        for name, entry in known.items():
            table.add_row(name, ", ".join(f"{o}={v.default}" for o, v in entry.options.items()), entry.summary)
        tables.append(table)
    _show(*tables)


@data_app.command("list")
def data_list(data_dir: DataOption = None) -> None:
    """List the data sets, and which of them can be used here."""
    from rich.table import Table

    from benchmark.data.datasets import available

    table = Table("data set", "usable", "what it is")
    for name, found in available(data_dir).items():
        table.add_row(name, *(("no", found) if isinstance(found, str) else ("yes", found.description)))
    _show(table)


@data_app.command("audit", epilog="Exit codes: 0 clean, 1 defects found, 2 unreadable.")
def data_audit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A feature file of IEMOCAP or MELD.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print every count as JSON instead of tables.")] = False,
    page: Annotated[Path | None, typer.Option("--html", metavar="PAGE", help="Also write a page.")] = None,
) -> None:
    """Check a feature file: counts, damaged vectors, copies across splits, overlap of conversations and speakers."""
    import json

    from benchmark.data.audit import audit_file, pages
    from benchmark.files import write_atomically

    if page and not page.parent.is_dir():
        raise UserError(f"no folder {page.parent} for the page; make it first")
    audit = audit_file(file)
    if page:
        try:
            write_atomically(page, pages.html(audit).encode())
        except OSError as error:  # not exit code 1, which says that there are defects
            raise UserError(f"cannot write the page {page} ({error.strerror}); name another file") from error
    if as_json:
        typer.echo(json.dumps(audit.as_dict(), indent=1, allow_nan=False))
    else:
        typer.echo(f"{audit.file}: {audit.layout}\nSHA-256 {audit.sha256}")
        _show(*map(_table, pages.views(audit)))
        typer.echo(pages.verdict(audit))
    raise typer.Exit(FAILED if audit.defects else DONE)


def _table(view: "View") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=view.title, caption=view.note, title_justify="left", caption_justify="left")
    words = view.title == "Findings"
    for i, name in enumerate(view.header):
        table.add_column(name, justify="left" if words or not i else "right", overflow="fold")
    for row in view.rows:
        table.add_row(*map(Text, row), style="bold yellow" if row[0] == "defect" else "")
    return table


@data_app.command("import")
def data_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A community feature file (pickle).")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write.", show_default="FILE with .safetensors")
    ] = None,
) -> None:
    """Write a feature file in the open format: a safetensors file, which any language reads without running a pickle.

    It has every modality and view of the text, and a run reads it in place of the pickle (docs/feature-format.md).
    """
    from benchmark.data.open_format import SUFFIX
    from benchmark.data.reading import import_features

    out = out or file.with_suffix(SUFFIX)
    _new_file(out)
    c = import_features(file, out)
    features = ", ".join(f"{name} {x.shape[1]}" for name, x in c.features.items())
    typer.echo(f"{out}: {len(c)} conversations, {c.utterances} utterances; {features}")


@data_app.command("simulate")
def data_simulate(
    name: Annotated[str, typer.Option(metavar="NAME", help="iemocap-sim or meld-sim, or with knobs.")],
    seed: Annotated[int, typer.Option(metavar="N", help="Of every draw. Runs use 0.")] = 0,
    ceilings: Annotated[
        bool, typer.Option("--ceilings", help="Also what no model can exceed: minutes at first, then kept.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the corpus as a feature file (safetensors).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with scores as shares of 1.")] = False,
) -> None:
    """Describe a simulated corpus: its counts, and how well anything can do on it."""
    import json
    from collections import Counter
    from dataclasses import asdict

    from rich.table import Table

    from benchmark.data.simulation.knobs import parse_corpus
    from benchmark.data.simulator import simulate_spec

    name, spec = parse_corpus(name)
    if out:
        _new_file(out)
    corpus = simulate_spec(spec, seed)
    if out:
        from benchmark.data.simulation.export import export_corpus

        export_corpus(out, corpus, name, spec, seed)
    counts: dict[str, Any] = {}
    for split in dict.fromkeys(corpus.split):
        part = corpus.where(split)
        assert part.label is not None
        classes = Counter(part.class_names[c] for c in part.label.tolist())
        counts[split] = {
            "conversations": len(part),
            "utterances": part.utterances,
            "classes": {c: classes[c] for c in part.class_names},
        }
    rows = []
    if ceilings:
        from benchmark.data.simulation.ceilings import ceilings as of

        rows = of(spec, seed)
    if as_json:
        found = {
            "name": name,
            "seed": seed,
            "splits": counts,
            **({"ceilings": list(map(asdict, rows))} if rows else {}),
        }
        typer.echo(json.dumps(found, indent=1))
        return

    sizes = Table("split", "conversations", "utterances", *corpus.class_names, title=f"{name}, seed {seed}")
    for split, of_split in counts.items():
        numbers = (of_split["conversations"], of_split["utterances"], *of_split["classes"].values())
        sizes.add_row(split, *map(str, numbers))
    tables = [sizes]
    if rows:
        columns = ("modalities", "context", "accuracy", "weighted F1", "accuracy (test)", "weighted F1 (test)")
        table = Table(*columns, title="ceilings, % ± Monte Carlo standard error; (test): on this very test split")
        for row in rows:
            table.add_row(
                "+".join(row.modalities),
                "yes" if row.context else "no",
                f"{100 * row.accuracy:.2f} ± {100 * row.accuracy_se:.2f}",
                f"{100 * row.weighted_f1:.2f} ± {100 * row.weighted_f1_se:.2f}",
                f"{100 * row.test_accuracy:.2f}",
                f"{100 * row.test_weighted_f1:.2f}",
            )
        tables.append(table)
    _show(*tables)


def _listed(option: str, text: str) -> list[str]:
    from benchmark.registry import split_list

    if not (names := split_list(text)):
        raise UserError(f"{option} names nothing: {text!r}; leave it out for the default")
    return names


def _given(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _new_file(out: Path) -> None:
    if out.exists():
        raise UserError(f"{out} is there already: remove it, or name another file with --out")
    if not out.parent.is_dir():
        raise UserError(f"no folder {out.parent} to write {out.name} in: make it, or name another file with --out")


def _existing(store: Path) -> Path:
    if not (store / "runs").is_dir():
        raise UserError(f"no runs in {store}: name a store with --store, or make one with cssbench run")
    return store


def _show(*tables: "Table") -> None:
    """Print tables as wide as the terminal; elsewhere as wide as they are, so that a row is a line."""
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=240)
    for table in tables:
        console.print(table)


def _say(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr)


def _explain(error: Exception) -> tuple[int, str]:
    """Exit code and message for an error: what the user can mend is wrong input, the rest a failure."""
    match error:
        case UserError():
            return WRONG_INPUT, str(error)
        case typer.TyperException():
            command = getattr(getattr(error, "ctx", None), "command_path", "cssbench")
            return WRONG_INPUT, f"{error.format_message().removesuffix('.')}; see {command} --help"
        case OSError(strerror=str(cause)):
            return FAILED, f"{cause}: {error.filename}" if error.filename else cause
        case _:
            return FAILED, f"{type(error).__name__}: {error} (a fault of css-bench; --debug shows where)"


def main() -> None:
    """Entry point: every error becomes one line on stderr and an exit code."""
    words = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        code = app(words or ["--help"], prog_name="cssbench", standalone_mode=False) or DONE
        if code == INTERRUPTED:
            _say("interrupted: finished epochs are kept, and the same command goes on from there")
    except Exception as error:
        if len(words) < len(sys.argv) - 1:
            traceback.print_exc()
        code, message = _explain(error)
        _say(f"error: {message}")
    sys.exit(code)
