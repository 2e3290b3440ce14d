"""Data sets × methods × seeds to run specifications."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from benchmark.data.datasets import DataSet
from benchmark.data.remedies import REMEDIES, RemedyName
from benchmark.data.views import MODALITIES, TEXT_VIEWS
from benchmark.errors import UserError
from benchmark.fingerprints import provenance
from benchmark.methods import KINDS, STANDARD, parse_method
from benchmark.presets import Preset
from benchmark.registry import ENCODERS, FUSIONS, Value, look_up, parse_part
from benchmark.specs import Inputs, Method, Protocol, RunSpec

PUBLISHED_SEEDS = {"iemocap": 61078, "meld": 10068}
"""Of the released scripts, by data family."""
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
    if not seeds or min(seeds) < 0 or ("," not in text and seeds[0] < 1):
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


def parse_inputs(modalities: str | None, text_view: str | None, remedies: str | None = None) -> Inputs:
    """``text,audio``, ``mean`` and ``zero-leaked``, say; None is the default; raises UserError for anything unknown."""
    known: dict[str, None] = dict.fromkeys(MODALITIES)
    named = [item.strip() for item in (modalities or ",".join(MODALITIES)).split(",") if item.strip()]
    for name in named:
        look_up("modality", name, known)
    look_up("text view", text_view or "1", dict.fromkeys(TEXT_VIEWS))
    try:
        chosen = tuple(m for m in MODALITIES if m in named)
        return Inputs(
            modalities=chosen,
            text_view=text_view or "1",  # type: ignore[arg-type]  # looked up
            remedies=parse_remedies(remedies),
        )
    except ValidationError as error:
        raise UserError(_first_error(error)) from None


def parse_remedies(text: str | None) -> tuple[RemedyName, ...]:
    """``all``, or names in any order; None is none; raises UserError for anything unknown."""
    if text is None:
        return ()
    named = [item.strip() for item in text.split(",") if item.strip()]
    if not named:
        raise UserError(f"--drop-defects names nothing: {text!r}; give all or some of {', '.join(REMEDIES)}")
    for name in named:
        look_up("remedy", name, dict.fromkeys(("all", *REMEDIES)))
    return tuple(name for name in REMEDIES if name in named or "all" in named)


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
    """Every run of a grid, longest first, none twice.

    Args:
        seeds: None is the published one of each data set's family.
        protocol: of every run; a refit's specifications follow from results (:mod:`benchmark.refit`).
        training: overrides of the preset's training settings.
        encoder: of the methods that do not bring their own.
        options: component options from the command line (rank, order); they enter the methods that have them.

    Raises:
        UserError: unknown names, options out of range, or settings that do not fit together.
    """
    look_up("encoder", parse_part(encoder)[0], ENCODERS)
    specs: dict[str, RunSpec] = {}
    for dataset in datasets:
        origin = provenance(dataset.fingerprint, device)
        try:
            settings = preset.training(dataset.family, dict(training or {}))
        except ValidationError as error:
            raise UserError(_first_error(error)) from None
        standard = preset.options(dataset.family) | {"meld_step": dataset.family == "meld"}
        for text in methods:
            method = parse_method(text, standard, options, encoder)
            _check_modalities(method, dataset)
            for seed in (PUBLISHED_SEEDS[dataset.family],) if seeds is None else seeds:
                spec = RunSpec(
                    dataset=dataset.name,
                    inputs=dataset.inputs,
                    method=method,
                    seed=seed,
                    preset=preset.name,
                    training=settings,
                    provenance=origin,
                    protocol=protocol,
                )
                specs.setdefault(spec.key, spec)
    return sorted(specs.values(), key=cost, reverse=True)


def _check_modalities(method: Method, dataset: DataSet) -> None:
    for kind, known in KINDS.items():
        name = getattr(method, kind).name
        if missing := [m for m in known[name].needs if m not in dataset.inputs.modalities]:
            raise UserError(
                f"{kind} {name!r} of {method.label} needs {', '.join(missing)} too; leave out --modalities or it"
            )


def may_be_refused(spec: RunSpec) -> bool:
    """Whether the method's own factory may turn it down, which only building it shows."""
    if spec.method.fusion.plugin or spec.method.aggregator.plugin:
        return True
    entry, options = FUSIONS[spec.method.fusion.name], spec.method.fusion.options
    default = {name: option.default for name, option in entry.options.items()}
    return entry.may_refuse and (options != default or spec.inputs.modalities != MODALITIES)


_UTTERANCES = {"iemocap": 5810, "meld": 9989}  # of the published training sets


def cost(spec: RunSpec) -> float:
    """Rough work of a run, for the order in which runs start."""
    name, knobs = parse_part(spec.dataset, "data set")
    utterances = _UTTERANCES[name.removesuffix("-sim")] * float(knobs.get("scale", 1))
    passes = 2 if spec.method.aggregator.name == "equal" else 4
    return spec.training.epochs * utterances * spec.training.hidden * passes


def _first_error(error: ValidationError) -> str:
    """The first problem that pydantic found, on one line."""
    problem = error.errors()[0]
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:  # a check of several fields names them itself
        return message
    return f"{'.'.join(map(str, problem['loc']))}: {message}, got {problem['input']!r}"[:300]
