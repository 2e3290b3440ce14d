"""The forest plot: every difference that the answer rests on, with its interval, the margin and its verdict."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from reports.evidence.evidence import Evidence
from reports.figures.drawing import Drawing
from reports.figures.marks import mark
from reports.figures.style import HUES, INK, MUTED, new_figure
from reports.inference.answer import BETTER, EQUAL, SMALL, WORSE, outcome_of
from reports.inference.contrasts import Contrast, Inference
from reports.statistics.effects import Interval
from reports.statistics.verdicts import signed

_COLOURS = {BETTER: HUES[0][0], WORSE: HUES[1][0], EQUAL: HUES[2][0], SMALL: HUES[2][0]}
ROWS = 24
WIDEST = 2.5
"""Times the naive interval to which the axis follows one over all looks."""


def forest_plot(evidence: Sequence[Evidence], inference: Inference) -> Drawing | None:
    """A panel a data set, a row a contrast; None where there is no estimate at all."""
    panels = [(e, shown) for e in evidence if (shown := _shown(inference, e.comparison.dataset))]
    if not panels:
        return None
    title = "Differences in weighted F1" + (
        " — SIMULATED DATA" if all(e.comparison.data_origin.simulated for e, _ in panels) else ""
    )
    heights = [len(shown) + 2.2 for _, shown in panels]
    figure = new_figure(9.6, 0.4 + 0.31 * sum(heights), title)
    subplots = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (of_set, shown) in zip(subplots, panels, strict=True):
        _panel(axes, of_set.comparison.data_origin.short, shown)
    subplots[-1].set_xlabel("points of weighted F1, first method minus second")
    words = "; ".join(
        f"{e.comparison.dataset}: " + ", ".join(f"{c.label} {_estimate(c)} {c.verdict}" for c in shown)
        for e, shown in panels
    )
    return Drawing(
        "forest",
        title,
        "Dot: mean difference over seeds; bar: its 95 % interval, or where seeds were made until it was decided the "
        "interval over all looks; shaded: ±δ, the margin below which a difference does not matter. ▲ better, ▼ worse, "
        "= shown equal, ≈ different but within the margin, ? undecided, – not testable.",
        f"A dot with its interval for every difference. {words}.",
        figure,
    )


def _shown(inference: Inference, dataset: str) -> list[Contrast]:
    contrasts = [c for c in inference.of(dataset) if not c.missing]
    return ([c for c in contrasts if not c.remark] or contrasts)[:ROWS]


def _panel(axes: Axes, data: str, shown: Sequence[Contrast]) -> None:
    margin = shown[0].margin
    axes.axvspan(-margin, margin, color=MUTED, alpha=0.12, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=1)
    limits = [abs(limit) for c in shown for limit in c.estimate.interval if math.isfinite(limit)]
    reach = WIDEST * max([margin, *limits, *(abs(c.estimate.mean) for c in shown)])
    extent = margin
    for row, contrast in enumerate(shown):
        colour = _COLOURS.get(outcome_of(contrast), INK)
        low, high = _interval(contrast)
        extent = max(extent, *(min(abs(x), reach) for x in (low, high, contrast.estimate.mean) if math.isfinite(x)))
        (bar,) = axes.plot([low, high], [row, row], color=colour, linewidth=2.4, alpha=0.5, solid_capstyle="butt")
        (dot,) = axes.plot(contrast.estimate.mean, row, "o", color=colour, markersize=6)
        mark(dot, f"{contrast.label}: {_estimate(contrast)} points")
        if math.isfinite(low):
            mark(bar, f"{contrast.label}: 95 % interval {signed(low)} to {signed(high)} points")
    axes.set(yticks=range(len(shown)), ylim=(len(shown) - 0.4, -0.6), xlim=(-1.08 * extent, 1.08 * extent))
    axes.set_yticklabels([c.label for c in shown], color=INK, fontsize=9)
    axes.set_title(data)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    verdicts = axes.secondary_yaxis("right")
    verdicts.set_yticks(range(len(shown)))
    verdicts.set_yticklabels(
        [f"{_estimate(c)}  {c.judgement.verdict.icon} {c.verdict}" for c in shown], color=INK, fontsize=8.5
    )
    verdicts.tick_params(axis="y", length=0)
    verdicts.spines["right"].set_visible(False)


def _estimate(contrast: Contrast) -> str:
    return signed(contrast.estimate.mean)


def _interval(contrast: Contrast) -> Interval:
    """The interval that sentences quote; before there is one over all looks, the naive one."""
    interval = contrast.interval
    return interval if math.isfinite(interval.low) else contrast.estimate.interval
