"""The figure of power: what more seeds could show, a line a comparison."""

from collections.abc import Callable

import numpy as np

from reports.evidence.evidence import Evidence
from reports.figures.drawing import Drawing, file_name, heading, in_numbers
from reports.figures.marks import mark, plot_dots
from reports.figures.style import MUTED, Palette, name_lines, new_figure
from reports.inference.contrasts import Contrast, Inference
from reports.statistics.power import TARGET, attained_level, equivalence_power, power

LEAST = 40
"""The fewest seeds at which the axis ends."""


def power_plot(evidence: Evidence, inference: Inference, palette: Palette) -> Drawing | None:
    """Two panels, a difference of δ and equality within δ; None where no comparison has a spread of its own."""
    contrasts = [c for c in inference.of(evidence.comparison.dataset) if c.comparison is not None and _spread(c) > 0]
    if not contrasts:
        return None
    title = "What a number of seeds can show"
    figure = new_figure(9.6, 3.6, heading(evidence, title))
    panels = figure.subplots(1, 2, sharey=True)
    most = max(LEAST, *(2 * c.estimate.n for c in contrasts))
    grid = np.unique(np.geomspace(2, most, 28).round().astype(int)).tolist()
    ends, chances = [], {}
    for contrast in contrasts:
        style, n = palette.look(contrast.b), contrast.estimate.n
        for axes, (what, chance) in zip(panels, PANELS.items(), strict=True):
            values = [100 * chance(contrast, seeds) for seeds in grid]
            (line,) = axes.plot(grid, values, color=style.colour, linestyle=style.dash, linewidth=1.4)
            mark(line, contrast.label, contrast.b)
            now = 100 * chance(contrast, n)
            text = f"{contrast.label}, {n} seeds: {now:.0f} % {what}"
            plot_dots(axes, [n], [now], [text], contrast.b, color=style.colour, marker=style.marker, markersize=6)
        ends.append((contrast.label, values[-1], style))
        chances[contrast.label] = 100 * _sees(contrast, n)
    for axes, what in zip(panels, PANELS, strict=True):
        axes.axhline(100 * TARGET, color=MUTED, linewidth=1, linestyle=":")
        axes.set(title=f"chance {what}", xlabel="seeds", xlim=(0, most), ylim=(0, 103))
    panels[0].set_ylabel("chance, %")
    name_lines(figure, panels[1], ends)
    return Drawing(
        file_name(evidence, "power"),
        title,
        "From the spread over seeds and the margin δ, never from the difference that was seen. Left, the chance that "
        "a true difference of δ is seen; right, that two equal methods are shown equal. A mark stands at the seeds "
        "that there are; dotted, 80 %. Few seeds can reject nothing, whatever the difference.",
        in_numbers("Lines of chance against seeds. Chance to see a difference of δ now, in %", chances, 0),
        figure,
    )


def _spread(contrast: Contrast) -> float:
    return contrast.comparison.spread if contrast.comparison is not None and contrast.comparison.degrees > 0 else 0.0


def _sees(contrast: Contrast, seeds: int) -> float:
    assert contrast.comparison is not None
    level = min(contrast.level, attained_level(seeds))
    return power(contrast.margin, contrast.comparison.spread, seeds, level, contrast.comparison.group_degrees)


def _shows_equal(contrast: Contrast, seeds: int) -> float:
    assert contrast.comparison is not None
    degrees = contrast.comparison.group_degrees
    return equivalence_power(contrast.margin, contrast.comparison.spread, seeds, degrees=degrees)


PANELS: dict[str, Callable[[Contrast, int], float]] = {
    "to see a difference of δ": _sees,
    "to show equality within δ": _shows_equal,
}
