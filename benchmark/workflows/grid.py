"""What is compared, as users say it, to the runs that show it: the common part of ``run`` and ``lock``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Unpack

from benchmark.base.devices import check_device, resolve_device
from benchmark.base.errors import UserError
from benchmark.base.names import Names, listed, look_up
from benchmark.data import datasets as known
from benchmark.data.datasets import DataSet
from benchmark.data.inputs import parse_inputs
from benchmark.data.views import MODALITIES
from benchmark.evaluation.predictions.records import sides
from benchmark.experiment.grid import expand, in_order, parse_seeds
from benchmark.experiment.looks import check_spending, parse_looks
from benchmark.experiment.method_lists import choose_methods
from benchmark.experiment.preregistration import Preregistration, check_margin, plan
from benchmark.experiment.preset_files import read_preset
from benchmark.experiment.settings import Settings, given
from benchmark.experiment.spec import RunSpec
from benchmark.methods.plugins import register
from benchmark.store.store import Store
from benchmark.tuning.records import settings_in
from benchmark.tuning.tuned import tuned_runs
from benchmark.workflows.defaults import data_folder

Seeds = int | str | Sequence[int]
Protocol = Literal["validated", "published", "sessions"]
PROTOCOLS: tuple[Protocol, ...] = ("validated", "published", "sessions")


class Choices(Settings, total=False):
    """What decides the runs of a grid. Everything has a default; lists of names may be one string with commas.

    Attributes:
        datasets: ``iemocap``, ``meld``, ``iemocap-sim``, ``meld-sim`` or one of these with ``-hard``, simulated ones
            with knobs, or a corpus of your own: ``NAME`` of ``NAME.safetensors`` in ``data_dir``, or that file's path;
            default: the feature files in ``data_dir``, without one the first simulated pair.
        methods: names (``cssbench methods``) or FUSION+AGGREGATOR with options; default: the benchmark's seven.
        grid: instead of ``methods``: ``ablation``, ``sensitivity``, ``rank-order``, or ``factorial``, which crosses
            ``fusions`` with ``aggregators``.
        tuned: studies of ``cssbench tune`` whose best settings are compared too.
        raw_scale: aggregators keep their published scale instead of weights that sum to 1.
        plugins: fusions and aggregators of the user's own, each as ``module:Class``.
        seeds: how many (0, 1, …), or which; default: as many as the preset says.
        until_decided: make seeds until every comparison is decided, by an exact group-sequential test.
        looks: with ``until_decided``, the numbers of seeds after which it judges; default: 8, 12, 16, 20 and 30.
        spending: with ``until_decided``, how the error is spent on the looks: ``obrien-fleming`` (default: little on
            early looks) or ``pocock``.
        protocol: ``validated``; ``published``: no validation data, the published seed, the best test epoch shown; or
            ``sessions``: a run a session of the corpus, which is its test set, scores pooled (docs/protocols.md).
        margin: points of weighted F1 below which a difference does not matter, declared before the runs; default: the
            smallest of what the preset says of each data set.
        contrasts: what is tested, as ``css:adam``; default: the first method against each other one.
        modalities: of text, audio, visual, those that every method sees; default: all.
        text_view: which of a feature file's views of the text: ``1`` (default) to ``4``, ``mean`` or ``concat``.
        drop_defects: remedies for defects that the audit finds, or ``all``; default: none.
        preset: the budget: ``smoke``, ``quick`` (default), ``full``, ``paper``, or a ``.toml`` file (docs/settings.md).
        encoder: of all methods that name none: ``paper`` (default) or ``released``.
        rank, order: replace the preset's, as every training setting does (:class:`.Settings`): ``epochs``, ``lr``, …
        training: training settings by name, where it is easier to give them so.
        device: ``auto`` (default), ``cpu`` or ``cuda``.
        data_dir: folder of the feature files and of corpora of your own; default: ``$CSSBENCH_DATA``.
    """

    datasets: Names | None
    methods: Names | None
    grid: str | None
    fusions: Names | None
    aggregators: Names | None
    tuned: Names | None
    raw_scale: bool
    plugins: Sequence[str]
    seeds: Seeds | None
    until_decided: bool
    looks: str | Sequence[int] | None
    spending: str | None
    protocol: Protocol
    margin: float | None
    contrasts: Names | None
    modalities: Names | None
    text_view: str | None
    drop_defects: Names | None
    preset: str | Path
    encoder: str
    rank: int | None
    order: int | None
    training: Mapping[str, Any]
    device: str
    data_dir: Path | str | None


@dataclass(frozen=True)
class Grid:
    """Runs to be made, in their order, the data sets they are on, and what will be compared (None: nothing)."""

    specs: Sequence[RunSpec]
    datasets: Sequence[DataSet]
    preregistration: Preregistration | None


def plan_grid(
    store: Path,
    *,
    anywhere: bool = False,
    with_imports: bool = True,
    datasets: Names | None = None,
    methods: Names | None = None,
    grid: str | None = None,
    fusions: Names | None = None,
    aggregators: Names | None = None,
    tuned: Names | None = None,
    raw_scale: bool = False,
    plugins: Sequence[str] = (),
    seeds: Seeds | None = None,
    until_decided: bool = False,
    looks: str | Sequence[int] | None = None,
    spending: str | None = None,
    protocol: Protocol = "validated",
    margin: float | None = None,
    contrasts: Names | None = None,
    modalities: Names | None = None,
    text_view: str | None = None,
    drop_defects: Names | None = None,
    preset: str | Path = "quick",
    encoder: str = "paper",
    rank: int | None = None,
    order: int | None = None,
    training: Mapping[str, Any] | None = None,
    device: str = "auto",
    data_dir: Path | str | None = None,
    **settings: Unpack[Settings],
) -> Grid:
    """The runs of :class:`Choices`, and their comparisons.

    Args:
        store: holds the studies that ``tuned`` names and the imported methods that ``contrasts`` may name.
        anywhere: runs are made on other machines, whose devices are not known here.
        with_imports: whether contrasts may name imported methods.

    Raises:
        UserError: unknown names, values out of range, or choices that do not go together.
    """
    look_up("protocol", protocol, dict.fromkeys(PROTOCOLS))
    if protocol == "sessions":
        _refuse_beside_sessions(until_decided=until_decided, tuned=tuned)
    check_device(device)
    register(plugins)
    device = device if anywhere and device == "cuda" else resolve_device(device)
    budget, folder = read_preset(preset), data_folder(data_dir)
    inputs = parse_inputs(_joined(modalities), text_view, _joined(drop_defects))
    studies = [settings_in(store, name) for name in listed("--tuned", tuned)] if tuned is not None else []
    if studies and datasets is None:
        datasets = list(dict.fromkeys(study["dataset"] for study, _ in studies))
    if studies and methods is None and grid is None:
        methods = list(dict.fromkeys(study["method"] for study, _ in studies))
    data = (
        known.default(folder, inputs)
        if datasets is None
        else [known.dataset(name, folder, inputs) for name in listed("--datasets", datasets)]
    )
    shared = [m for m in MODALITIES if all(m in each.inputs.modalities for each in data)]
    members = choose_methods(methods, grid, fusions, aggregators, shared)
    replicates = None if protocol == "published" and seeds is None else parse_seeds(_seeds(seeds), budget)
    judged_at = None
    if until_decided:
        if protocol == "published":
            raise UserError("--until-decided needs verdicts, and --protocol published has none: leave one of them out")
        judged_at = parse_looks(looks, None if seeds is None or replicates is None else len(replicates))
        replicates = list(range(judged_at[-1])) if seeds is None else replicates
    elif looks is not None or spending is not None:
        raise UserError("--looks and --spending say how --until-decided judges: add it, or leave them out")
    overrides = {**(training or {}), **given(settings)}
    expanded = partial(
        expand,
        budget,
        data,
        protocol=protocol,
        device=device,
        encoder=encoder,
        training=overrides,
        options=given({"rank": rank, "order": order, "raw_scale": raw_scale or None}),
    )
    specs = expanded(members, replicates)
    by_label = tuned_runs(studies, specs, data, budget, device, overrides)
    specs = in_order([*specs, *(spec for members_of_label in by_label.values() for spec in members_of_label)])
    if replicates is None or protocol == "published":  # the published protocol is in no comparison
        return Grid(specs, data, None)
    imports = sides(Store(store), {each.fingerprint for each in data}) if contrasts is not None and with_imports else {}
    comparisons = plan(
        [*members, *by_label],
        _joined(contrasts),
        lambda text: (
            [spec for spec in by_label[text] if spec.seed == replicates[0]]
            if text in by_label
            else expanded([text], replicates[:1])
        ),
        imports,
    )
    insisted = contrasts is not None or margin is not None
    declared = check_margin(budget.margin(each.base for each in data) if margin is None else margin)
    if judged_at is not None:
        _refuse_unfollowed(specs, comparisons)
    preregistration = Preregistration(
        comparisons,
        replicates,
        declared,
        insisted=insisted,
        looks=judged_at,
        spending=check_spending(spending),
    )
    return Grid(specs, data, preregistration)


def _refuse_beside_sessions(*, until_decided: bool, tuned: Names | None) -> None:
    """Raise UserError for what does not go with sessions that are held out in turn."""
    if until_decided:
        raise UserError(
            "--until-decided judges runs of the published split seed by seed, and --protocol sessions has a run a "
            "session of each seed: leave one of them out, and name a number of --seeds"
        )
    if tuned is not None:
        raise UserError(
            "--tuned settings were chosen on sessions of the published training data, each of which is a test set "
            "under --protocol sessions, so that its scores would not be of unseen data: leave one of them out"
        )


def _refuse_unfollowed(specs: Sequence[RunSpec], comparisons: Sequence[Mapping[str, Any]]) -> None:
    """Raise UserError for methods and comparisons that no look could decide."""
    groups, compared = {spec.group: spec for spec in specs}, {c[side]["group"] for c in comparisons for side in "ab"}
    if lonely := [spec for group, spec in groups.items() if group not in compared]:
        raise UserError(
            f"--until-decided makes seeds until a comparison is decided, and {lonely[0].method.label} is in none on "
            f"{lonely[0].dataset}: name it in --contrasts, or leave it out of --methods"
        )
    if imported := [c[side]["label"] for c in comparisons for side in "ab" if c[side]["group"] not in groups]:
        raise UserError(
            f"--until-decided makes further seeds, which the imported {imported[0]} cannot have: leave it out of "
            "--contrasts; the report compares it anyway"
        )


def _joined(names: Names | None) -> str | None:
    return names if names is None or isinstance(names, str) else ",".join(names)


def _seeds(seeds: Seeds | None) -> str | None:
    """The seeds as they are written on the command line: a list has a comma, even of one."""
    if seeds is None or isinstance(seeds, str):
        return seeds
    return str(seeds) if isinstance(seeds, int) else ",".join(map(str, seeds)) + ","


def refuse_beside(locked: Path, choices: Choices) -> None:
    """Raise UserError where something chooses runs beside a lock, which says what they are."""
    if named := [name for name in choices if name not in ("data_dir", "plugins")]:
        raise UserError(
            f"--locked says what the runs are: leave out --{named[0].replace('_', '-')} or the lock {locked}"
        )
