"""Lines over training: means over seeds, their bands, and what they say on hover."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

from reports.figures.marks import mark, plot_dots
from reports.figures.style import Look

HOVER_POINTS = 24


def band(axes: Axes, rows: pd.DataFrame, columns: tuple[str, str], look: Look, *, name: str, method: str) -> float:
    """Mean over seeds and ± 1 sd, at the times that every seed reached; returns the mean's last value.

    `columns`: time, and what is drawn. `name`: what the line is called on hover.
    """
    time, column = columns
    times, row, seeds_there = np.unique(rows[time], return_inverse=True, return_counts=True)
    seeds, place = np.unique(rows["seed"], return_inverse=True)
    table = np.full((len(times), len(seeds)), np.nan)
    table[row, place] = rows[column]
    reached = seeds_there == len(seeds)  # a seed is at a time once, or not at all
    at, values = times[reached].astype(float), table[reached]
    values = np.where(np.isfinite(values), values, np.nan)
    mean = values.mean(axis=1)  # NaN where a seed has none: a mean over fewer seeds would jump
    known = np.flatnonzero(np.isfinite(mean))
    if not len(known):
        return float("nan")
    first, last = (f"{mean[i]:.3g} at {time} {at[i]:g}" for i in known[[0, -1]])
    (line,) = axes.plot(at, mean, color=look.colour, linestyle=look.dash, **look.markers(len(at)))
    mark(line, f"{name}: {first}, {last}; mean over seeds", method)
    _say_values(axes, at[known], mean[known], f"{name} at {time}", method)
    if values.shape[1] > 1:
        sd = values.std(axis=1, ddof=1)
        shade = axes.fill_between(at, mean - sd, mean + sd, color=look.colour, alpha=0.13, linewidth=0)
        mark(shade, f"{name}: mean ± 1 sd over seeds", method)
    return float(mean[known[-1]])


def _say_values(
    axes: Axes, at: Float[np.ndarray, " times"], mean: Float[np.ndarray, " times"], name: str, method: str
) -> None:
    """Have a line say its values on hover, at HOVER_POINTS of its times or a few less, by dots that nobody sees."""
    every = slice(None, None, -(-len(at) // HOVER_POINTS))
    titles = [f"{name} {time:g}: {value:.3g}" for time, value in zip(at[every], mean[every], strict=True)]
    plot_dots(axes, at[every].tolist(), mean[every].tolist(), titles, method, marker="o", markersize=8, alpha=0)
