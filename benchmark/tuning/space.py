"""What a study searches: the parameters of a method, from its registration, and how values are drawn from them."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Literal

from benchmark.base.errors import UserError
from benchmark.base.names import look_up
from benchmark.base.values import Frozen
from benchmark.experiment.spec import RunSpec
from benchmark.methods.entries import Range, Value
from benchmark.methods.parsing import KINDS, written_options
from benchmark.methods.registry import TRAINING_SPACE

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

CELLS = 500
"""A full grid may have so many."""
_FEW = 10  # whole numbers that a grid takes one by one
_POINTS = 5  # of a grid along what it cannot take one by one


class Parameter(Frozen):
    """A parameter's values: between two numbers, both included, or a choice (docs/run-format.md)."""

    kind: Literal["int", "float", "categorical"]
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None
    choices: tuple[Value, ...] | None = None

    @classmethod
    def of(cls, range_: Range, default: Value) -> "Parameter":
        """The registered range, widened where a preset's default lies outside, since the default is tried too."""
        if isinstance(default, bool):
            return cls(kind="categorical", choices=(False, True))
        assert not isinstance(default, str)
        low, high = min(range_.low, default), max(range_.high, default)
        whole = isinstance(default, int)
        return cls(kind="int" if whole else "float", low=low, high=high, log=range_.log, step=1 if whole else None)

    @property
    def distribution(self) -> "BaseDistribution":
        """The same for Optuna."""
        from optuna import distributions as optuna

        if self.choices is not None:
            return optuna.CategoricalDistribution(self.choices)
        low, high = self._ends
        if self.kind == "int":
            return optuna.IntDistribution(int(low), int(high), log=self.log)
        return optuna.FloatDistribution(low, high, log=self.log)

    @property
    def points(self) -> list[Value]:
        """The values of a full grid: choices, a few whole numbers all, many by powers of two, or five evenly spaced."""
        if self.choices is not None:
            return list(self.choices)
        low, high = self._ends
        if self.kind == "int" and self.log:
            powers = (2**k for k in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1))
            return sorted({int(low), *powers, int(high)})
        if self.kind == "int" and high - low < _FEW:
            return list(range(int(low), int(high) + 1))
        spaced = [self._at(i / (_POINTS - 1), low, high) for i in range(_POINTS)]
        return list(dict.fromkeys(map(round, spaced))) if self.kind == "int" else list(spaced)

    def at(self, share: float) -> Value:
        """The value below which that share of the draws lies, ``share`` in [0, 1)."""
        if self.choices is not None:
            return self.choices[int(share * len(self.choices))]
        low, high = self._ends
        if self.kind == "float":
            return min(max(self._at(share, low, high), low), high)
        return min(max(round(self._at(share, low - 0.5, high + 0.5)), int(low)), int(high))  # ends as likely as others

    def _at(self, share: float, low: float, high: float) -> float:
        if self.log:
            return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        return low + share * (high - low)

    @property
    def _ends(self) -> tuple[float, float]:
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high


Space = dict[str, Parameter]
Settings = dict[str, Value]


def space_of(text: str, default: RunSpec, also: Sequence[str] = ()) -> Space:
    """The parameters of a method.

    Args:
        text: the method as written; options that it sets are not searched.
        default: a run of it at its default settings.
        also: training settings to search too.

    Raises:
        UserError: for an unknown training setting, or where there is nothing to search.
    """
    space: Space = {}
    written = written_options(text)
    for kind, known in KINDS.items():
        component = getattr(default.method, kind)
        for name, option in known[component.name].options.items():
            if option.search and name not in written and name not in space:
                space[name] = Parameter.of(option.search, component.options[name])
    for name in also:
        range_ = look_up("training setting that tuning can search", name, TRAINING_SPACE)
        space[name] = Parameter.of(range_, getattr(default.training, name))
    if not space:
        raise UserError(
            f"{text!r} has no option to search; search training settings with --also {','.join(TRAINING_SPACE)}, "
            "or some of these"
        )
    return space


def settings_of(spec: RunSpec, names: Sequence[str] | Space) -> Settings:
    """What the run has for these parameters."""
    options: Settings = {}
    for kind in KINDS:
        options = getattr(spec.method, kind).options | options  # the first that has it, as in space_of
    return {name: getattr(spec.training, name) if name in TRAINING_SPACE else options[name] for name in names}


def cells(space: Space, default: Settings) -> list[Settings]:
    """The default, then every other cell of the full grid; raises UserError for a grid that is too large."""
    axes = {name: parameter.points for name, parameter in space.items()}
    if (count := math.prod(map(len, axes.values()))) > CELLS:
        raise UserError(f"a full grid of {', '.join(space)} has {count} cells, more than {CELLS}: search fewer, or "
                        "choose another --sampler")  # fmt: skip
    every = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    return [default, *(cell for cell in every if cell != default)]


def draws(space: Space, default: Settings, study: int) -> Iterator[Settings]:
    """The default, then random settings without end: of a trial, by its number.

    A draw depends on the study's index, the trial's number and the parameter's name alone: parameters that methods
    share take the same values in all of them.
    """
    yield default
    for number in itertools.count(1):
        yield {name: parameter.at(Random(f"{study}/{number}/{name}").random()) for name, parameter in space.items()}


def shown(settings: Mapping[str, Value]) -> str:
    """The settings as people read them: ``rank 8, order 3``."""
    return ", ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
                     for name, value in settings.items())  # fmt: skip
