"""Presets: named budgets, one TOML file each."""

import tomllib
from importlib.resources import files
from typing import Any

from benchmark.registry import Value, look_up
from benchmark.specs import Frozen, Training

NAMES = ("smoke", "quick", "full", "paper")
DEFAULT = "quick"


class Preset(Frozen):
    """A named budget.

    Attributes:
        name, description: for people.
        seeds: how many seeds (0, 1, …) unless the user says otherwise.
        settings: per data family (``iemocap``, ``meld``), the training settings and the options rank and order.
    """

    name: str
    description: str
    seeds: int
    settings: dict[str, dict[str, Any]]

    def training(self, family: str, overrides: dict[str, Any]) -> Training:
        """The training settings for a data family, with the user's overrides."""
        fields = {k: v for k, v in self.settings[family].items() if k in Training.model_fields}
        return Training(**(fields | overrides))

    def options(self, family: str) -> dict[str, Value]:
        """Options of fusions and aggregators that the preset sets for a data family."""
        return {k: v for k, v in self.settings[family].items() if k not in Training.model_fields}


def load_preset(name: str) -> Preset:
    """Read a preset; raises UserError for an unknown name."""
    look_up("preset", name, dict.fromkeys(NAMES))
    content = tomllib.loads((files(__package__) / f"{name}.toml").read_text())
    common = content.pop("common")
    families = {family: common | content.pop(family) for family in ("iemocap", "meld")}
    return Preset(name=name, settings=families, **content)
