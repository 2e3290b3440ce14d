"""The path of the objectives' weights through their simplex."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from reports.evidence.evidence import Evidence
from reports.figures.drawing import Drawing, file_name, heading
from reports.figures.marks import mark, plot_dots
from reports.figures.style import INK, MUTED, PAPER, Look, Palette, new_figure
from reports.measures.runs import WEIGHTS
from reports.reading.runs import OBJECTIVES

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]])
VARIES = 1e-6
"""Weights that move by less are constant."""


def ternary(evidence: Evidence, palette: Palette) -> Drawing | None:
    """From the first epoch to the last, a path a method whose weights vary; None where none does."""
    by_method = evidence.weights.groupby(["method", "epoch"])[WEIGHTS].mean()
    weighed = by_method.index.unique("method")  # a method may have skipped every step
    labels = [m.label for m in evidence.comparison.methods if m.label in weighed]
    paths = {label: by_method.loc[label].to_numpy(dtype=float) for label in labels}
    paths = {label: path for label, path in paths.items() if np.ptp(path, axis=0).max() > VARIES}
    if not paths:
        return None
    title = "Weights of the objectives, from the first epoch to the last"
    figure = new_figure(6.6, 5.2, heading(evidence, title, "\n"))
    axes = figure.subplots()
    _frame(axes)
    words = []
    for row, (label, path) in enumerate(paths.items()):
        _path(axes, label, path, palette.look(label))
        _entry(axes, label, palette.look(label), 1.0 - 0.06 * row)
        start, end = (", ".join(f"{value:.2f}" for value in path[at]) for at in (0, -1))
        words.append(f"{label} from ({start}) to ({end})")
    return Drawing(
        file_name(evidence, "ternary"),
        title,
        "Mean over seeds and an epoch's steps. A corner is all the weight on one objective, the cross equal weights. "
        "Hollow: the first epoch; filled: the last. Weights below 0 or of another sum lie outside of the triangle.",
        f"Paths of the weights of {', '.join(OBJECTIVES)}: {'; '.join(words)}.",
        figure,
    )


def _frame(axes: Axes) -> None:
    """The triangle, its corners by name, and the point of equal weights."""
    outline = np.vstack([CORNERS, CORNERS[:1]])
    axes.plot(*outline.T, color=MUTED, linewidth=1)
    axes.plot(*CORNERS.mean(axis=0), "+", color=INK, markersize=9)
    for name, (x, y), place in zip(OBJECTIVES, CORNERS, ("top", "top", "bottom"), strict=True):
        axes.annotate(
            name, (x, y), xytext=(0, 6 if place == "bottom" else -6), textcoords="offset points",
            ha="center", va=place, color=INK, fontsize=9,
        )  # fmt: skip
    axes.set(aspect="equal", xlim=(-0.15, 1.15), ylim=(-0.12, 1.0))
    axes.set_axis_off()


def _path(axes: Axes, label: str, path: Float[np.ndarray, "epochs 3"], look: Look) -> None:
    points = path @ CORNERS
    (line,) = axes.plot(*points.T, color=look.colour, linestyle=look.dash, linewidth=1.4)
    mark(line, label, label)
    for at, name in ((0, "first"), (-1, "last")):
        weights = ", ".join(f"{o} {w:.2f}" for o, w in zip(OBJECTIVES, path[at], strict=True))
        face = PAPER if at == 0 else look.colour
        plot_dots(
            axes, [points[at, 0]], [points[at, 1]], [f"{label}, {name} epoch: {weights}"], label,
            marker=look.marker, markersize=7, markerfacecolor=face, markeredgecolor=look.colour,
        )  # fmt: skip


def _entry(axes: Axes, label: str, look: Look, height: float) -> None:
    """A line of the legend, at the upper left, where no path is."""
    (piece,) = axes.plot(
        [0.02, 0.09], [height] * 2, color=look.colour, linestyle=look.dash, marker=look.marker, markersize=5,
        transform=axes.transAxes,
    )  # fmt: skip
    text = axes.text(0.11, height, label, transform=axes.transAxes, va="center", color=INK, fontsize=8.5)
    for artist in (piece, text):
        mark(artist, method=label)
