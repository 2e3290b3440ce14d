"""A method's name, as a user writes it, to the components of a run, and back to its canonical form."""

from collections.abc import Mapping
from typing import Any

from benchmark.base.errors import UserError
from benchmark.base.names import look_up, parse_part
from benchmark.methods.entries import Entry, Value
from benchmark.methods.parts import Component, Method
from benchmark.methods.registry import AGGREGATORS, ALIASES, ENCODERS, FUSIONS, OBJECTIVES

KINDS = {"encoder": ENCODERS, "fusion": FUSIONS, "aggregator": AGGREGATORS, "objectives": OBJECTIVES}
STANDARD = "paper"
"""The encoder and the objectives that a canonical string leaves out."""
GRAMMAR = "write FUSION+AGGREGATOR, for example spf+pgm, or ENCODER/FUSION+AGGREGATOR/OBJECTIVES"

Parts = dict[str, tuple[str, dict[str, str]]]


def parse_method(
    text: str, defaults: Mapping[str, Value], forced: Mapping[str, Value] | None = None, encoder: str = STANDARD
) -> Method:
    """Read ``css``, ``concat+pgm``, ``spf(order=2)+pcgrad``, ``css(rank=8)``, ``tensor``, ``released/css``.

    Args:
        text: a fusion and an aggregator joined by ``+``, either alone (with ``equal``; with ``spf``), or an alias,
            whose options go to the part that has them; before it ``ENCODER/`` and after it ``/OBJECTIVES``, if at all.
        defaults: option values that the preset or the data set sets for any component that has the option (``rank``).
        forced: option values from the command line; they count as written by the user.
        encoder: of a method that names none.

    Raises:
        UserError: naming the unknown part with the nearest known one, or the option that is out of range.
    """
    parts: Parts = {"encoder": parse_part(encoder), "objectives": (STANDARD, {})} | _read(text)
    components, shown = _resolve(parts, defaults, forced or {})
    canonical = _join(f"{shown['fusion']}+{shown['aggregator']}", shown)
    return Method(canonical=canonical, label=_label(components, shown, canonical, defaults), **components)


def written_options(text: str) -> set[str]:
    """The options that a method's name itself sets: no default and no override changes these."""
    return {option for _, options in _read(text).values() for option in options}


def identifying(method: Method) -> dict[str, dict[str, Any]]:
    """The four components as a run's key has them: without newer options at their default."""
    components = method.components
    for kind, component in components.items():
        known = KINDS[kind].get(component["name"])  # None: a plug-in that is not installed here
        newer = {o: option.default for o, option in known.options.items() if option.newer} if known else {}
        component["options"] = {o: v for o, v in component["options"].items() if o not in newer or v != newer[o]}
    return components


def resolve(
    name: str, entry: Entry, written: Mapping[str, str], defaults: Mapping[str, Value], forced: Mapping[str, Value]
) -> tuple[Component, str]:
    """Spell out every option of a component, and how those that differ from the preset are written."""
    for option in written:
        look_up(f"option of {name!r}", option, entry.options)
    standard = {o: entry.options[o].parse(o, defaults.get(o, entry.options[o].default)) for o in entry.options}
    asked = {o: v for o, v in forced.items() if o in entry.options} | dict(written)
    options = standard | {o: entry.options[o].parse(o, v) for o, v in asked.items()}
    component = Component(name=name, options=options, plugin=entry.origin())
    return component, _differing([(component, Component(name=name, options=standard))])


def _resolve(
    parts: Parts, defaults: Mapping[str, Value], forced: Mapping[str, Value]
) -> tuple[dict[str, Component], dict[str, str]]:
    """Every part by kind, and how each is written."""
    components, shown = {}, {}
    for kind, known in KINDS.items():
        name, written = parts[kind]
        entry: Entry = look_up(kind, name, known)
        entry.require(name)
        components[kind], options = resolve(name, entry, written, defaults, forced)
        shown[kind] = name + options
    return components, shown


def _read(text: str) -> Parts:
    """The parts that a text names, by kind; a fusion and an aggregator always."""
    outer: Parts = {}
    match text.split("/"):
        case [core]:
            pass
        case [encoder, core, objectives]:
            outer = {"encoder": parse_part(encoder), "objectives": parse_part(objectives)}
        case [first, last] if _is_of(first, ENCODERS):
            core, outer = last, {"encoder": parse_part(first)}
        case [first, last] if _is_of(last, OBJECTIVES):
            core, outer = first, {"objectives": parse_part(last)}
        case _:
            raise UserError(
                f"cannot read method {text!r}; {GRAMMAR}; encoders: {', '.join(ENCODERS)}; "
                f"objectives: {', '.join(OBJECTIVES)}"
            )
    named = [parse_part(part) for part in core.split("+")]
    if len(named) > 2:
        raise UserError(f"cannot read method {text!r}; {GRAMMAR}")
    if len(named) == 2:
        return {"fusion": named[0], "aggregator": named[1]} | outer
    name, options = named[0]
    look_up("method", name, ALIASES | FUSIONS | AGGREGATORS)
    if name in FUSIONS:
        return {"fusion": named[0], "aggregator": ("equal", {})} | outer
    if name in AGGREGATORS:
        return {"fusion": ("spf", {}), "aggregator": named[0]} | outer
    parts: Parts = {"objectives": (STANDARD, {})} | _read(ALIASES[name]) | outer
    return _with_options(name, parts, options)


def _is_of(part: str, known: Mapping[str, Entry]) -> bool:
    return part.partition("(")[0].strip() in known


def _with_options(alias: str, parts: Parts, options: Mapping[str, str]) -> Parts:
    """Give each option of an alias to the part that has it."""
    owners = {o: kind for kind, (name, _) in parts.items() for o in look_up(kind, name, KINDS[kind]).options}
    for option, value in options.items():
        kind = look_up(f"option of {alias!r}", option, owners)
        name, written = parts[kind]
        parts[kind] = (name, written | {option: value})
    return parts


def _differing(pairs: list[tuple[Component, Component]]) -> str:
    """The options in which components differ from their standard, as they are written; empty for none."""
    differing = {
        o: v for component, standard in pairs for o, v in component.options.items() if v != standard.options[o]
    }
    options = ",".join(f"{o}={str(v).lower()}" for o, v in sorted(differing.items()))
    return f"({options})" if options else ""


def _label(
    components: Mapping[str, Component], shown: Mapping[str, str], canonical: str, defaults: Mapping[str, Value]
) -> str:
    """What tables show: the alias of these parts that they differ least from, else the shortest way to write them."""
    labels = []
    for alias, target in ALIASES.items():
        parts = _read(target)
        kinds = [kind for kind in KINDS if kind != "encoder" or kind in parts]
        anywhere: Parts = {"encoder": (components["encoder"].name, {}), "objectives": (STANDARD, {})}
        standard, _ = _resolve(anywhere | parts, defaults, {})
        if all(components[kind].name == standard[kind].name for kind in kinds):
            name = alias + _differing([(components[kind], standard[kind]) for kind in kinds])
            label = name if "encoder" in parts else _join(name, {"encoder": shown["encoder"], "objectives": STANDARD})
            if len(label) <= len(canonical):
                labels.append(label)
    if labels:
        return min(labels, key=lambda label: label.count("="))
    if shown["aggregator"] == "equal":
        short = shown["fusion"]
    else:
        short = shown["aggregator"] if shown["fusion"] == "spf" else f"{shown['fusion']}+{shown['aggregator']}"
    return _join(short, shown)


def _join(core: str, shown: Mapping[str, str]) -> str:
    """Encoder and objectives around what names fusion and aggregator, where they are not the standard ones."""
    encoder, objectives = shown["encoder"], shown["objectives"]
    return "/".join(
        ([] if encoder == STANDARD else [encoder]) + [core] + ([] if objectives == STANDARD else [objectives])
    )
