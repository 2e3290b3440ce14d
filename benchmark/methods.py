"""A method's name, as a user writes it, to the components of a run, and back to its canonical form."""

from collections.abc import Mapping, Sequence

from benchmark.errors import UserError
from benchmark.registry import AGGREGATORS, ALIASES, FUSIONS, Entry, Value, look_up, parse_part
from benchmark.specs import Component, Method


def parse_method(text: str, defaults: Mapping[str, Value], forced: Mapping[str, Value] | None = None) -> Method:
    """Read ``css``, ``concat+pgm``, ``spf(order=2)+pcgrad``, ``css(rank=8)``, ``tensor``, ``pcgrad``.

    Args:
        text: a fusion and an aggregator joined by ``+``, either alone (with ``equal``; with ``spf``), or an alias.
        defaults: option values that the preset sets for any component that has the option (``rank``, ``order``).
        forced: option values from the command line; they count as written by the user.

    Raises:
        UserError: naming the unknown part with the nearest known one, or the option that is out of range.
    """
    parts = [parse_part(part) for part in text.split("+")]
    if len(parts) == 1:
        (name, options), *_ = parts
        look_up("method", name, ALIASES | FUSIONS | AGGREGATORS)
        if name in ALIASES:
            (fusion, fixed), aggregator = map(parse_part, ALIASES[name].split("+"))
            parts = [(fusion, fixed | options), aggregator]
        else:
            parts = [(name, options), ("equal", {})] if name in FUSIONS else [("spf", {}), (name, options)]
    if len(parts) != 2:
        raise UserError(f"cannot read method {text!r}; write FUSION+AGGREGATOR, for example spf+pgm")
    components, names = [], []
    for kind, known, (name, written) in zip(("fusion", "aggregator"), (FUSIONS, AGGREGATORS), parts, strict=True):
        entry: Entry = look_up(kind, name, known)
        entry.require(name)
        component, shown = resolve(name, entry, written, defaults, forced or {})
        components.append(component)
        names.append(_with_options(name, shown))
    return Method(canonical="+".join(names), label=_label(*names), fusion=components[0], aggregator=components[1])


def resolve(
    name: str, entry: Entry, written: Mapping[str, str], defaults: Mapping[str, Value], forced: Mapping[str, Value]
) -> tuple[Component, list[str]]:
    """Spell out every option of a component, and those that differ from the preset's as ``option=value``."""
    for option in written:
        look_up(f"option of {name!r}", option, entry.options)
    standard = {o: entry.options[o].parse(o, defaults.get(o, entry.options[o].default)) for o in entry.options}
    asked = {o: v for o, v in forced.items() if o in entry.options} | dict(written)
    options = standard | {o: entry.options[o].parse(o, v) for o, v in asked.items()}
    shown = [f"{o}={str(v).lower()}" for o, v in sorted(options.items()) if v != standard[o]]
    return Component(name=name, options=options, plugin=entry.origin()), shown


def _with_options(name: str, options: Sequence[str]) -> str:
    return name + (f"({','.join(options)})" if options else "")


def _label(fusion: str, aggregator: str) -> str:
    """What tables show: the shortest name that parses to the same method, options kept."""
    base, options = parse_part(fusion)
    aliases: dict[str, dict[str, str]] = {}
    for alias, target in ALIASES.items():
        (name, fixed), with_aggregator = parse_part(target.split("+")[0]), target.split("+")[1]
        if (name, with_aggregator) == (base, aggregator) and fixed.items() <= options.items():
            aliases[alias] = fixed
    if aliases:
        alias = max(aliases, key=lambda a: len(aliases[a]))
        return _with_options(alias, [f"{o}={v}" for o, v in options.items() if o not in aliases[alias]])
    if aggregator == "equal":
        return fusion
    if fusion == "spf":
        return aggregator
    return f"{fusion}+{aggregator}"
