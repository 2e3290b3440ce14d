"""``cssbench tune``: search a method's settings by validation weighted F1."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.base.errors import UserError
from benchmark.cli.making import Family, carry_out
from benchmark.cli.options import (
    BUDGET,
    DONE,
    FAILED,
    INTERRUPTED,
    PLACES,
    STORE,
    DataOption,
    DeviceOption,
    DropDefectsOption,
    EpochsOption,
    HiddenOption,
    PluginOption,
    StoreOption,
    TimeoutOption,
    TrackingOption,
    given,
    listed,
    say,
    show,
)
from benchmark.execution.places import Places, places

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from benchmark.experiment.spec import RunSpec
    from benchmark.tuning.plan import Plan, Recipe

app = typer.Typer()

TUNED, SEARCH = "What is tuned", "How it is searched"
FAIR_STUDIES = 3
"""Independent studies of a method that a fair comparison has at least."""


@app.command(
    epilog="A study is named DATASET/METHOD/PRESET. The same command goes on with it, also beside others that do the "
    "same; more --trials extend it. Its runs have seeds from 1000000 on, which no comparison may use.\n\n"
    "Examples:\n\n"
    "cssbench tune --dataset meld-sim --methods css,concat-matched --trials 30\n\n"
    "cssbench tune --dataset meld-sim --sampler grid --seeds 3 --study grid\n\n"
    "cssbench tune --dataset meld-sim --also lr,dropout --sampler gp --trials 60 --study lr\n\n"
    "cssbench tune --dataset meld-sim --objectives weighted_f1,volatility,seconds --trials 50 --study front\n\n"
    "cssbench tune --dataset meld-sim --methods css,concat --also lr,dropout --trials 20 --fair\n\n"
    "cssbench run --datasets meld-sim --methods css --tuned meld-sim/css/quick"
)
def tune(
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            "--datasets",
            metavar="A,B",
            rich_help_panel=TUNED,
            help="Of iemocap, meld, iemocap-sim, meld-sim; the last two with knobs.",
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
            help="tpe, gp, random or grid (every cell, once); of several objectives tpe or nsga2.",
            show_default="tpe; of several objectives nsga2; of --fair random",
        ),
    ] = None,
    objectives: Annotated[
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
    preset: Annotated[
        str, typer.Option(metavar="NAME", rich_help_panel=BUDGET, help="Budget: smoke, quick, full or paper.")
    ] = "quick",
    encoder: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=BUDGET, help="Encoder of all methods that name none: paper or released."
        ),
    ] = "paper",
    epochs: EpochsOption = None,
    hidden: HiddenOption = None,
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
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", rich_help_panel=PLACES, help="Worker processes, one thread each.", show_default="all cores"
        ),
    ] = None,
    device: DeviceOption = "auto",
    run_timeout: TimeoutOption = None,
) -> None:
    """Search the settings of methods by validation weighted F1; test labels are out of a study's reach.

    Trials are ordinary runs of the store. Ctrl-C lets every run finish its epoch; the same command goes on.
    """
    from benchmark.base.devices import resolve_device
    from benchmark.base.names import look_up
    from benchmark.data import datasets as known
    from benchmark.data.inputs import parse_inputs
    from benchmark.experiment.presets import load_preset
    from benchmark.methods.plugins import register
    from benchmark.tuning.plan import Plan, Recipe, fair_plans, study_name

    for option, number in (("--trials", trials), ("--seeds", seeds)):
        if number is not None and number < 1:
            raise UserError(f"{option} must be at least 1, got {number}")
    look_up("device", device, dict.fromkeys(("auto", "cpu", "cuda")))
    device = resolve_device(device)
    where = places(store, report, tracking_uri, run_timeout, device=device, workers=workers)
    named = tuple(listed("--objectives", objectives))
    sampler = _sampler(sampler, named, fair=fair, studies=studies)
    if sampler == "grid" and trials is not None:
        raise UserError(f"--sampler grid tries every cell: leave out --trials {trials}")
    register(plugin or ())
    budget = load_preset(preset)
    inputs = parse_inputs(None, None, drop_defects)
    chosen = (
        known.default(data_dir, inputs)
        if dataset is None
        else [known.dataset(name, data_dir, inputs) for name in listed("--dataset", dataset)]
    )
    recipes = [
        Recipe(budget, data, method, device, encoder, given(epochs=epochs, hidden=hidden))
        for data in chosen
        for method in listed("--methods", methods)
    ]
    searched = tuple(dict.fromkeys(listed("--also", also))) if also is not None else ()
    count = seeds or budget.seeds
    if fair:
        plans = fair_plans(recipes, studies, count, searched, study)
    else:
        plans = [Plan(study_name(r, study), r, count, sampler, named, searched) for r in recipes]
    if repeated := sorted({p.name for p in plans if [q.name for q in plans].count(p.name) > 1}):
        raise UserError(f"--methods names {repeated[0]} more than once")
    outcome = _search(plans, None if sampler == "grid" else trials or 20, where, storage)
    if fair and outcome != INTERRUPTED:
        outcome = max(outcome, _compare(recipes, plans, where))
    raise typer.Exit(outcome)


def _sampler(asked: str | None, objectives: tuple[str, ...], *, fair: bool, studies: int) -> str:
    if not fair:
        return asked or ("nsga2" if len(objectives) > 1 else "tpe")
    if asked not in (None, "random"):
        raise UserError(f"--fair compares under the same random draws: leave out --sampler {asked}")
    if len(objectives) > 1:
        raise UserError(f"--fair is for weighted_f1 alone: leave out --objectives {','.join(objectives)}")
    if studies < FAIR_STUDIES:
        raise UserError(f"--studies must be at least {FAIR_STUDIES}, got {studies}")
    return "random"


def _search(plans: "Sequence[Plan]", trials: int | None, where: Places, storage: str | None) -> int:
    """Make the studies and show them; returns the exit code."""
    from benchmark.execution.local import Scheduler
    from benchmark.store.store import Store
    from benchmark.tuning.storage import default_url

    for plan in plans:
        assert plan.space  # what cannot be searched is said before anything is imported or written
    store = Store(where.store)
    store.prepare()
    from rich.console import Console

    from benchmark.data.splits import split
    from benchmark.experiment.grid import may_be_refused
    from benchmark.tracking.uris import resolve_uri
    from benchmark.tuning.display import summary
    from benchmark.tuning.tune import tune as make

    for data in dict.fromkeys(plan.recipe.dataset for plan in plans):
        split(data.load(), seed=0)  # unusable data are found before anything is written, and so are unusable methods
    if doubtful := [plan.default for plan in plans if may_be_refused(plan.default)]:
        from benchmark.training.building import refuse_unbuildable

        refuse_unbuildable(doubtful)
    outcome = make(
        plans,
        trials,
        store,
        storage or default_url(store.root),
        scheduler=Scheduler(store, where.workers, where.timeout, where.gpus),
        tracking_uri=resolve_uri(where.tracking_uri, store.root),
        volatility=_volatility,
        console=Console(),
    )
    show(summary(outcome.records))
    failed = [(r["name"], trial) for r in outcome.records for trial in r["trials"] if trial["state"] == "failed"]
    for name, trial in failed:
        say(f"{name}: trial {trial['number']} failed: {trial['error']}; the same command tries it again")
    if not outcome.finished:
        return INTERRUPTED
    for record, plan in zip(outcome.records, plans, strict=True):
        if record["best"] is not None and plan.fair is None:
            typer.echo(f"Next: {_next(plan, where.store)}")
    return FAILED if failed else DONE


def _volatility(loss: "npt.NDArray[np.float64]", steps_per_epoch: int) -> float:
    """As the report has it."""
    from reports.measures.stability import loss_residual, volatility

    return volatility(loss_residual(loss, steps_per_epoch))


def _next(plan: "Plan", store: Path) -> str:
    """The command that compares the default with the best setting, on other seeds."""
    recipe = plan.recipe
    words = ["cssbench", "run", "--preset", recipe.preset.name, "--datasets", recipe.dataset.name]
    words += ["--methods", recipe.method, "--tuned", plan.name]
    words += [word for name, value in recipe.training.items() for word in (f"--{name}", str(value))]
    if recipe.encoder != "paper":
        words += ["--encoder", recipe.encoder]
    if store != STORE:
        words += ["--store", str(store)]
    return shlex.join(words)


def _compare(recipes: "Sequence[Recipe]", plans: "Sequence[Plan]", where: Places) -> int:
    """Default and tuned settings of every method, on the preset's seeds; returns the exit code."""
    from benchmark.experiment.preregistration import MARGIN, plan
    from benchmark.tuning.records import best_of
    from benchmark.tuning.tuned import tuned_spec

    seeds = range(recipes[0].preset.seeds)
    grid: dict[str, list[RunSpec]] = {}  # by label
    for recipe in recipes:
        name, settings = best_of(where.store, [p.name for p in plans if p.recipe is recipe])
        for seed in seeds:
            for spec in (recipe.spec({}, seed), tuned_spec(recipe, name, settings, seed)):
                members = grid.setdefault(spec.method.label, [])
                if spec not in members:
                    members.append(spec)
    specs = [spec for members in grid.values() for spec in members]
    comparisons = plan(list(grid), None, lambda label: [spec for spec in grid[label] if spec.seed == 0])
    datasets = list({recipe.dataset.name: recipe.dataset for recipe in recipes}.values())
    return carry_out(specs, datasets, where, Family(comparisons, seeds, MARGIN))
