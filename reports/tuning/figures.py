"""The figures of one subject: where its trials lie in the space, and how good they are. Scores are of validation data.

To add a figure, write the function Subject -> Drawing | None and add it to `FIGURES`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from reports.figures.drawing import Drawing
from reports.figures.marks import mark, plot_dots
from reports.figures.style import BLUES, HEAT, INK, MUTED, PAPER, look, new_figure, text_on
from reports.statistics import Summary, summarize
from reports.text import counted
from reports.tuning.importance import importances
from reports.tuning.scales import in_words, label_ticks, marks_of, place_of
from reports.tuning.studies import Parameter, Trial
from reports.tuning.subjects import Subject, score, validation

CONTOUR_TRIALS = 20
CONTOURS = 3
SLICES = 9
COLUMNS = 3
WIDTH = 6.6  # inches, at least: the heading has to fit
UNITS = {"weighted_f1": ("validation weighted F1, %", 100.0), "volatility": ("loss volatility", 1.0),
         "seconds": ("training time, s", 1.0)}  # fmt: skip
F1, _ = UNITS["weighted_f1"]
_BEST, _PLAIN = look(3).colour, look(0).colour


def rank_order(subject: Subject) -> Drawing | None:
    """Mean, sd and n of the validation score by rank and order; None where not both were searched."""
    space = subject.first.space
    if not {"rank", "order"} <= set(space) or not subject.complete:
        return None
    bins = {name: _bins(subject, space[name]) for name in ("rank", "order")}
    values: dict[tuple[int, int], list[float]] = {}
    for trial in subject.complete:
        at = tuple(_bin_of(trial.params.get(name), bins[name]) for name in ("rank", "order"))
        if None not in at:
            values.setdefault(at, []).extend(run.validation for run in trial.runs)  # type: ignore[arg-type]
    cells = {at: summarize(100 * np.array(scores)) for at, scores in values.items()}
    columns, rows = len(bins["rank"]), len(bins["order"])
    title = "Validation F1 by rank and order"
    figure = new_figure(max(WIDTH, 1.9 + 0.92 * columns), 1.9 + 0.74 * rows, heading(subject, title))
    axes = figure.subplots()
    _draw_cells(axes, cells, columns, rows)
    default = tuple(_bin_of(subject.first.default.get(name), bins[name]) for name in ("rank", "order"))
    if None not in default:
        axes.add_patch(
            Rectangle(default, 1, 1, fill=False, edgecolor=_BEST, linewidth=3, zorder=4)  # type: ignore[arg-type]
        )
    axes.set_xticks(np.arange(columns) + 0.5, [_span(*ends) for ends in bins["rank"]])
    axes.set_yticks(np.arange(rows) + 0.5, [_span(*ends) for ends in bins["order"]])
    axes.set(xlabel="rank", ylabel="order", xlim=(-0.04, columns + 0.04), ylim=(-0.04, rows + 0.04))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    others = [p.name for p in subject.searched if p.name not in ("rank", "order")]
    best = max(cells, key=lambda at: cells[at].mean)
    place = f"rank {_span(*bins['rank'][best[0]])}, order {_span(*bins['order'][best[1]])}"
    return Drawing(
        file_name(subject, "rank-order"),
        title,
        "Mean ± sd of the validation weighted F1 in %, n runs, over the complete trials of a cell and their seeds"
        + (f"; {_listed(others)} {'differ' if len(others) > 1 else 'differs'} between trials too" if others else "")
        + f". Frame: the {subject.default_name}. Hatched: not visited, or nothing complete there. "
        "Which rank and order matter is tested on a fixed grid with common seeds (claim f), not here.",
        f"Cells of rank by order. The highest mean is {cells[best].mean:.1f} % at {place}.",
        figure,
    )


def _draw_cells(axes: Axes, cells: dict[tuple[int, int], Summary], columns: int, rows: int) -> None:
    means = [summary.mean for summary in cells.values()]
    scale = Normalize(min(means), max(means) if max(means) > min(means) else min(means) + 1)
    for column in range(columns):
        for row in range(rows):
            summary = cells.get((column, row))
            box = (column + 0.02, row + 0.02), 0.96, 0.96
            if summary is None:
                axes.add_patch(Rectangle(*box, facecolor="none", edgecolor=MUTED, hatch="////", linewidth=0, alpha=0.4))
                continue
            share = float(scale(summary.mean))
            spread = f"± {summary.sd:.1f}, " if summary.n > 1 else ""
            words = f"{summary.mean:.1f}", f"{spread}n {summary.n}"
            mark(axes.add_patch(Rectangle(*box, facecolor=BLUES(share), linewidth=0)), f"{words[0]} %, {words[1]}")
            style: dict[str, Any] = {"ha": "center", "va": "center", "color": text_on(BLUES(share))}
            axes.text(column + 0.5, row + 0.62, words[0], **style, fontsize=10.5)
            axes.text(column + 0.5, row + 0.28, words[1], **style, fontsize=7.5)


def importance(subject: Subject) -> Drawing | None:
    """Importance of every parameter by two estimates; None where there are too few trials."""
    by_method = importances(subject)
    if not by_method:
        return None
    names = sorted(next(iter(by_method.values())), key=lambda name: -sum(shares[name] for shares in by_method.values()))
    title = "Importance of parameters (exploratory)"
    figure = new_figure(7.6, 1.55 + 0.46 * len(names), heading(subject, title))
    axes = figure.subplots()
    height = 0.8 / len(by_method)
    for i, (method, shares) in enumerate(by_method.items()):
        at = np.arange(len(names)) + (i - (len(by_method) - 1) / 2) * height
        values = [100 * shares[name] for name in names]
        bars = axes.barh(at, values, height * 0.88, color=look(i).colour, label=method)
        for bar, name, y, value in zip(bars, names, at, values, strict=True):
            mark(bar, f"{method}: {name} {value:.1f} %")
            axes.text(value + 0.8, y, f"{value:.0f}", va="center", fontsize=8, color=MUTED)
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set(xlabel="share of importance, %", ylim=(len(names) - 0.5, -0.5), xlim=(0, 108))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower right")
    return Drawing(
        file_name(subject, "importance"),
        title,
        f"For the validation weighted F1, over {counted(len(subject.complete), 'complete trial')}. PED-ANOVA: for "
        "reaching the best tenth of the trials. fANOVA: for the variance over the space, by a random forest with a "
        "fixed seed. Both are estimates from trials that the sampler placed, without an error of their own: no test, "
        "no verdict.",
        "Bars, two a parameter: "
        + "; ".join(f"{m} {', '.join(f'{n} {100 * s[n]:.0f} %' for n in names)}" for m, s in by_method.items())
        + ".",
        figure,
    )


def slices(subject: Subject) -> Drawing | None:
    """The score against every parameter, a dot a trial; pruned trials apart."""
    if not subject.complete:
        return None
    shown = subject.searched[:SLICES]
    title = "Validation F1 against each parameter"
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = new_figure(max(WIDTH, 3.2 * columns), 1.1 + 2.5 * rows, heading(subject, title))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, parameter in zip(grid.flat, shown, strict=False):
        _slice(axes, subject, parameter)
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel(F1)
    pruned = sum(trial.state == "pruned" for trial in subject.trials)
    marks = ["Dots: complete trials, mean over their seeds; ring: " + subject.default_name]
    marks += ["filled ring: what the search chose"] if subject.best else ["filled ring: the Pareto front"]
    marks += [f"×: {pruned} pruned, mean over the seeds they got before, in no mean"] if pruned else []
    marks += [f"the first {SLICES} of {len(subject.searched)} parameters"] if len(subject.searched) > SLICES else []
    best = max(subject.complete, key=score)
    return Drawing(
        file_name(subject, "slices"),
        title,
        "; ".join(marks) + ". The other parameters differ between dots.",
        f"Dots of the score, a panel a parameter. The highest is {100 * score(best):.1f} % at {settings(best)}.",
        figure,
    )


def _slice(axes: Axes, subject: Subject, parameter: Parameter) -> None:
    def dots(trials: Sequence[Trial], marker: str, value: Callable[[Trial], float] = score, **style: Any) -> None:
        known = [t for t in trials if parameter.name in t.params]
        at = [place_of(parameter, t.params[parameter.name]) for t in known]
        titles = [f"trial {subject.called(t)}: {100 * value(t):.1f} % at {settings(t)}" for t in known]
        plot_dots(axes, at, [100 * value(t) for t in known], titles, marker=marker, **style)

    pruned = [t for t in subject.trials if t.state == "pruned" and t.runs]
    dots(pruned, "x", lambda t: validation(t).mean, color=MUTED, markersize=5, alpha=0.8)
    dots(subject.complete, "o", color=_PLAIN, markersize=4.5, alpha=0.6, markeredgewidth=0)
    if subject.default is not None:
        dots([subject.default], "o", color=INK, markersize=9, fillstyle="none")
    chosen = [subject.best] if subject.best else subject.front
    dots(chosen, "o", color=_BEST, markersize=6, markeredgecolor=INK, markeredgewidth=0.8)
    axes.set_xlabel(parameter.name)
    label_ticks(axes, "x", parameter)


def contours(subject: Subject) -> Drawing | None:
    """The score over pairs of continuous parameters, interpolated; None below 20 complete trials."""
    continuous = [p for p in subject.searched if p.continuous]
    if len(continuous) < 2 or len(subject.complete) < CONTOUR_TRIALS:
        return None
    shares = importances(subject).get("PED-ANOVA", {})
    continuous.sort(key=lambda p: -shares.get(p.name, 0.0))
    pairs = [pair for pair in combinations(continuous[:3], 2) if _spanned(subject, pair)][:CONTOURS]
    if not pairs:
        return None
    title = "Validation F1 over pairs of parameters"
    figure = new_figure(max(WIDTH, 3.2 * len(pairs) + 0.6), 3.9, heading(subject, title))
    panels = figure.subplots(1, len(pairs), squeeze=False)[0]
    scores = [100 * score(t) for t in subject.complete]
    levels = np.linspace(min(scores), max(scores), 9)
    for axes, (across, up) in zip(panels, pairs, strict=True):
        x, y, z = _surface(subject, across, up)
        titles = [f"{height:.1f} %" for height in z]
        filled = axes.tricontourf(x, y, z, levels=levels, cmap=BLUES)
        style: dict[str, Any] = {
            "marker": "o",
            "color": PAPER,
            "markeredgecolor": INK,
            "markersize": 3.5,
            "markeredgewidth": 0.7,
        }
        plot_dots(axes, x, y, titles, **style)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel=across.name, ylabel=up.name)
        label_ticks(axes, "x", across, unit=True)
        label_ticks(axes, "y", up, unit=True)
        axes.grid(visible=False)
    bar = figure.colorbar(filled, ax=list(panels), fraction=0.04, pad=0.02, format="%.1f")
    bar.set_label(F1)
    return Drawing(
        file_name(subject, "contours"),
        title,
        f"Linear interpolation between {counted(len(scores), 'complete trial')} (dots), nothing beyond them; the other "
        "parameters differ between dots, so small hills are noise."
        + (" The three most important by PED-ANOVA." if len(continuous) > 3 else ""),
        f"Filled contours from {min(scores):.1f} to {max(scores):.1f} %, a panel a pair: "
        + "; ".join(f"{a.name} and {b.name}" for a, b in pairs) + ".",
        figure,
    )  # fmt: skip


def _surface(subject: Subject, across: Parameter, up: Parameter) -> tuple[Any, Any, Any]:
    """Distinct points in the unit square and their mean score."""
    at: dict[tuple[float, float], list[float]] = {}
    for t in subject.complete:
        if all(p.name in t.params and p.holds(t.params[p.name]) for p in (across, up)):
            place = (across.position(t.params[across.name]), up.position(t.params[up.name]))
            at.setdefault(place, []).append(100 * score(t))
    x, y = (np.array([place[i] for place in at]) for i in (0, 1))
    return x, y, np.array([np.mean(scores) for scores in at.values()])


def _spanned(subject: Subject, pair: tuple[Parameter, Parameter]) -> bool:
    """Whether the points have an area: on a line there is nothing to triangulate."""
    x, y, _ = _surface(subject, *pair)
    return len(x) >= CONTOUR_TRIALS // 2 and int(np.linalg.matrix_rank(np.cov(x, y), tol=1e-6)) == 2


def parallel(subject: Subject) -> Drawing | None:
    """Every complete trial as a line over the parameters, coloured by its score."""
    shown = [p for p in subject.searched if all(p.name in t.params for t in subject.complete)]
    inside = [t for t in subject.complete if all(p.holds(t.params[p.name]) for p in shown)]
    if len(shown) < 2 or len(inside) < 2:
        return None
    title = "Complete trials over all parameters"
    figure = new_figure(max(WIDTH, 1.35 * (len(shown) + 1)), 4.1, heading(subject, title))
    axes = figure.subplots()
    scores = np.array([100 * score(t) for t in inside])
    low, high = float(scores.min()), float(scores.max())
    span = high - low or 1.0
    chosen = [subject.best] if subject.best else subject.front
    for i in np.argsort(scores, kind="stable"):
        trial, share = inside[i], (scores[i] - low) / span
        line = [p.position(trial.params[p.name]) for p in shown] + [share]
        bold = any(trial is t for t in chosen)
        (drawn,) = axes.plot(
            range(len(line)), line, color=INK if bold else HEAT(share), zorder=3 if bold else 2,
            linewidth=2.4 if bold else 1.1, alpha=1.0 if bold else 0.3 + 0.5 * share,
        )  # fmt: skip
        mark(drawn, f"trial {subject.called(trial)}: {scores[i]:.1f} % at {settings(trial)}")
    backed = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.8}  # lines pass behind the numbers
    for column, parameter in enumerate(shown):
        axes.axvline(column, color=MUTED, linewidth=1)
        for at, label in marks_of(parameter):
            axes.text(
                column - 0.035, at, label, ha="right", va="center", fontsize=7.5, color=INK, zorder=4, bbox=backed
            )
    axes.axvline(len(shown), color=MUTED, linewidth=1)
    for at in np.linspace(0, 1, 5):
        text = f"{low + at * span:.1f}"
        axes.text(len(shown) + 0.035, at, text, ha="left", va="center", fontsize=7.5, color=MUTED)
    axes.set(xlim=(-0.35, len(shown) + 0.3), ylim=(-0.04, 1.04), yticks=[])
    axes.set_xticks(range(len(shown) + 1), [*(p.name for p in shown), "F1, %"], color=INK, fontsize=9)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    best = max(inside, key=score)
    return Drawing(
        file_name(subject, "parallel"),
        title,
        f"A line a trial, from orange (low) over grey to blue (high) by its validation weighted F1. Bold: "
        f"{'what the search chose' if subject.best else 'the Pareto front'}.",
        f"{len(inside)} lines over {', '.join(p.name for p in shown)}. The highest score is {100 * score(best):.1f} % "
        f"at {settings(best)}.",
        figure,
    )


def front(subject: Subject) -> Drawing | None:
    """The score against each other goal, the Pareto front marked; None with one goal."""
    others = list(enumerate(subject.goals))[1:]
    if not others or not subject.complete:
        return None
    title = "Pareto front"
    figure = new_figure(max(WIDTH, 4.9 * len(others)), 4.1, heading(subject, title))
    panels = figure.subplots(1, len(others), sharey=True, squeeze=False)[0]
    for axes, (i, goal) in zip(panels, others, strict=True):
        unit, scale = UNITS.get(goal.name, (goal.name, 1.0))
        draw = partial(_trials, axes, subject, i, scale)
        draw(subject.complete, color=_PLAIN, markersize=4.5, alpha=0.55, markeredgewidth=0)
        if subject.default is not None:
            draw([subject.default], color=INK, markersize=9, fillstyle="none")
        places = draw(subject.front, color=_BEST, markersize=6, markeredgecolor=INK, markeredgewidth=0.8)
        if len(others) == 1:  # with more goals the front is no line in one panel
            axes.plot(*zip(*places, strict=True), color=_BEST, linewidth=1.2, alpha=0.7, drawstyle="steps-pre")
        for trial, at in zip(subject.front, places, strict=True):
            axes.annotate(subject.called(trial), at, (5, 4), textcoords="offset points", fontsize=7.5, color=MUTED)
        axes.set_xlabel(f"{unit} ({'higher' if goal.maximize else 'lower'} is better)")
    panels[0].set_ylabel(F1)
    return Drawing(
        file_name(subject, "front"),
        title,
        f"Dots: {counted(len(subject.complete), 'complete trial')}, means over their seeds. Filled rings, with their "
        f"numbers: the {len(subject.front)} that no other trial beats in every goal. Ring: {subject.default_name}.",
        "Dots of the validation score against the other goals. On the front: "
        + "; ".join(f"trial {subject.called(t)}, {100 * score(t):.1f} %" for t in subject.front) + ".",
        figure,
    )  # fmt: skip


def _trials(
    axes: Axes, subject: Subject, goal: int, scale: float, trials: Sequence[Trial], **style: Any
) -> list[tuple[float, float]]:
    """Draw trials by a goal and their score; returns where they are."""
    valued = {subject.called(t): (scale * t.values[goal], 100 * score(t)) for t in trials if t.values}
    titles = [f"trial {name}: {f1:.1f} %, {value:.3g}" for name, (value, f1) in valued.items()]
    places = list(valued.values())
    plot_dots(axes, [x for x, _ in places], [y for _, y in places], titles, marker="o", **style)
    return places


FIGURES: tuple[Callable[[Subject], Drawing | None], ...] = (
    rank_order, front, importance, slices, contours, parallel,
)  # fmt: skip


def heading(subject: Subject, title: str) -> str:
    """A figure's title with the search and the data that it shows."""
    return f"{title}\n{subject.name}\n{subject.data}"


def file_name(subject: Subject, kind: str) -> str:
    """`tuning_<kind>_<study>`."""
    return f"tuning_{kind}_{subject.slug}"


def settings(trial: Trial) -> str:
    """A trial's parameters in words."""
    return ", ".join(f"{name} {in_words(value)}" for name, value in trial.params.items())


def _bins(subject: Subject, parameter: Parameter) -> list[tuple[float, float]]:
    """The values as (low, high): every one where there are few, powers of two where a wide range was searched."""
    default = subject.first.default.get(parameter.name)
    if parameter.kind == "categorical" or subject.first.sampler == "grid":
        visited = {t.params[parameter.name] for t in subject.trials if parameter.name in t.params}
        return [(v, v) for v in sorted({*visited, *parameter.choices, *([] if default is None else [default])})]
    if not parameter.continuous:
        return [(v, v) for v in range(int(parameter.low), int(parameter.high) + 1)]
    ends = [parameter.low, parameter.high, *([] if default is None else [default])]
    powers = range(int(np.floor(np.log2(max(1, min(ends))))), int(np.floor(np.log2(max(ends)))) + 1)
    return [(max(2**k, min(ends)), min(2 ** (k + 1) - 1, max(ends))) for k in powers]


def _bin_of(value: Any, bins: Sequence[tuple[float, float]]) -> int | None:
    if value is None:
        return None
    return next((i for i, (low, high) in enumerate(bins) if low <= value < high + 1), None)


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
