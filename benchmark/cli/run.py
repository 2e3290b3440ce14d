"""``cssbench run`` and ``cssbench report``."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack, cast

import typer

from benchmark.cli.display.lines import say, tell
from benchmark.cli.options import (
    COMPARED,
    DONE,
    FAILED,
    INTERRUPTED,
    PLACES,
    STORE,
    AggregatorsOption,
    ContrastsOption,
    DataOption,
    DatasetsOption,
    DeviceOption,
    DropDefectsOption,
    EncoderOption,
    FusionsOption,
    GridOption,
    LooksOption,
    MarginOption,
    MethodsOption,
    ModalitiesOption,
    OrderOption,
    PluginOption,
    PresetOption,
    ProtocolOption,
    RankOption,
    RawScaleOption,
    ReportOption,
    SeedsOption,
    SpendingOption,
    StoreOption,
    TextViewOption,
    TimeoutOption,
    TrackingOption,
    TunedOption,
    UntilDecidedOption,
)
from benchmark.cli.settings import with_settings
from benchmark.experiment.settings import Settings

if TYPE_CHECKING:
    from benchmark.workflows.grid import Choices
    from benchmark.workflows.outcome import Outcome

app = typer.Typer()


@app.command(
    epilog="Examples:\n\n"
    "cssbench run --preset smoke\n\n"
    "cssbench run --minutes 15\n\n"
    "cssbench run --until-decided --methods css,linear,concat\n\n"
    "cssbench run --data-dir features --preset full --seeds 10\n\n"
    "cssbench run --datasets meld-sim --methods 'css,adam,spf(order=2)+pgm,concat+pcgrad' --seeds 3,7,11\n\n"
    "cssbench run --grid factorial --fusions spf,concat,lmf --aggregators equal,pgm,mgda\n\n"
    "cssbench run --datasets 'meld-sim,meld-sim(conflict_rate=0.6)'\n\n"
    "cssbench run --data-dir features --preset full --refit\n\n"
    "cssbench run --datasets iemocap --data-dir features --protocol sessions\n\n"
    "cssbench run --tuned meld-sim/css/quick\n\n"
    "cssbench run --data-dir features --preset paper --protocol published --methods css-released"
)
@with_settings
def run(
    ctx: typer.Context,
    preset: PresetOption = "quick",
    datasets: DatasetsOption = None,
    methods: MethodsOption = None,
    grid: GridOption = None,
    fusions: FusionsOption = None,
    aggregators: AggregatorsOption = None,
    tuned: TunedOption = None,
    raw_scale: RawScaleOption = False,
    plugin: PluginOption = None,
    seeds: SeedsOption = None,
    until_decided: UntilDecidedOption = False,
    looks: LooksOption = None,
    spending: SpendingOption = None,
    protocol: ProtocolOption = "validated",
    refit: Annotated[
        bool,
        typer.Option(
            "--refit",
            rich_help_panel="What is compared",
            help="Afterwards train each method again on training and validation data, for the mean epoch that its "
            "seeds selected; only these scores may stand beside published ones.",
        ),
    ] = False,
    margin: MarginOption = None,
    contrasts: ContrastsOption = None,
    modalities: ModalitiesOption = None,
    text_view: TextViewOption = None,
    drop_defects: DropDefectsOption = None,
    encoder: EncoderOption = "paper",
    rank: RankOption = None,
    order: OrderOption = None,
    store: StoreOption = STORE,
    report: ReportOption = None,
    data_dir: DataOption = None,
    tracking_uri: TrackingOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            rich_help_panel=PLACES,
            help="Worker processes, one thread each; on a cluster, runs at once.",
            show_default="all cores; on GPUs, one each; on a cluster, what it has room for",
        ),
    ] = None,
    device: DeviceOption = "auto",
    gpus: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            rich_help_panel=PLACES,
            help="GPUs that workers are placed on; one each unless --workers-per-gpu.",
            show_default="all, where runs are on CUDA",
        ),
    ] = None,
    workers_per_gpu: Annotated[
        int | None,
        typer.Option(
            metavar="N", rich_help_panel=PLACES, help="Runs that share a GPU, on a cluster too.", show_default="1"
        ),
    ] = None,
    executor: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=PLACES, help="local, or ray: the cluster at --address (docs/cluster.md)."
        ),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", rich_help_panel=PLACES, help="Head of the Ray cluster."),
    ] = None,
    run_timeout: TimeoutOption = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            rich_help_panel=COMPARED,
            help="As many seeds as fit into N minutes, at least 8, instead of --seeds.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many runs, how long and how much memory; run nothing.")
    ] = False,
    locked: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Make the runs of a file by cssbench lock, or say what differs from it."),
    ] = None,
    **settings: Unpack[Settings],
) -> None:
    """Train data sets × methods × seeds, log to MLflow, and write the report.

    Finished runs are not repeated; one that was cut off goes on from its last epoch; one that failed is tried again.

    Seeds are made one after the other. Ctrl-C lets every run finish its epoch and reports the runs that are there; a
    second one leaves at once.
    """
    from benchmark import run as make
    from benchmark.cli.display.terminal import Terminal

    outcome = make(
        store=store,
        report=report,
        tracking_uri=tracking_uri,
        refit=refit,
        workers=workers,
        gpus=gpus,
        workers_per_gpu=workers_per_gpu,
        executor=executor,
        address=address,
        run_timeout=run_timeout,
        minutes=minutes,
        dry_run=dry_run,
        locked=locked,
        listener=Terminal(),
        **choices(ctx),
    )
    words = sys.argv[1:] if sys.argv[1:2] == [ctx.info_name] else ()
    raise typer.Exit(shown(outcome, words, workers))


def choices(ctx: typer.Context) -> "Choices":
    """What the user has chosen of what decides the runs, as the front door names it; defaults are the front door's."""
    from benchmark.workflows.grid import Choices

    options = {name: {"plugins": "plugin"}.get(name, name) for name in Choices.__annotations__}
    sources = {name: ctx.get_parameter_source(option) for name, option in options.items()}
    chosen = [name for name, source in sources.items() if source is not None and source.name != "DEFAULT"]
    given = {name: ctx.params[options[name]] for name in chosen}
    return cast("Choices", given)


def shown(outcome: "Outcome", words: Sequence[str] = (), workers: int | None = None) -> int:
    """Show the scores, what is next after the command of these words, and where the report is; returns the exit code.

    words: without the program's name; none where nothing should follow.
    """
    if outcome.report is not None:
        following = words if not outcome.interrupted and not outcome.failed else ()
        _tell_of(outcome.report, following, store=outcome.store, workers=workers)
    if outcome.interrupted:
        return INTERRUPTED
    return FAILED if outcome.failed or outcome.left_out else DONE


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
    from benchmark.cli.display.terminal import Terminal
    from benchmark.store.store import Store
    from benchmark.workflows.preparation import existing
    from benchmark.workflows.reporting import write_report
    from reports import read_left_out

    held = Store(existing(store))
    page = write_report(store, out or store / "report", None, Terminal())
    _tell_of(page, (), store=store)
    left_out = {error.folder.name: str(error) for error in held.damaged()} | read_left_out(page.parent)
    for sentence in left_out.values():
        say(f"left out: {sentence}")
    raise typer.Exit(FAILED if left_out else DONE)


def _tell_of(page: Path, words: Sequence[str], *, store: Path, workers: int | None = None) -> None:
    import reports
    from benchmark.cli.display.scoreboards import next_step, show_report, show_scoreboards

    boards = reports.read_scoreboards(page.parent)
    show_scoreboards(boards)
    if words and (step := next_step(boards, words, store=store, workers=workers or os.cpu_count() or 1)):
        tell(step)
    show_report(page)
