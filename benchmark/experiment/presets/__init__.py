"""Presets: named budgets, one TOML file each."""

import tomllib
from importlib.resources import files
from typing import Any

from benchmark.base.names import look_up
from benchmark.base.values import Frozen
from benchmark.experiment.spec import Training
from benchmark.methods.registry import Value

NAMES = ("smoke", "quick", "full", "paper")
DEFAULT = "quick"


class Preset(Frozen):
    """A named budget.

    Attributes:
        name, description: for people.
        seeds: how many seeds (0, 1, …) unless the user says otherwise.
        settings: per corpus (``iemocap``, ``meld``), the training settings and the options rank and order.
    """

    name: str
    description: str
    seeds: int
    settings: dict[str, dict[str, Any]]

    def training(self, corpus: str, overrides: dict[str, Any]) -> Training:
        """The training settings for a corpus, with the user's overrides."""
        fields = {k: v for k, v in self.settings[corpus].items() if k in Training.model_fields}
        return Training(**(fields | overrides))

    def options(self, corpus: str) -> dict[str, Value]:
        """Options of fusions and aggregators that the preset sets for a corpus."""
        return {k: v for k, v in self.settings[corpus].items() if k not in Training.model_fields}


def load_preset(name: str) -> Preset:
    """Read a preset; raises UserError for an unknown name."""
    look_up("preset", name, dict.fromkeys(NAMES))
    content = tomllib.loads((files(__package__) / f"{name}.toml").read_text())
    common = content.pop("common")
    corpora = {corpus: common | content.pop(corpus) for corpus in ("iemocap", "meld")}
    return Preset(name=name, settings=corpora, **content)
