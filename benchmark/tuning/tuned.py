"""A study's best settings as runs: what ``cssbench run --tuned`` adds to a grid."""

from collections.abc import Mapping
from typing import Any

from benchmark.registry import TRAINING_SPACE
from benchmark.specs import RunSpec, Tuned, Untuned
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
