"""What the registry says of a component: where its factory is, which options it takes, what it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from benchmark.base.errors import UserError
from benchmark.base.names import look_up

if TYPE_CHECKING:
    from benchmark.methods.parts import Plugin

Value = int | float | bool | str


@dataclass(frozen=True)
class Range:
    """Where ``cssbench tune`` searches: from ``low`` to ``high``, both included, evenly or evenly in the logarithm."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Option:
    """An option of a component: its default (whose type is the option's), and the values or words allowed.

    Attributes:
        search: where tuning searches it; None: not at all.
        newer: there were runs before it: at its default it is in no key, so that they keep theirs.
    """

    default: Value
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    search: Range | None = None
    newer: bool = False

    def parse(self, name: str, value: Value) -> Value:
        """The checked value; raises UserError naming the option, the value and what is allowed."""
        kind = type(self.default)
        if self.choices:
            look_up(name, str(value), dict.fromkeys(self.choices))
        try:
            if isinstance(value, str):
                value = {"true": True, "false": False}[value.lower()] if kind is bool else kind(value)
            if kind is int and value != int(value):
                raise ValueError
        except (KeyError, ValueError, OverflowError):
            raise UserError(f"{name} must be of type {kind.__name__}, got {value!r}") from None
        if self.minimum is not None and float(value) < self.minimum:
            raise UserError(f"{name} must be at least {self.minimum:g}, got {value}")
        if self.maximum is not None and float(value) > self.maximum:
            raise UserError(f"{name} must be at most {self.maximum:g}, got {value}")
        return kind(value)


@dataclass(frozen=True)
class Entry:
    """A registered component: where its factory is, what it does, which options it takes.

    Attributes:
        needs: the modalities that it cannot do without.
        sees: of an encoder, the modalities that it passes on; none named: all that there are.
        extra, packages: the optional extra of css-bench that it needs, and what that has to have brought.
        may_refuse: its factory may turn down options other than the defaults, or less than all modalities (ValueError).
        group: what it is listed under; of an aggregator, one of ``registry.GROUPS``.
        link: where it was published; none for a control, a common baseline or a variant of this suite.
    """

    factory: str
    summary: str
    options: Mapping[str, Option] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    extra: str = ""
    packages: tuple[str, ...] = ()
    may_refuse: bool = False
    group: str = ""
    link: str = ""

    def require(self, name: str) -> None:
        """Raise UserError, naming the command that installs it, where an optional package is missing."""
        if missing := [package for package in self.packages if find_spec(package) is None]:
            raise UserError(
                f"{name!r} needs {', '.join(missing)}, not installed here: pip install 'css-bench[{self.extra}]', "
                f"or .nox/run/bin/pip install -e '.[{self.extra}]' beside the source"
            )

    def load(self) -> Callable[..., Any]:
        """Import the factory."""
        module, attribute = self.factory.split(":")
        return getattr(import_module(module), attribute)

    def origin(self) -> "Plugin | None":
        """Where a plug-in comes from; None for what is part of css-bench."""
        return None


@dataclass(frozen=True)
class GramianEntry(Entry):
    """An aggregator of the Gramian alone, with an option ``unit``: its variant on unit gradients."""

    def load(self) -> Callable[..., Any]:
        """Import the factory."""
        from baselines.aggregators.unit import with_unit_option

        return with_unit_option(super().load())
