"""Names to factories: the one place where the harness reaches the methods in ``css/`` and ``baselines/``.

Nothing is imported until a factory is called, so that names and options can be checked without torch.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from benchmark.errors import UserError

Value = int | float | bool


@dataclass(frozen=True)
class Option:
    """An option of a component: its default (whose type is the option's) and the least value allowed."""

    default: Value
    minimum: float | None = None

    def parse(self, name: str, value: Value | str) -> Value:
        """The checked value; raises UserError naming the option, the value and what is allowed."""
        kind = type(self.default)
        try:
            if isinstance(value, str):
                value = {"true": True, "false": False}[value.lower()] if kind is bool else kind(value)
            if kind is int and value != int(value):
                raise ValueError
        except (KeyError, ValueError, OverflowError):
            raise UserError(f"{name} must be of type {kind.__name__}, got {value!r}") from None
        if self.minimum is not None and value < self.minimum:
            raise UserError(f"{name} must be at least {self.minimum:g}, got {value}")
        return kind(value)


@dataclass(frozen=True)
class Entry:
    """A registered component: where its factory is, which options it takes, what it does."""

    factory: str
    summary: str
    options: Mapping[str, Option] = field(default_factory=dict)

    def load(self) -> Callable[..., Any]:
        """Import the factory."""
        module, attribute = self.factory.split(":")
        return getattr(import_module(module), attribute)


ENCODERS = {
    "paper": Entry("css.encoder:ConversationEncoder", "modality-aware and interaction-aware stages of CSS"),
    "identity": Entry("baselines.identity:IdentityEncoder", "one linear map per modality: a control"),
}

FUSIONS = {
    "spf": Entry(
        "css.fusion:SynergisticPolynomialFusion",
        "Synergistic Polynomial Fusion: a rank-r polynomial interaction of order p",
        {
            "rank": Option(16, 1),
            "order": Option(3, 1),
            "shared": Option(False),
            "gates": Option(True),
            "anchor": Option(True),
            "signed_sqrt": Option(True),
        },
    ),
    "concat": Entry("baselines.concat:ConcatFusion", "concatenation and a two-layer perceptron"),
    "tensor": Entry(
        "baselines.tensor:TensorFusion",
        "Tensor Fusion Network: outer product of the modalities",
        {"width": Option(16, 1)},
    ),
    "linear": Entry("baselines.linear:LinearFusion", "concatenation and one linear map: a control"),
}

AGGREGATORS = {
    "equal": Entry("baselines.equal:EqualWeights", "the mean of the objectives: plain Adam, one backward pass"),
    "pgm": Entry(
        "css.modulator:ParetoGradientModulator", "Pareto Gradient Modulator: min-norm point of unit gradients"
    ),
    "pcgrad": Entry("baselines.pcgrad:PCGrad", "PCGrad: projects conflicting gradients, in random order"),
}

ALIASES = {"css": "spf+pgm", "adam": "spf+equal"}
"""Names that the general rules (a fusion alone: with ``equal``; an aggregator alone: with ``spf``) do not give."""

METHODS = ("css", "adam", "concat", "concat+pgm", "pcgrad", "tensor")
"""The comparison of the benchmark; its first four are a complete 2 × 2 of fusion and aggregator."""


def look_up(kind: str, name: str, known: Mapping[str, Any]) -> Any:
    """The entry of that name; raises UserError with the nearest known name and the whole list."""
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = f", did you mean {near[0]!r}?" if near else ""
    raise UserError(f"unknown {kind} {name!r}{hint or ';'} known: {', '.join(known)}")


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
