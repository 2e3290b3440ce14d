"""A parameter along an axis: where its values lie, and what is written there."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from reports.tuning.studies import Parameter


def in_words(value: Any) -> str:
    """A parameter's value as people write it."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def place_of(parameter: Parameter, value: Any) -> float:
    """Where a value lies on an axis in the parameter's own values."""
    return float(parameter.choices.index(value)) if parameter.kind == "categorical" else float(value)


def marks_of(parameter: Parameter) -> list[tuple[float, str]]:
    """Positions between 0 and 1 along the range, and what to write there."""
    if parameter.kind == "categorical":
        return [(parameter.position(choice), in_words(choice)) for choice in parameter.choices]
    if parameter.low == parameter.high:
        return [(0.5, in_words(parameter.low))]
    if parameter.kind == "int" and parameter.high - parameter.low <= 6:
        return [(parameter.position(v), str(v)) for v in range(int(parameter.low), int(parameter.high) + 1)]
    values = (np.geomspace if parameter.log else np.linspace)(parameter.low, parameter.high, 4)
    rounded = [round(v) for v in values] if parameter.kind == "int" else [float(f"{v:.2g}") for v in values]
    inside = [min(max(v, parameter.low), parameter.high) for v in rounded]
    return [(parameter.position(v), f"{v:.3g}") for v in inside]


def label_ticks(axes: Axes, side: str, parameter: Parameter, unit: bool = False) -> None:
    """Label an axis in the parameter's own values; `unit`: the axis holds positions from 0 to 1."""
    which = axes.xaxis if side == "x" else axes.yaxis
    if parameter.kind == "categorical" and not unit:
        which.set_ticks(range(len(parameter.choices)), [in_words(choice) for choice in parameter.choices])
        axes.set_xlim(-0.5, len(parameter.choices) - 0.5)
        return
    marks = marks_of(parameter)
    if unit:
        which.set_ticks([at for at, _ in marks], [text for _, text in marks])
        return
    if parameter.log:
        axes.set_xscale("log")
    which.set_ticks([float(text) for _, text in marks], [text for _, text in marks])
    which.set_ticks([], minor=True)
