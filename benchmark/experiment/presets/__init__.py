"""Presets: named budgets, one TOML file each."""

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Annotated, Any

from pydantic import Field, ValidationError

from benchmark.base.errors import UserError
from benchmark.base.names import look_up
from benchmark.base.values import Frozen, Positive, first_error
from benchmark.data.corpora import CORPORA, shape
from benchmark.experiment.preregistration import MARGIN
from benchmark.experiment.spec import Training
from benchmark.methods.entries import Value

NAMES = ("smoke", "quick", "full", "paper")
DEFAULT = "quick"


class Preset(Frozen):
    """A named budget.

    Attributes:
        name, description: for people.
        given: what names it on the command line: its name, or the file of a preset of the user's own.
        seeds: how many seeds (0, 1, …) unless the user says otherwise.
        settings: the training settings and the options rank and order, by the name of a data set without knobs;
            ``iemocap`` and ``meld`` are those of every data set of that shape that has none of its own.
        margins: δ in points of weighted F1, by the same names, where it is not :data:`.preregistration.MARGIN`.
    """

    name: str
    given: str
    description: str
    seeds: int
    settings: dict[str, dict[str, Any]]
    margins: dict[str, float]

    def training(self, data: str, overrides: dict[str, Any]) -> Training:
        """The training settings for a data set of that name, with the user's overrides."""
        fields = {k: v for k, v in self.values(data).items() if k in Training.model_fields}
        return Training(**(fields | overrides))

    def options(self, data: str) -> dict[str, Value]:
        """Options of fusions and aggregators that the preset sets for a data set of that name."""
        return {k: v for k, v in self.values(data).items() if k not in Training.model_fields}

    def margin(self, data: Iterable[str]) -> float:
        """δ, in points of weighted F1, of a grid on data sets of these names: the smallest of theirs."""
        return min(self.margins.get(name, MARGIN) for name in data)

    def values(self, data: str) -> dict[str, Any]:
        """Everything that the preset sets for a data set of that name."""
        return self.settings[data if data in self.settings else shape(data)]


class Complete(Training):
    """All that a preset sets for a data set."""

    rank: Positive
    order: Positive
    margin: Annotated[float, Field(gt=0)] = MARGIN


def load_preset(name: str) -> Preset:
    """Read a built-in preset; raises UserError for an unknown name, and for a file that is not as it was installed."""
    look_up("preset", name, dict.fromkeys(NAMES))
    file = files(__package__) / f"{name}.toml"
    try:
        return _preset(name, tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        cause = first_error(error) if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"
        raise UserError(f"the built-in preset {file} is damaged ({cause}): install css-bench again") from None


def _preset(name: str, content: dict[str, Any]) -> Preset:
    tables = {key: content.pop(key) for key, value in list(content.items()) if isinstance(value, dict)}
    common = tables.pop("common")
    settings = {data: common | table for data, table in tables.items()}
    for values in settings.values():
        Complete(**values)
    margins = {data: values.pop("margin") for data, values in settings.items() if "margin" in values}
    preset = Preset(name=name, given=name, settings=settings, margins=margins, **content)
    for corpus in CORPORA:
        preset.values(corpus)
    return preset
