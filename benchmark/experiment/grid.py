"""Data sets × methods × seeds to run specifications."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

from pydantic import ValidationError

from benchmark.base.errors import UserError
from benchmark.base.names import look_up, parse_part
from benchmark.base.values import first_error
from benchmark.data.corpora import SETTINGS_OF_OTHERS, SIMULATED
from benchmark.data.datasets import DataSet
from benchmark.data.folds import Fold, folds
from benchmark.data.simulation.knobs import parse_corpus
from benchmark.data.views import MODALITIES
from benchmark.experiment.presets import Preset
from benchmark.experiment.provenance import provenance
from benchmark.experiment.spec import Protocol, RunSpec
from benchmark.methods.entries import Value
from benchmark.methods.parsing import KINDS, STANDARD, parse_method
from benchmark.methods.parts import Method
from benchmark.methods.registry import ENCODERS, FUSIONS

PUBLISHED_SEEDS = {"iemocap": 61078, "meld": 10068}
"""The seeds of the released scripts, by corpus."""
MOST_SEEDS = 10_000
"""A larger count is taken for a seed that lacks its comma."""
TUNING_SEEDS = 1_000_000
"""The first seed that only ``cssbench tune`` uses: what chose the settings does not judge them too."""


def parse_seeds(text: str | None, preset: Preset) -> list[int]:
    """``5`` is the seeds 0 to 4, ``3,7`` those two, None what the preset says; raises UserError on anything else."""
    if text is None:
        return list(range(preset.seeds))
    try:
        seeds = [int(item) for item in text.split(",") if item.strip()]
    except ValueError:
        seeds = []
    if len(seeds) == 1 and "," not in text and seeds[0] < 1:
        raise UserError(f"--seeds must be at least 1, got {text}; give a count (5) or a list of seeds (3,7,11)")
    if not seeds or min(seeds) < 0:
        raise UserError(f"cannot read seeds {text!r}; give a count (5) or a list of seeds (3,7,11)")
    if "," not in text and seeds[0] > MOST_SEEDS:
        raise UserError(
            f"{text} seeds are more than {MOST_SEEDS}; if it is the one seed {text} that you mean, write {text},"
        )
    chosen = list(dict.fromkeys(seeds)) if "," in text else list(range(seeds[0]))
    if max(chosen) >= TUNING_SEEDS:
        raise UserError(
            f"seeds from {TUNING_SEEDS} are for tuning, and the final comparison must not reuse them, got {text!r}; "
            "choose smaller ones"
        )
    return chosen


def expand(
    preset: Preset,
    datasets: Sequence[DataSet],
    methods: Sequence[str],
    seeds: Sequence[int] | None,
    *,
    protocol: Protocol = "validated",
    device: str = "cpu",
    encoder: str = STANDARD,
    training: Mapping[str, Any] | None = None,
    options: Mapping[str, Value] | None = None,
) -> list[RunSpec]:
    """Every run of a grid, none twice, in the order in which they are made (:func:`in_order`).

    Args:
        seeds: None is the published one of each corpus.
        protocol: of every run; under ``sessions`` each seed has a run a session. A refit's specifications follow from
            results (:mod:`benchmark.workflows.refit`).
        training: overrides of the preset's training settings.
        encoder: of the methods that do not bring their own.
        options: component options from the command line (rank, order); they enter the methods that have them.

    Raises:
        UserError: unknown names, options out of range, settings that do not fit together, or no sessions to hold out.
    """
    look_up("encoder", parse_part(encoder)[0], ENCODERS)
    specs: dict[str, RunSpec] = {}
    for dataset in datasets:
        origin = provenance(dataset.fingerprint, device)
        try:
            settings = preset.training(dataset.base, dict(training or {}))
        except ValidationError as error:
            raise UserError(first_error(error)) from None
        if protocol == "published" and settings.selection != "best":
            raise UserError(
                f"selection {settings.selection} chooses an epoch on validation data, and --protocol published has "
                "none: leave one of them out"
            )
        standard = preset.options(dataset.base) | {"meld_step": dataset.corpus == "meld"}
        for text in methods:
            method = parse_method(text, standard, options, encoder)
            _check_modalities(method, dataset)
            chosen = (PUBLISHED_SEEDS[dataset.corpus],) if seeds is None else seeds
            for seed, fold in product(chosen, _folds(dataset) if protocol == "sessions" else (None,)):
                spec = RunSpec(
                    dataset=dataset.name,
                    inputs=dataset.inputs,
                    method=method,
                    seed=seed,
                    preset=preset.name,
                    training=settings,
                    provenance=origin,
                    protocol=protocol,
                    fold=fold,
                )
                specs.setdefault(spec.key, spec)
    return in_order(specs.values())


@cache
def _folds(dataset: DataSet) -> tuple[Fold, ...]:
    """The sessions that are held out in turn, which only the data say."""
    return tuple(folds(dataset.load(), dataset.name))


def _check_modalities(method: Method, dataset: DataSet) -> None:
    for kind, known in KINDS.items():
        name = getattr(method, kind).name
        if missing := [m for m in known[name].needs if m not in dataset.inputs.modalities]:
            lack = f"{kind} {name!r} of {method.label} needs {', '.join(missing)} too"
            remedy = (
                f"leave it out, if {dataset.name} has not got that" if dataset.own else "leave out --modalities or it"
            )
            raise UserError(f"{lack}; {remedy}")


def may_be_refused(spec: RunSpec) -> bool:
    """Whether the method's own factory may turn it down, which only building it shows."""
    if spec.method.plugins:
        return True
    entry, options = FUSIONS[spec.method.fusion.name], spec.method.fusion.options
    default = {name: option.default for name, option in entry.options.items()}
    fewer = ENCODERS[spec.method.encoder.name].sees or spec.inputs.modalities != MODALITIES
    return entry.may_refuse and (options != default or bool(fewer))


def in_order(specs: Iterable[RunSpec]) -> list[RunSpec]:
    """The runs of the first seed, then those of the next, …: whatever stops them leaves a balanced comparison.

    Seeds are in the order in which they come first; the runs of a seed are sorted by their cost, longest first.
    """
    runs = list(specs)
    places = {seed: place for place, seed in enumerate(dict.fromkeys(spec.seed for spec in runs))}
    return sorted(runs, key=lambda spec: (places[spec.seed], -cost(spec)))


_UTTERANCES = {"iemocap": 5810, "meld": 9989}  # of the published training sets


@cache
def _training_utterances(dataset: str) -> int:
    name = parse_part(dataset, "data set")[0]
    if name not in SIMULATED:  # of a corpus of its own the name does not tell
        return _UTTERANCES.get(name, _UTTERANCES[SETTINGS_OF_OTHERS])
    return sum(size.utterances for size in parse_corpus(dataset)[1].splits if size.split == "train")


def cost(spec: RunSpec) -> float:
    """Rough work of a run, for the order in which runs start."""
    utterances = _training_utterances(spec.dataset)
    passes = 2 if spec.method.aggregator.name == "equal" else 4
    return spec.training.epochs * utterances * spec.training.hidden * passes
