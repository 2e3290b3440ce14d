"""What a study is, before it is begun: a method on a data set under a budget, and how its settings are searched."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from benchmark.base.errors import UserError
from benchmark.base.names import look_up
from benchmark.data.datasets import DataSet
from benchmark.experiment.grid import TUNING_SEEDS, expand
from benchmark.experiment.presets import Preset
from benchmark.experiment.spec import RunSpec
from benchmark.methods.entries import Value
from benchmark.methods.parsing import STANDARD
from benchmark.methods.registry import TRAINING_SPACE
from benchmark.tuning.space import Settings, Space, settings_of, space_of

SAMPLERS = ("tpe", "gp", "grid", "random", "nsga2")
GOALS: dict[str, Literal["maximize", "minimize"]] = {
    "weighted_f1": "maximize",
    "volatility": "minimize",
    "seconds": "minimize",
}
"""What can be optimised, and which way; the first alone unless asked otherwise."""


@dataclass(frozen=True)
class Recipe:
    """How a setting of a method becomes a run.

    Attributes:
        method: as written.
        encoder: of a method that names none.
        training: overrides of the preset's training settings.
    """

    preset: Preset
    dataset: DataSet
    method: str
    device: str = "cpu"
    encoder: str = STANDARD
    training: Mapping[str, Any] = field(default_factory=dict)

    def spec(self, settings: Mapping[str, Value], seed: int) -> RunSpec:
        """The run of these settings; without any it is the default's."""
        (spec,) = expand(
            self.preset,
            [self.dataset],
            [self.method],
            [seed],
            device=self.device,
            encoder=self.encoder,
            training={**self.training, **{n: v for n, v in settings.items() if n in TRAINING_SPACE}},
            options={n: v for n, v in settings.items() if n not in TRAINING_SPACE},
        )
        return spec


@dataclass(frozen=True)
class Plan:
    """A study to be made.

    Attributes:
        name: in the storage.
        recipe: what its trials are runs of.
        seeds: how many runs a trial is.
        sampler: one of :data:`SAMPLERS`.
        goals: names in :data:`GOALS`; the first is weighted_f1.
        also: training settings that are searched too.
        fair: of a study in a fairness comparison: ``group``, ``index`` and ``of``.
    """

    name: str
    recipe: Recipe
    seeds: int
    sampler: str = "tpe"
    goals: tuple[str, ...] = ("weighted_f1",)
    also: tuple[str, ...] = ()
    fair: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        look_up("sampler", self.sampler, dict.fromkeys(SAMPLERS))
        for name in self.goals:
            look_up("goal", name, GOALS)
        if self.goals[0] != "weighted_f1" or len(set(self.goals)) < len(self.goals):
            raise UserError(f"--goals begins with weighted_f1 and names each once, got {','.join(self.goals)}")
        if self.multiple and self.sampler not in ("tpe", "nsga2"):
            raise UserError(f"--sampler {self.sampler} is for one goal: choose tpe or nsga2 for several")
        if not self.multiple and self.sampler == "nsga2":
            raise UserError("--sampler nsga2 is for several goals: add --goals weighted_f1,volatility,seconds")

    @property
    def multiple(self) -> bool:
        """Whether there is a front instead of a best trial."""
        return len(self.goals) > 1

    @property
    def pruner(self) -> str | None:
        """Trials are compared seed by seed where they are searched by one score, and nowhere is fairness at stake."""
        return None if self.multiple or self.fair else "wilcoxon"

    @cached_property
    def default(self) -> RunSpec:
        """The first run of trial 0."""
        return self.recipe.spec({}, TUNING_SEEDS)

    @cached_property
    def space(self) -> Space:
        """What is searched."""
        return space_of(self.recipe.method, self.default, self.also)

    @cached_property
    def default_settings(self) -> Settings:
        """The settings of trial 0."""
        return settings_of(self.default, self.space)

    def specs(self, settings: Mapping[str, Value]) -> list[RunSpec]:
        """A trial's runs."""
        return [self.recipe.spec(settings, TUNING_SEEDS + i) for i in range(self.seeds)]

    def definition(self) -> dict[str, Any]:
        """What must not change while the study lasts, as JSON has it."""
        provenance = self.default.provenance
        return {
            "data set": self.default.dataset,
            "data": provenance.data,
            "method": self.default.method.canonical,
            "budget": self.default.budget,
            "source": provenance.source,
            "torch": provenance.torch,
            "numpy": provenance.numpy,
            "device": provenance.device,
            "seeds": self.seeds,
            "sampler": self.sampler,
            "pruner": self.pruner,
            "objectives": list(self.goals),
            "default": dict(self.default_settings),
            "fair": None if self.fair is None else dict(self.fair),
            "space": {name: parameter.model_dump(mode="json") for name, parameter in self.space.items()},
        }


def study_name(recipe: Recipe, last: str | None = None) -> str:
    """``iemocap-sim/css/quick``; ``last`` instead of the preset."""
    method = recipe.spec({}, TUNING_SEEDS).method.label
    return f"{recipe.dataset.name}/{method}/{last or recipe.preset.name}"


def fair_plans(
    recipes: Sequence[Recipe], studies: int, seeds: int, also: tuple[str, ...] = (), last: str | None = None
) -> list[Plan]:
    """Independent random searches of every method, the same draws for all methods that share a parameter."""
    names = [study_name(recipe, last) for recipe in recipes]
    group = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]
    return [
        Plan(f"{name}/fair-{index}", recipe, seeds, "random", also=also,
             fair={"group": group, "index": index, "of": studies})
        for index in range(studies)
        for name, recipe in zip(names, recipes, strict=True)
    ]  # fmt: skip


def slug(name: str) -> str:
    """The name of the study's file: the study's without what file systems mind, and a hash so that no two are one."""
    readable = re.sub(r"[^\w.-]+", "-", name).strip("-")
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
