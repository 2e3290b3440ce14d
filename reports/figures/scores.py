"""The figure of scores: every seed of every method, beside what needs no network."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.evidence.evidence import Evidence
from reports.figures.drawing import Drawing, file_name, heading, in_numbers
from reports.figures.marks import mark, plot_dots
from reports.figures.style import INK, MUTED, PAPER, Look, Palette, new_figure
from reports.statistics import Summary, summarize

LEAST_SPAN = 2.0
"""The fewest points of weighted F1 that the axis shows, so that no difference looks larger than it is."""
REFERENCES = {
    "majority": ("-.", "dash-dotted, always the most frequent class"),
    "logistic": (":", "dotted, a logistic regression on single utterances"),
    "ceiling": ("--", "dashed, what no model exceeds on this test set"),
}


def scores(evidence: Evidence, palette: Palette) -> Drawing | None:
    """Every seed's test score, selected and at the best test epoch; None where no epoch was selected."""
    if not evidence.comparison.validated:
        return None
    title = "Weighted F1 on the test set, every seed"
    imported = [method.label for method in evidence.comparison.imported]
    labels = [*(method.label for method in evidence.comparison.methods), *imported]
    figure = new_figure(9.6, 1.45 + 0.52 * len(labels), heading(evidence, title))
    axes = figure.subplots()
    means: dict[str, float] = {}
    dots: list[float] = []
    bars: list[float] = []
    for row, label in enumerate(labels):
        if label in imported:
            theirs, peak = (_percent(evidence, label, f"{name}_weighted_f1") for name in ("imported", "peak_test"))
            _draw_imported(axes, row, label, theirs, peak)
            means[label] = float(theirs.mean())
            dots += [*theirs, *peak]
            continue
        selected, peak = (_percent(evidence, label, f"{name}_weighted_f1") for name in ("selected", "peak_test"))
        summary = summarize(selected.to_numpy(), evidence.groups(label, selected.index))
        _draw_mean(axes, row - 0.13, label, palette.look(label), summary)
        _draw_seeds(axes, row, label, palette.look(label), selected, peak)
        means[label] = summary.mean
        dots += [*selected, *peak]
        bars += [summary.low, summary.high]
    axes.set(xlabel="weighted F1, %", yticks=range(len(labels)), ylim=(len(labels) - 0.45, -0.55))
    axes.set_yticklabels(labels, color=INK, fontsize=9)
    for text, label in zip(axes.get_yticklabels(), labels, strict=True):
        mark(text, method=label)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(_limits(dots, bars))
    references = _references(evidence)
    _draw_references(axes, references)
    described = "; ".join(f"{name}, {REFERENCES[name][1]}" for name in references)
    return Drawing(
        file_name(evidence, "scores"),
        title,
        "Filled: at the epoch selected on validation, the result; tick: their mean; bar: its 95 % CI, cut at the edge "
        "of the axis. Hollow: at the best test epoch, which is never a result."
        + (
            " Diamonds: imported, at whatever epoch they have; of whole runs at the one that validation selects, "
            "hollow at the best test epoch."
            if imported
            else ""
        )
        + (f" For reference, at the edge where the axis ends before it: {described}." if references else ""),
        in_numbers("Dots, one a seed, in a row a method. Mean selected weighted F1 in %", means, 1)
        + (in_numbers(" For reference", references, 1) if references else ""),
        figure,
    )


def _percent(evidence: Evidence, label: str, measure: str) -> pd.Series:
    return 100 * evidence.values(label, measure).astype(float)


def _draw_mean(axes: Axes, at: float, label: str, look: Look, summary: Summary) -> None:
    if math.isfinite(summary.low):
        (bar,) = axes.plot(
            [summary.low, summary.high], [at] * 2, color=look.colour, linewidth=6, alpha=0.25, solid_capstyle="butt"
        )
        mark(bar, f"{label}: 95 % CI of the mean, {summary.low:.1f} to {summary.high:.1f} %", label)
    if math.isfinite(summary.mean):
        (tick,) = axes.plot(summary.mean, at, "|", color=look.colour, markersize=15, markeredgewidth=2.2)
        mark(tick, f"{label}: mean over seeds, {summary.mean:.1f} %", label)


def _draw_seeds(axes: Axes, row: int, label: str, look: Look, selected: pd.Series, peak: pd.Series) -> None:
    jitter = np.linspace(-0.07, 0.07, len(selected)) if len(selected) > 1 else np.zeros(1)
    shape = {"marker": look.marker, "color": look.colour, "markersize": look.size + 1.5, "markeredgewidth": 1}
    names = [f"{label}, seed {seed}" for seed in selected.index]
    titles = [f"{name}: {score:.1f} %" for name, score in zip(names, selected, strict=True)]
    plot_dots(axes, list(selected), list(row - 0.13 + jitter), titles, method=label, **shape)
    titles = [f"{name}: {score:.1f} % at the best test epoch" for name, score in zip(names, peak, strict=True)]
    plot_dots(axes, list(peak), list(row + 0.22 + jitter), titles, method=label, **shape, markerfacecolor=PAPER)


def _draw_imported(axes: Axes, row: int, label: str, theirs: pd.Series, peak: pd.Series) -> None:
    titles = [f"{label}, run {run}: {score:.1f} %" for run, score in theirs.items()]
    shape = {"marker": "D", "color": MUTED, "markersize": 5}
    plot_dots(axes, list(theirs), [row] * len(theirs), titles, method=label, **shape, markeredgewidth=0)
    best = peak.dropna()  # of those that came whole
    titles = [f"{label}, run {run}: {score:.1f} % at the best test epoch" for run, score in best.items()]
    if len(best):
        plot_dots(axes, list(best), [row + 0.22] * len(best), titles, method=label, **shape, markerfacecolor=PAPER)


def _limits(dots: Sequence[float], bars: Sequence[float]) -> tuple[float, float]:
    """All dots, and of the bars at most half of what dots span to each side: one of two seeds is many times as long."""
    scores, ends = ([x for x in values if math.isfinite(x)] for values in (dots, bars))
    if not scores:
        return 0.0, 100.0
    missing = max(0.0, LEAST_SPAN - (max(scores) - min(scores))) / 2
    low, high = min(scores) - missing, max(scores) + missing
    reach = (high - low) / 2
    left, right = max(min([low, *ends]), low - reach), min(max([high, *ends]), high + reach)
    return max(left - 0.08 * reach, 0.0), min(right + 0.08 * reach, 100.0)


def _references(evidence: Evidence) -> dict[str, float]:
    """What the majority class, a logistic regression and the best possible model reach, in %, as far as known."""
    run = evidence.comparison.first
    known = {each["name"]: 100 * each["weighted_f1"] for each in reversed(run.references)}  # the first of a name stays
    if run.ceiling is not None:
        known["ceiling"] = 100 * run.ceiling["test_weighted_f1"]
    return {name: float(known[name]) for name in REFERENCES if name in known}


def _draw_references(axes: Axes, references: Mapping[str, float]) -> None:
    """A line with its name above the axes for each; beyond the axis, its name and value at the edge."""
    left, right = axes.get_xlim()
    below = [f"{name} {value:.1f}" for name, value in references.items() if value < left]
    above = [f"{name} {value:.1f}" for name, value in references.items() if value > right]
    _write_above(axes, 0.0, 0, "left", f"← {', '.join(below)}" if below else "")
    _write_above(axes, 1.0, 0, "right", f"{', '.join(above)} →" if above else "")
    inside = {name: value for name, value in references.items() if left <= value <= right}
    for line, (name, value) in enumerate(inside.items(), start=bool(below or above)):
        drawn = axes.axvline(value, color=MUTED, linewidth=1, linestyle=REFERENCES[name][0])
        mark(drawn, f"{name}: {value:.1f} %")
        _write_above(axes, (value - left) / (right - left), line, "center", f"{name} {value:.1f}")


def _write_above(axes: Axes, at: float, line: int, alignment: str, text: str) -> None:
    if text:
        axes.annotate(
            text, (at, 1.0), xycoords="axes fraction", xytext=(0, 3 + 10 * line), textcoords="offset points",
            ha=alignment, va="bottom", color=MUTED, fontsize=8,
        )  # fmt: skip
