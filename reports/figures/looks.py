"""The figure of looks: |t| of every followed comparison against the boundary, by seeds."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import ScalarFormatter

from reports.evidence.evidence import Evidence
from reports.figures.drawing import Drawing, file_name, heading
from reports.figures.marks import mark, plot_dots
from reports.figures.style import INK, MUTED, Palette, new_figure
from reports.inference.contrasts import Contrast, Inference
from reports.statistics.sequential import Decision
from reports.tables.looks import WORDS

PANELS = 12
COLUMNS = 3
MARKERS = {Decision.REJECTED: "*", Decision.SHOWN_EQUAL: "s", Decision.FUTILE: "X"}


def looks_plot(evidence: Evidence, inference: Inference, palette: Palette) -> Drawing | None:
    """A panel a comparison; None where the number of seeds was fixed, or no look was taken."""
    followed = [
        contrast
        for contrast in inference.of(evidence.comparison.dataset)
        if contrast.followed is not None and contrast.followed.last.seeds
    ][:PANELS]
    if not followed:
        return None
    title = "How the comparisons were decided"
    rows = math.ceil(len(followed) / COLUMNS)
    figure = new_figure(9.6, 0.7 + 2.3 * rows, heading(evidence, title))
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True).ravel()
    for axes, contrast in zip(panels, followed, strict=False):
        _panel(axes, contrast, palette)
    for axes in panels[len(followed) :]:
        axes.set_visible(False)
    for axes in panels[::COLUMNS]:
        axes.set_ylabel("|t|")
    for axes in panels[max(0, len(followed) - COLUMNS) : len(followed)]:
        axes.set_xlabel("seeds")
        axes.tick_params(labelbottom=True)
    return Drawing(
        file_name(evidence, "looks"),
        title,
        "Line: |t| of the paired difference at each look, on a logarithmic scale above 1; dashes: the boundary there, "
        "missing where so few seeds can reject nothing. Star: different; square: shown equal; cross: stopped, for more "
        "seeds would hardly help.",
        "Lines of |t| by seeds with the boundary of each look. " + "; ".join(map(_in_words, followed)) + ".",
        figure,
    )


def _panel(axes: Axes, contrast: Contrast, palette: Palette) -> None:
    followed = contrast.followed
    assert followed is not None
    path = [standing for standing in followed.path if standing.seeds and math.isfinite(standing.t)]
    seeds, sizes = [s.seeds for s in path], [abs(s.t) for s in path]
    bounds = [(s.seeds, s.boundary) for s in path if math.isfinite(s.boundary)]
    colour = palette.look(contrast.b).colour
    titles = [f"{contrast.label}, {n} seeds: |t| {size:.2f}" for n, size in zip(seeds, sizes, strict=True)]
    plot_dots(axes, seeds, sizes, titles, color=colour, marker="o", linestyle="-", markersize=4)
    titles = [f"{contrast.label}, {n} seeds: boundary {bound:.2f}" for n, bound in bounds]
    look: dict[str, Any] = {"color": MUTED, "marker": "_", "linestyle": "--", "markersize": 12, "linewidth": 1}
    plot_dots(axes, [n for n, _ in bounds], [bound for _, bound in bounds], titles, **look)
    if followed.last.decision in MARKERS and path:
        (star,) = axes.plot(seeds[-1], sizes[-1], MARKERS[followed.last.decision], color=colour, markersize=9)
        mark(star, _in_words(contrast))
    axes.set_xlim(0, followed.design.looks[-1] + 1)
    axes.set_xticks(followed.design.looks)
    axes.set_yscale("symlog", linthresh=1)  # boundaries of few seeds are many times those of all
    axes.set_ylim(-0.2, 2 * max([*sizes, *(c for _, c in bounds), 1.0]))
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.set_title(contrast.label, fontsize=9, color=INK)


def _in_words(contrast: Contrast) -> str:
    assert contrast.followed is not None
    last = contrast.followed.last
    return f"{contrast.label}: |t| {abs(last.t):.2f} at {last.seeds} seeds, {WORDS[last.decision]}"
