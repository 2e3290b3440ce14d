"""A simulated corpus by its name, with knobs where they differ from the corpus's own.

    meld-sim(conflict_rate=0.5)    meld-sim(synergy=text+audio+visual,scale=10)    iemocap-sim(leakage=0+0+0.5)

A knob is a field of :class:`~.spec.SimulatorSpec`; the parts of a list are joined by ``+``, ``none`` is the empty one.
``scale`` multiplies the conversations and utterances of every split.
"""

import math
import typing
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from benchmark.base.errors import UserError
from benchmark.base.names import look_up, parse_part
from benchmark.data.simulation.spec import MODALITIES, SPECS, SimulatorSpec

MAX_SCALE = 100


def _parts() -> dict[str, tuple[type, bool]]:
    """Every knob: the type of its parts, and whether it is a list of them."""
    parts: dict[str, tuple[type, bool]] = {"scale": (float, False)}
    for name, hint in typing.get_type_hints(SimulatorSpec).items():
        part, several = next(iter(typing.get_args(hint)), hint), typing.get_origin(hint) is tuple
        if part in (int, float) or name == "synergy":
            parts[name] = part, several
    return parts


KNOBS: Mapping[str, tuple[type, bool]] = _parts()


def parse_corpus(text: str) -> tuple[str, SimulatorSpec]:
    """The canonical name of a corpus, and what to simulate.

    Canonical: knobs in alphabetical order, each shortest, none that changes nothing. Equal corpora have equal names.

    Raises:
        UserError: unknown corpus or knob, with the nearest known one, or an impossible value.
    """
    name, written = parse_part(text, "data set")
    spec = look_up("simulated corpus", name, SPECS)
    for knob in written:
        look_up(f"knob of {name!r}", knob, KNOBS)
    values = {knob: _parse(name, knob, value) for knob, value in sorted(written.items())}
    scale = values.pop("scale", 1.0)
    changed = {knob: value for knob, value in values.items() if value != getattr(spec, knob)}
    shown = [f"{knob}={_format(value)}" for knob, value in changed.items()]
    if scale != 1:
        changed["splits"] = _scaled(spec, scale)
        shown = sorted([*shown, f"scale={_format(scale)}"])
    return name + (f"({','.join(shown)})" if shown else ""), replace(spec, **changed)


def _parse(name: str, knob: str, text: str) -> Any:
    kind, several = KNOBS[knob]
    items = [item.strip() for item in text.split("+")] if several and text != "none" else [] if several else [text]
    try:
        values = [kind(item) for item in items]
    except ValueError:
        what = {int: "a whole number", float: "a number", str: "a name"}[kind]
        raise UserError(
            f"{knob} of {name} is {text!r}, but must be {what}" + (" or several, joined by +" if several else "")
        ) from None
    if kind is float:
        values = [value + 0.0 for value in values]  # −0 is 0
    if knob == "synergy":  # a set
        values.sort(key=lambda m: MODALITIES.index(m) if m in MODALITIES else -1)
    return tuple(values) if several else values[0]


def _format(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(map(_format, value)) or "none"
    return repr(value).removesuffix(".0").replace("e+", "e") if isinstance(value, float) else str(value)


def _scaled(spec: SimulatorSpec, scale: float) -> tuple[Any, ...]:
    least = max(max(1, len(size.sessions)) / size.conversations for size in spec.splits)
    if not least <= scale <= MAX_SCALE:
        least = math.ceil(1000 * least) / 1000
        raise UserError(f"scale of {spec.name} is {_format(scale)}, but must be from {least:g} to {MAX_SCALE}")
    return tuple(
        size._replace(conversations=round(scale * size.conversations), utterances=round(scale * size.utterances))
        for size in spec.splits
    )
