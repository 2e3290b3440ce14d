"""Figures of what searching costs and buys: one search by its budget, and methods under the same budget."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.figures.drawing import Drawing
from reports.figures.marks import mark
from reports.figures.style import MUTED, Look, Palette, look, name_lines, new_figure
from reports.tuning.budgets import FairComparison, course
from reports.tuning.figures import file_name, heading
from reports.tuning.subjects import Subject, score

HOUR = 3600.0


def budget(subject: Subject) -> Drawing | None:
    """Best validation score so far, and the test score of the same trial, by trials, epochs and time."""
    if not subject.complete:
        return None
    courses = [course(subject, study) for study in subject.studies]
    hours = max(steps[-1].spent.seconds for steps in courses if steps) > 2 * HOUR
    axis: dict[str, tuple[str, float]] = {
        "trials": ("trials", 1.0),
        "epochs": ("epochs", 1.0),
        "seconds": ("training time, h", HOUR) if hours else ("training time, s", 1.0),
    }
    title = "Best setting so far by budget"
    figure = new_figure(9.6, 3.8, heading(subject, title))
    panels: Sequence[Axes] = figure.subplots(1, 3, sharey=True)
    ends: dict[str, list[float]] = {"validation": [], "test": []}
    for axes, (name, (label, unit)) in zip(panels, axis.items(), strict=True):
        for steps in courses:
            at = [getattr(step.spent, name) / unit for step in steps]
            for i, what in enumerate(ends):
                values = [100 * getattr(step, what) for step in steps]
                style: dict[str, Any] = {"color": look(i).colour, "linestyle": look(i).dash, "drawstyle": "steps-post"}
                (line,) = axes.plot(at, values, **style, alpha=1.0 if len(courses) == 1 else 0.75)
                if values:
                    mark(line, f"{what}: {values[-1]:.1f} % after {at[-1]:.4g} {label}")
                if name == "trials" and np.isfinite(values[-1:]).all():
                    ends[what] += values[-1:]
        if subject.default is not None:
            drawn = axes.axhline(100 * score(subject.default), color=MUTED, linewidth=1, linestyle=":")
            mark(drawn, f"{subject.default_name}: validation {100 * score(subject.default):.1f} %")
        axes.set(xlabel=label)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    panels[0].set_ylabel("weighted F1, %")
    last = {what: float(np.mean(values)) for what, values in ends.items() if values}
    name_lines(figure, panels[-1], [(what, y, look(list(ends).index(what))) for what, y in last.items()])
    return Drawing(
        file_name(subject, "budget"),
        title,
        "Solid: the highest validation score so far, mean over the tuning seeds, which only rises because it is chosen "
        "for being high. Dashed: test score of that same trial, which the search never saw. Dotted: validation score "
        f"of the {subject.default_name}. Pruned and failed trials count in every budget."
        + (f" {len(courses)} independent studies." if len(courses) > 1 else ""),
        "Steps by trials, epochs and time. At the end: " + _ends(last) + " %.",
        figure,
    )


def fair(t: FairComparison, palette: Palette) -> Drawing:
    """Expected best of k trials by k: validation, and the test score of the trial so chosen; a line a method."""
    title = "Expected score of the best of k trials"
    subject = t.group.subjects[0]
    figure = new_figure(9.6, 4.1, f"{title}: {t.group.name}\n{subject.data}")
    panels: Sequence[Axes] = figure.subplots(1, 2)
    ends: list[tuple[str, float, Look]] = []
    for axes, (where, index) in zip(panels, (("validation", 0), ("test", 1)), strict=True):
        ends = []
        for curves in t.methods:
            rows = 100 * getattr(curves, where)
            at = np.arange(1, rows.shape[1] + 1)
            label, style = curves.label, palette.look(curves.label)
            mean = rows.mean(axis=0)
            (line,) = axes.plot(at, mean, color=style.colour, linestyle=style.dash, **style.markers(len(at)))
            mark(line, f"{label}: {mean[0]:.1f} % at k = 1, {mean[-1]:.1f} % at k = {at[-1]}", label)
            if len(rows) > 1:
                band = axes.fill_between(
                    at, rows.min(axis=0), rows.max(axis=0), color=style.colour, alpha=0.13, linewidth=0
                )
                mark(band, f"{label}: smallest to largest study", label)
            default = axes.axhline(100 * curves.default[index], color=style.colour, linewidth=1, linestyle=(0, (1, 3)))
            mark(default, f"{label}: {100 * curves.default[index]:.1f} % with the default setting", label)
            if np.isfinite(mean[-1]):
                ends.append((label, float(mean[-1]), style))
        axes.set(xlabel="k, drawn trials", xlim=(1, max(2, t.n)))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    panels[0].set(title="validation: what chooses", ylabel="weighted F1, %")
    panels[1].set(title="test, of the trial so chosen: not used by the search")
    name_lines(figure, panels[1], ends, methods=True)
    return Drawing(
        f"tuning_{t.group.slug}",
        title,
        "Expectation over all ways to draw k of a study's n complete trials without replacement; exact for random "
        "search, a description for quasi-random points. Lines: mean over studies; bands: smallest to largest study; "
        "thin and dotted: the default setting. At k = n a study's curve is its single best trial.",
        f"Lines by number of trials. Expected test score at k = {t.n}: " + _ends({e[0]: e[1] for e in ends}) + " %.",
        figure,
    )


def _ends(numbers: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in numbers.items())
