"""``benchmark.tune``: search the settings of methods by validation weighted F1."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from benchmark.base.devices import resolve_device
from benchmark.base.errors import UserError
from benchmark.base.names import Names, listed
from benchmark.data import datasets as known
from benchmark.data.inputs import parse_inputs
from benchmark.execution.listener import Listener
from benchmark.execution.places import Places, places
from benchmark.experiment.grid import in_order
from benchmark.experiment.preregistration import Preregistration, plan
from benchmark.experiment.preset_files import read_preset
from benchmark.experiment.settings import Settings, as_words, given
from benchmark.methods.plugins import register
from benchmark.store.store import Store
from benchmark.tuning import FAIR_STUDIES
from benchmark.tuning.plan import Plan, Recipe, fair_plans, study_name
from benchmark.tuning.records import best_of
from benchmark.tuning.tuned import tuned_spec
from benchmark.workflows.defaults import STORE, data_folder, store_folder
from benchmark.workflows.grid import Grid
from benchmark.workflows.notebook import default_listener
from benchmark.workflows.outcome import Outcome
from benchmark.workflows.preparation import refuse_unusable, warn_of_tracking
from benchmark.workflows.run import carry_out

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from benchmark.experiment.spec import RunSpec

TRIALS = 20
"""Trials of a study that is asked for no other number."""


@dataclass(frozen=True)
class Studies:
    """What became of studies.

    Attributes:
        store: the folder of the run store.
        records: the content of each study's file (docs/run-format.md), in the order of data sets and methods.
        finished: whether every trial is over; else a signal stopped the search, and the same call goes on.
        next: for each study with a best trial, the command that compares it with the default on other seeds.
        comparison: of a fair comparison, what became of the runs at its end.
    """

    store: Path
    records: Sequence[Mapping[str, Any]]
    finished: bool
    next: Sequence[str] = ()
    comparison: Outcome | None = None

    @property
    def failed(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The trials that failed, each with its study's name."""
        return [(r["name"], trial) for r in self.records for trial in r["trials"] if trial["state"] == "failed"]


def tune(
    *,
    datasets: Names | None = None,
    methods: Names = "css",
    also: Names | None = None,
    plugins: Sequence[str] = (),
    drop_defects: Names | None = None,
    trials: int | None = None,
    seeds: int | None = None,
    sampler: str | None = None,
    goals: Names = "weighted_f1",
    fair: bool = False,
    studies: int = FAIR_STUDIES,
    study: str | None = None,
    preset: str | Path = "quick",
    encoder: str = "paper",
    store: Path | str | None = None,
    storage: str | None = None,
    report: Path | str | None = None,
    data_dir: Path | str | None = None,
    tracking_uri: str | None = None,
    workers: int | None = None,
    device: str = "auto",
    run_timeout: float | None = None,
    listener: Listener | None = None,
    **settings: Unpack[Settings],
) -> Studies:
    """Search the settings of methods by validation weighted F1; test labels are out of a study's reach.

    Trials are ordinary runs of the store, on seeds that no comparison may use. A study is named DATASET/METHOD/PRESET;
    the same call goes on with it, also beside others that do the same, and more ``trials`` extend it.

    Args:
        datasets, methods: as for :func:`benchmark.run`; a study each. Options that a name itself sets stay as they are.
        also: training settings that are searched too: lr, dropout, temperature, weight_decay.
        trials: settings that a study tries in all, the default first; default: 20, of a grid every cell.
        seeds: runs of a setting; default: as many as the preset says.
        sampler: ``tpe``, ``gp``, ``random``, ``grid``; of several goals ``tpe`` or ``nsga2``.
        goals: ``weighted_f1``, then ``volatility`` or ``seconds``, if any, for a Pareto front.
        fair: compare tuned methods: random search under the same draws, ``studies`` independent studies of each, then
            default and tuned settings on the preset's seeds, and the report.
        study: last part of the studies' names; default: the preset.
        storage: Optuna's database as SQLAlchemy has it; default: a file in the store.
        plugins, drop_defects, preset, encoder, store, report, data_dir: as for :func:`benchmark.run`.
        tracking_uri, workers, device, run_timeout, listener, settings: as for it, too.

    Raises:
        UserError: wrong input, a storage that cannot be used, or a study that was begun otherwise.
    """
    listener, root = listener or default_listener(), store_folder(store)
    for option, number in (("--trials", trials), ("--seeds", seeds)):
        if number is not None and number < 1:
            raise UserError(f"{option} must be at least 1, got {number}")
    device = resolve_device(device)
    folder = Path(report) if report is not None else None
    where = places(root, folder, tracking_uri, run_timeout, device=device, workers=workers)
    named = tuple(listed("--goals", goals))
    sampler = _sampler(sampler, named, fair=fair, studies=studies)
    if sampler == "grid" and trials is not None:
        raise UserError(f"--sampler grid tries every cell: leave out --trials {trials}")
    register(plugins)
    budget = read_preset(preset)
    inputs = parse_inputs(None, None, drop_defects if isinstance(drop_defects, str | None) else ",".join(drop_defects))
    data = (
        known.default(data_folder(data_dir), inputs)
        if datasets is None
        else [known.dataset(name, data_folder(data_dir), inputs) for name in listed("--dataset", datasets)]
    )
    recipes = [
        Recipe(budget, each, method, device, encoder, given(settings))
        for each in data
        for method in listed("--methods", methods)
    ]
    searched = tuple(dict.fromkeys(listed("--also", also))) if also is not None else ()
    count = seeds or budget.seeds
    if fair:
        plans = fair_plans(recipes, studies, count, searched, study)
    else:
        plans = [
            Plan(name=study_name(r, study), recipe=r, seeds=count, sampler=sampler, goals=named, also=searched)
            for r in recipes
        ]
    if repeated := sorted({p.name for p in plans if [q.name for q in plans].count(p.name) > 1}):
        raise UserError(f"--methods names {repeated[0]} more than once")
    result = _search(plans, None if sampler == "grid" else trials or TRIALS, where, storage, listener)
    if not fair or not result.finished:
        return result
    comparison = carry_out(_defaults_and_tuned(recipes, plans, root), where, listener)
    return Studies(root, result.records, finished=True, comparison=comparison)


def _sampler(asked: str | None, goals: tuple[str, ...], *, fair: bool, studies: int) -> str:
    if not fair:
        return asked or ("nsga2" if len(goals) > 1 else "tpe")
    if asked not in (None, "random"):
        raise UserError(f"--fair compares under the same random draws: leave out --sampler {asked}")
    if len(goals) > 1:
        raise UserError(f"--fair is for weighted_f1 alone: leave out --goals {','.join(goals)}")
    if studies < FAIR_STUDIES:
        raise UserError(f"--studies must be at least {FAIR_STUDIES}, got {studies}")
    return "random"


def _search(
    plans: Sequence[Plan], trials: int | None, where: Places, storage: str | None, listener: Listener
) -> Studies:
    """Make the studies."""
    for each in plans:
        assert each.space  # what cannot be searched is said before anything is imported or written
    store = Store(where.store)
    store.prepare()
    refuse_unusable([each.default for each in plans], [each.recipe.dataset for each in plans])
    warn_of_tracking(where.tracking_uri, listener)
    from benchmark.execution.local import Scheduler
    from benchmark.tracking.uris import resolve_uri
    from benchmark.tuning.storage import default_url
    from benchmark.tuning.tune import tune as make

    outcome = make(
        plans,
        trials,
        store,
        storage or default_url(store.root),
        scheduler=Scheduler(store, where.workers, where.timeout, where.gpus),
        tracking_uri=resolve_uri(where.tracking_uri, store.root),
        volatility=_volatility,
        listener=listener,
    )
    commands = [
        _next(each, store.root)
        for record, each in zip(outcome.records, plans, strict=True)
        if record["best"] is not None and each.fair is None
    ]
    return Studies(store.root, outcome.records, outcome.finished, commands)


def _volatility(loss: "npt.NDArray[np.float64]", steps_per_epoch: int) -> float:
    """The volatility of a loss, as the report has it."""
    from reports.measures.stability import loss_residual, volatility

    return volatility(loss_residual(loss, steps_per_epoch))


def _next(study: Plan, store: Path) -> str:
    """The command that compares the default with the best setting, on other seeds."""
    recipe = study.recipe
    words = ["cssbench", "run", "--preset", recipe.preset.given, "--datasets", recipe.dataset.name]
    if recipe.dataset.own and recipe.dataset.file:
        words += ["--data-dir", str(recipe.dataset.file.parent)]
    words += ["--methods", recipe.method, "--tuned", study.name]
    words += as_words(recipe.training)
    if recipe.encoder != "paper":
        words += ["--encoder", recipe.encoder]
    if store != STORE:
        words += ["--store", str(store)]
    return shlex.join(words)


def _defaults_and_tuned(recipes: Sequence[Recipe], plans: Sequence[Plan], store: Path) -> Grid:
    """Default and tuned settings of every method, on the preset's seeds."""
    seeds = range(recipes[0].preset.seeds)
    by_label: dict[str, list[RunSpec]] = {}
    for recipe in recipes:
        name, settings = best_of(store, [p.name for p in plans if p.recipe is recipe])
        for seed in seeds:
            for spec in (recipe.spec({}, seed), tuned_spec(recipe, name, settings, seed)):
                members = by_label.setdefault(spec.method.label, [])
                if spec not in members:
                    members.append(spec)
    specs = in_order(spec for members in by_label.values() for spec in members)
    comparisons = plan(list(by_label), None, lambda label: [spec for spec in by_label[label] if spec.seed == 0])
    data = list({recipe.dataset.name: recipe.dataset for recipe in recipes}.values())
    return Grid(specs, data, Preregistration(comparisons, seeds, recipes[0].preset.margin(each.base for each in data)))
