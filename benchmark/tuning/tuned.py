"""A study's best settings as runs: what ``cssbench run --tuned`` adds to a grid."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.base.names import look_up
from benchmark.data.datasets import DataSet
from benchmark.experiment.presets import Preset
from benchmark.experiment.spec import RunSpec, Tuned, Untuned
from benchmark.methods.registry import TRAINING_SPACE
from benchmark.tuning.plan import Recipe


def tuned_spec(recipe: Recipe, study: str, settings: Mapping[str, Any], seed: int) -> RunSpec:
    """The run of a study's settings, marked as such; where these are the defaults it is the default's run."""
    default, spec = recipe.spec({}, seed), recipe.spec(settings, seed)
    if spec.key == default.key:
        return default
    base = Untuned(**{name: getattr(default.training, name) for name in TRAINING_SPACE})
    return spec.model_copy(
        update={
            "method": spec.method.model_copy(update={"label": f"{default.method.label} [tuned]"}),
            "tuned": Tuned(study=study, base=base),
        }
    )


def tuned_runs(
    wanted: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    specs: Sequence[RunSpec],
    datasets: Sequence[DataSet],
    preset: Preset,
    device: str,
    training: Mapping[str, Any],
) -> dict[str, list[RunSpec]]:
    """The runs of studies' settings on the seeds of a grid, by label; those that are in the grid already left out."""
    by_name, keys = {d.name: d for d in datasets}, {spec.key for spec in specs}
    protocol = specs[0].protocol
    by_label: dict[str, list[RunSpec]] = {}
    for study, trial in wanted:
        data = look_up("data set of --datasets for a study of", study["dataset"], by_name)
        recipe = Recipe(preset, data, study["method"], device, training=training)
        for seed in dict.fromkeys(spec.seed for spec in specs if spec.dataset == data.name):
            spec = tuned_spec(recipe, study["name"], trial["params"], seed)
            spec = spec.model_copy(update={"protocol": protocol})
            if spec.key not in keys:
                keys.add(spec.key)
                by_label.setdefault(spec.method.label, []).append(spec)
    return by_label
