"""Names that users write: looked up, split, and read with their options."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from benchmark.base.errors import UserError

_MANY = 15
"""More known names than these are not listed beside the nearest one: the line would not be read."""


def look_up(kind: str, name: str, known: Mapping[str, Any]) -> Any:
    """The entry of that name; raises UserError with the nearest known name, and with the whole list where it helps."""
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    if near and len(known) > _MANY:
        raise UserError(f"unknown {kind} {name!r}, did you mean {near[0]!r}?")
    hint = f", did you mean {near[0]!r}?" if near else ";"
    raise UserError(f"unknown {kind} {name!r}{hint} known: {', '.join(known)}")


_PART = re.compile(r"\s*([a-z][\w-]*)\s*(?:\(([^()]*)\))?\s*", re.IGNORECASE)


def parse_part(text: str, kind: str = "method part") -> tuple[str, dict[str, str]]:
    """Split ``spf(rank=8, order=2)`` into a name and its options as written; raises UserError on anything else."""
    match = _PART.fullmatch(text)
    if not match:
        raise UserError(f"cannot read {kind} {text!r}; write NAME or NAME(option=value, …)")
    options: dict[str, str] = {}
    for item in filter(None, map(str.strip, (match[2] or "").split(","))):
        name, equals, value = item.partition("=")
        if not equals:
            raise UserError(f"cannot read option {item!r} of {match[1]!r}; write option=value")
        if name.strip() in options:
            raise UserError(f"option {name.strip()!r} of {match[1]!r} is given twice")
        options[name.strip()] = value.strip()
    return match[1], options


def split_list(text: str) -> list[str]:
    """Split a comma-separated list of names; commas inside parentheses belong to options."""
    return [item.strip() for item in re.split(r",(?![^()]*\))", text) if item.strip()]


Names = str | Sequence[str]
"""Names in a list, or in one string with commas between them."""


def listed(option: str, names: Names) -> list[str]:
    """The names one by one; raises UserError, naming the option, where there is none."""
    separate = split_list(names) if isinstance(names, str) else list(names)
    if not separate:
        raise UserError(f"{option} names nothing: {names!r}; leave it out for the default")
    return separate
