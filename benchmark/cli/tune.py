"""``cssbench tune``: search a method's settings by validation weighted F1."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from benchmark.cli.options import (
    DONE,
    FAILED,
    INTERRUPTED,
    PLACES,
    STORE,
    DataOption,
    DeviceOption,
    DropDefectsOption,
    EncoderOption,
    PluginOption,
    PresetOption,
    StoreOption,
    TimeoutOption,
    TrackingOption,
    WorkersOption,
)
from benchmark.cli.run import shown
from benchmark.cli.settings import with_settings
from benchmark.experiment.settings import Settings
from benchmark.tuning import FAIR_STUDIES

if TYPE_CHECKING:
    from benchmark.workflows.tune import Studies

app = typer.Typer()

TUNED, SEARCH = "What is tuned", "How it is searched"


@app.command(
    epilog="A study is named DATASET/METHOD/PRESET. The same command goes on with it, also beside others that do the "
    "same; more --trials extend it. Its runs have seeds from 1000000 on, which no comparison may use.\n\n"
    "Examples:\n\n"
    "cssbench tune --dataset meld-sim --methods css,concat-matched --trials 30\n\n"
    "cssbench tune --dataset meld-sim --sampler grid --seeds 3 --study grid\n\n"
    "cssbench tune --dataset meld-sim --also lr,dropout --sampler gp --trials 60 --study lr\n\n"
    "cssbench tune --dataset meld-sim --goals weighted_f1,volatility,seconds --trials 50 --study front\n\n"
    "cssbench tune --dataset meld-sim --methods css,concat --also lr,dropout --trials 20 --fair\n\n"
    "cssbench run --datasets meld-sim --methods css --tuned meld-sim/css/quick"
)
@with_settings
def tune(
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            "--datasets",
            metavar="A,B",
            rich_help_panel=TUNED,
            help="Of iemocap, meld, the simulated corpora, those with knobs, and corpora of your own.",
            show_default="the feature files in --data-dir; without one, the simulated pair",
        ),
    ] = None,
    methods: Annotated[
        str,
        typer.Option(
            "--methods",
            "--method",
            metavar="A,B",
            rich_help_panel=TUNED,
            help="As for cssbench run; a study each. Options that a name itself sets stay as they are.",
        ),
    ] = "css",
    also: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            rich_help_panel=TUNED,
            help="Search these training settings too: lr, dropout, temperature, weight_decay.",
            show_default="the method's own options alone: rank 2 to 128 and order 1 to 6 of SPF",
        ),
    ] = None,
    plugin: PluginOption = None,
    drop_defects: DropDefectsOption = None,
    trials: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            rich_help_panel=SEARCH,
            help="Settings that a study tries in all, the method's default first.",
            show_default="20; of a grid, every cell",
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", rich_help_panel=SEARCH, help="Runs of a setting.", show_default="the preset's"),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=SEARCH,
            help="tpe, gp, random or grid (every cell, once); of several goals tpe or nsga2.",
            show_default="tpe; of several goals nsga2; of --fair random",
        ),
    ] = None,
    goals: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            rich_help_panel=SEARCH,
            help="weighted_f1 alone: a setting that is plainly worse than the best is given up before its last seed. "
            "With volatility (of the loss) or seconds: all seeds, and a Pareto front.",
        ),
    ] = "weighted_f1",
    fair: Annotated[
        bool,
        typer.Option(
            "--fair",
            rich_help_panel=SEARCH,
            help="Compare tuned methods: random search, the same draws for what methods share, no setting given up, "
            f"{FAIR_STUDIES} or more studies each; at the end default and tuned settings on the preset's seeds, and "
            "the report.",
        ),
    ] = False,
    studies: Annotated[
        int, typer.Option(metavar="N", rich_help_panel=SEARCH, help="Of --fair: independent studies of each method.")
    ] = FAIR_STUDIES,
    study: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", rich_help_panel=SEARCH, help="Last part of the studies' names.", show_default="the preset"
        ),
    ] = None,
    preset: PresetOption = "quick",
    encoder: EncoderOption = "paper",
    store: StoreOption = STORE,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            rich_help_panel=PLACES,
            help="Optuna's database, as SQLAlchemy has it: postgresql://user:password@host/name.",
            show_default="sqlite, STORE/optuna.db",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", rich_help_panel=PLACES, help="Of --fair: gets the report.", show_default="STORE/report"
        ),
    ] = None,
    data_dir: DataOption = None,
    tracking_uri: TrackingOption = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    run_timeout: TimeoutOption = None,
    **settings: Unpack[Settings],
) -> None:
    """Search the settings of methods by validation weighted F1; test labels are out of a study's reach.

    Trials are ordinary runs of the store. Ctrl-C lets every run finish its epoch; the same command goes on.
    """
    from benchmark import tune as search
    from benchmark.cli.display.terminal import Terminal

    result = search(
        datasets=dataset,
        methods=methods,
        also=also,
        plugins=plugin or (),
        drop_defects=drop_defects,
        trials=trials,
        seeds=seeds,
        sampler=sampler,
        goals=goals,
        fair=fair,
        studies=studies,
        study=study,
        preset=preset,
        encoder=encoder,
        store=store,
        storage=storage,
        report=report,
        data_dir=data_dir,
        tracking_uri=tracking_uri,
        workers=workers,
        device=device,
        run_timeout=run_timeout,
        listener=Terminal(),
        **settings,
    )
    raise typer.Exit(_shown(result))


def _shown(result: "Studies") -> int:
    """Show the studies and what comes next; returns the exit code."""
    from benchmark.cli.display.lines import say, tell
    from benchmark.cli.display.studies import summary
    from benchmark.cli.display.tables import show

    show(summary(result.records))
    for name, trial in result.failed:
        say(f"{name}: trial {trial['number']} failed: {trial['error']}; the same command tries it again")
    if not result.finished:
        return INTERRUPTED
    for command in result.next:
        tell(f"Next: {command}")
    code = FAILED if result.failed else DONE
    return code if result.comparison is None else max(code, shown(result.comparison))
