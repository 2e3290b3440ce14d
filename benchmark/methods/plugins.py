"""Fusions and aggregators from outside this project (docs/plugins.md): by entry point, or as ``--plugin module:Class``.

Entry points are known by name alone; a plug-in's module, and with it torch, is imported when a method names it.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from benchmark.base.errors import UserError
from benchmark.base.fingerprints import package_fingerprint
from benchmark.base.names import look_up
from benchmark.base.process_state import put_back
from benchmark.methods.entries import Entry, Option, Range
from benchmark.methods.parts import Plugin
from benchmark.methods.registry import AGGREGATORS, ALIASES, FUSIONS

GROUPS = {"fusion": "cssbench.fusions", "aggregator": "cssbench.aggregators"}


@dataclass(frozen=True)
class PluginEntry(Entry):
    """A component whose class is somebody else's."""

    may_refuse: bool = True
    group: str = "plug-ins"

    def load(self) -> type[Any]:
        """Import the class; raises UserError where it cannot be used."""
        return load_class(self.factory)[0]

    def origin(self) -> Plugin:
        """What tells this class and its source from any other."""
        return Plugin(factory=self.factory, source=package_fingerprint(self.factory))


class _Signature(Mapping[str, Option]):
    """The options of a plug-in: its constructor's parameters, read when they are first asked for."""

    def __init__(self, factory: str) -> None:
        self.factory = factory

    def __getitem__(self, name: str) -> Option:
        return _options(self.factory)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_options(self.factory))

    def __len__(self) -> int:
        return len(_options(self.factory))


def register(plugins: Sequence[str] = ()) -> None:
    """Add installed plug-ins, and those named as ``module:Class`` under the name of their class, to the registry.

    Modules named here are also found in the current folder.

    Raises:
        UserError: a name is taken; a plug-in named here cannot be imported or is no fusion or aggregator.
    """
    for kind, group in GROUPS.items():
        for point in entry_points(group=group):
            _add(kind, point.name, point.value)
    if plugins:
        find_here()
    for factory in plugins:
        with put_back():
            _, kind = load_class(factory)
        _add(kind, factory.partition(":")[2], factory)


def find_here() -> None:
    """Have modules be found in the current folder, too: what the user names may be there."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # workers get this path too


def _add(kind: str, name: str, factory: str) -> None:
    known = FUSIONS if kind == "fusion" else AGGREGATORS
    taken = known.get(name) or FUSIONS.get(name) or AGGREGATORS.get(name)
    if isinstance(taken, PluginEntry) and taken is known.get(name) and taken.factory == factory:
        return
    if taken is not None or name in ALIASES:
        by = taken.factory if taken else "an alias"
        raise UserError(f"plug-in {factory} is called {name!r}, which is {by} already; give it another name")
    if not re.fullmatch(r"[A-Za-z][\w-]*", name):
        raise UserError(f"plug-in {factory} is called {name!r}; use letters, digits, - and _, a letter first")
    known[name] = PluginEntry(factory, f"plug-in {factory}", _Signature(factory))


@cache
def load_class(factory: str) -> tuple[type[Any], str]:
    """The class ``module:Class`` and its kind, ``fusion`` or ``aggregator``; raises UserError where it is neither."""
    module, colon, name = factory.partition(":")
    if not (module and colon and name):
        raise UserError(f"cannot read plug-in {factory!r}; write module:Class")
    try:
        imported = import_module(module)
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise UserError(f"plug-in {factory}: importing {module} failed ({cause}); is it installed, or here?") from error
    if not hasattr(imported, name):
        look_up(f"class of plug-in module {module}:", name, {n: None for n in vars(imported) if not n.startswith("_")})
    from css.interfaces import Aggregator, Fusion

    thing = getattr(imported, name)
    for kind, base in (("fusion", Fusion), ("aggregator", Aggregator)):
        if isinstance(thing, type) and issubclass(thing, base):
            return thing, kind
    raise UserError(f"plug-in {factory} is no subclass of css.interfaces.Fusion or Aggregator: {thing!r}"[:300])


@cache
def _options(factory: str) -> dict[str, Option]:
    cls, kind = load_class(factory)
    parameters = list(inspect.signature(cls).parameters.values())
    options = {}
    for parameter in parameters[2:] if kind == "fusion" else parameters:  # a fusion's first: features, modalities
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if type(parameter.default) not in (int, float, bool):
            raise UserError(
                f"plug-in {factory}: parameter {parameter.name!r} has the default {parameter.default!r}; an option "
                "needs one that is a whole number, a number or true/false"
            )
        options[parameter.name] = Option(parameter.default)
    for name, ends in getattr(cls, "search_space", {}).items():
        option = look_up(f"parameter of plug-in {factory}, in its search_space:", name, options)
        options[name] = replace(option, search=_range(factory, name, ends))
    return options


def _range(factory: str, name: str, ends: Any) -> Range:
    """``(low, high)`` or ``(low, high, "log")`` of a plug-in's ``search_space``."""
    match ends:
        case (int() | float() as low, int() | float() as high) if low < high:
            return Range(low, high)
        case (int() | float() as low, int() | float() as high, "log") if 0 < low < high:
            return Range(low, high, log=True)
    raise UserError(
        f"plug-in {factory}: search_space has {name!r}: {ends!r}; write (low, high) or (low, high, 'log'), low < high"
    )
