"""The figures of one comparison. Every one shows runs or means over runs, and names its data in its title.

To add a figure, write the function (Evidence, Palette) -> Drawing and add it to `FIGURES`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.evidence.evidence import Evidence
from reports.figures.style import BLUES, DASHES, HUES, INK, MUTED, PAPER, Palette, name_lines, new_figure
from reports.measures.runs import WEIGHTS
from reports.reading.runs import OBJECTIVES, PAIRS
from reports.statistics import summarize
from reports.text import slug

WEIGHT_PANELS = 6
PROBE_POINTS = 30
_OBJECTIVE_HUES = (7, 4, 5)  # the last ones: methods take theirs from the front


@dataclass(frozen=True)
class Drawing:
    """A figure with its file name, title, caption and a text for those who cannot see it."""

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure


def losses(evidence: Evidence, palette: Palette) -> Drawing | None:
    """Training and validation loss of the fused branch by epoch; None without validation data."""
    if not evidence.comparison.validated:
        return None
    title = "Loss of the fused branch"
    figure = new_figure(9.6, 3.9, heading(evidence, title))
    left, right = figure.subplots(1, 2)
    _curves(left, evidence, evidence.history, "epoch", "train_loss_fused", palette)
    ends = _curves(right, evidence, evidence.history, "epoch", "validation_loss", palette)
    left.set(title="training", xlabel="epoch", ylabel="loss, nats")
    right.set(title="validation", xlabel="epoch", ylabel="loss, nats")
    name_lines(figure, right, [(name, y, palette.colour(name)) for name, y in ends.items()])
    return Drawing(
        file_name(evidence, "losses"),
        title,
        "Mean over seeds by epoch; bands are ± 1 sd over seeds. Training loss: mean over the epoch's steps.",
        _alt("Lines of training and validation loss by epoch, one a method. Validation loss in the last epoch", ends),
        figure,
    )


def scores(evidence: Evidence, palette: Palette) -> Drawing | None:
    """Every seed's test score, selected and at the best test epoch; None where no epoch was selected."""
    if not evidence.comparison.validated:
        return None
    title = "Weighted F1 on the test set, every seed"
    imported = [method.label for method in evidence.comparison.imported]
    labels = [*(method.label for method in evidence.comparison.methods), *imported]
    figure = new_figure(9.6, 1.25 + 0.52 * len(labels), heading(evidence, title))
    axes = figure.subplots()
    means = {}
    for row, label in enumerate(labels):
        if label in imported:
            theirs = 100 * evidence.values(label, "imported_weighted_f1").to_numpy(dtype=float)
            means[label] = float(theirs.mean())
            axes.plot(theirs, np.full(len(theirs), row), "D", color=MUTED, markersize=5, markeredgewidth=0)
            continue
        colour = palette.colour(label)
        selected = 100 * evidence.values(label, "selected_weighted_f1").to_numpy(dtype=float)
        peak = 100 * evidence.values(label, "peak_test_weighted_f1").to_numpy(dtype=float)
        summary = summarize(selected)
        means[label] = summary.mean
        jitter = np.linspace(-0.07, 0.07, len(selected)) if len(selected) > 1 else np.zeros(1)
        axes.plot([summary.low, summary.high], [row - 0.13] * 2, color=colour, linewidth=6, alpha=0.25)
        axes.plot(summary.mean, row - 0.13, "|", color=colour, markersize=15, markeredgewidth=2.2)
        axes.plot(selected, row - 0.13 + jitter, "o", color=colour, markersize=5, alpha=0.85, markeredgewidth=0)
        axes.plot(peak, row + 0.22 + jitter, "o", markeredgecolor=colour, markerfacecolor=PAPER, markersize=4.5)
    ceiling = evidence.comparison.runs[0].ceiling
    if ceiling is not None:
        axes.axvline(100 * ceiling["test_weighted_f1"], color=MUTED, linewidth=1, linestyle="--")
    logistic = evidence.comparison.runs[0].logistic
    if logistic is not None:
        axes.axvline(100 * logistic["weighted_f1"], color=MUTED, linewidth=1, linestyle=":")
    axes.set(xlabel="weighted F1, %", yticks=range(len(labels)), ylim=(len(labels) - 0.45, -0.55))
    axes.set_yticklabels(labels, color=INK, fontsize=9)
    left, right = axes.get_xlim()
    axes.set_xlim(max(left, 0), min(right, 100))  # an interval of two seeds may leave the scale
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    return Drawing(
        file_name(evidence, "scores"),
        title,
        "Filled: at the epoch selected on validation, the result; tick: their mean; bar: its 95 % CI. Hollow: at the "
        "best test epoch, which is never a result."
        + (" Diamonds: imported, at whatever epoch they have." if imported else "")
        + ("" if ceiling is None else " Dashed: the ceiling on this test set.")
        + ("" if logistic is None else " Dotted: a logistic regression on single utterances."),
        _alt("Dots, one a seed, in a row a method. Mean selected weighted F1 in %", means, 1),
        figure,
    )


def cosines(evidence: Evidence, palette: Palette) -> Drawing:
    """Cosines between the objectives' gradients over training, from the probe."""
    title = "Cosine between the objectives' gradients"
    figure = new_figure(9.6, 3.6, heading(evidence, title))
    panels: Sequence[Axes] = figure.subplots(1, 3, sharey=True)
    probes, what = _thinned(evidence.probes)
    ends: dict[str, float] = {}
    for axes, pair in zip(panels, PAIRS, strict=True):
        ends = _curves(axes, evidence, probes, "step", f"cos_{pair}", palette)
        axes.axhline(0, color=MUTED, linewidth=1)
        axes.set(title=pair.replace("_", "–"), xlabel="updates")
    panels[0].set_ylabel("cosine (below 0: conflict)")
    name_lines(figure, panels[-1], [(name, y, palette.colour(name)) for name, y in ends.items()])
    means = {m.label: evidence.values(m.label, f"probe_cos_{PAIRS[0]}").mean() for m in evidence.comparison.methods}
    return Drawing(
        file_name(evidence, "cosines"),
        title,
        "Over the shared parameters, in evaluation mode on fixed training conversations, the same for all methods and "
        f"seeds. {what}, then over seeds; bands are ± 1 sd over seeds.",
        _alt(f"Lines of the cosine by update, a panel a pair. Mean cosine {PAIRS[0].replace('_', '–')}", means),
        figure,
    )


def weights(evidence: Evidence, palette: Palette) -> Drawing | None:
    """The weights applied in training, for methods whose weights are not constant; None if there are none."""
    by_method = evidence.weights.groupby("method")[WEIGHTS]
    spread = (by_method.max() - by_method.min()).max(axis=1)
    labels = [m.label for m in evidence.comparison.methods if spread[m.label] > 1e-6][:WEIGHT_PANELS]
    if not labels:
        return None
    title = "Weights of the objectives during training"
    columns = min(3, len(labels))
    lines = -(-len(labels) // columns)
    figure = new_figure(9.6, 0.9 + 2.5 * lines, heading(evidence, title))
    grid = figure.subplots(lines, columns, sharey=True, sharex=True, squeeze=False)
    means: dict[str, float] = {}
    for axes, label in zip(grid.flat, labels, strict=False):
        rows = evidence.weights[evidence.weights["method"] == label]
        ends = []
        for i, name in enumerate(OBJECTIVES):
            colour = HUES[_OBJECTIVE_HUES[i]][0]
            end = _band(axes, rows, "epoch", WEIGHTS[i], colour, DASHES[i])
            ends.append((name, end, colour))
            means[f"{label} {name}"] = float(rows[WEIGHTS[i]].mean())
        axes.axhline(1 / 3, color=MUTED, linewidth=1)
        axes.set(title=label, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        if (axes is grid[0, -1]) or label == labels[-1]:
            named, at = axes, ends
    name_lines(figure, named, at)
    for axes in list(grid.flat)[len(labels) :]:
        axes.set_visible(False)
    grid[0, 0].set_ylabel("weight γ (they sum to 1)")
    return Drawing(
        file_name(evidence, "weights"),
        title,
        "Mean over an epoch's steps, then over seeds; bands are ± 1 sd over seeds; the grey line is ⅓. Colours here "
        "are objectives, not methods."
        + (f" The first {WEIGHT_PANELS} methods with varying weights." if len(labels) == WEIGHT_PANELS else ""),
        _alt("Lines of the three weights by epoch, a panel a method. Mean weights", means),
        figure,
    )


def confusions(evidence: Evidence, palette: Palette) -> Drawing | None:
    """Confusion matrix of the first method at the selected epoch, counts summed over seeds; None without one."""
    method, classes = evidence.comparison.methods[0], evidence.comparison.classes
    matrices = [matrix for run in method.runs if (matrix := run.confusion()) is not None]
    if not matrices:
        return None
    counts = np.sum(matrices, axis=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    title = f"Confusion matrix of {method.label}"
    size = 0.62 * len(classes)
    figure = new_figure(size + 2.6, size + 1.5, heading(evidence, title, separator="\n"))
    axes = figure.subplots()
    axes.pcolormesh(shares, cmap=BLUES, vmin=0, vmax=1, edgecolors=PAPER, linewidth=1.5)
    for row, line in enumerate(shares):
        for column, share in enumerate(line):
            colour = "#fefefe" if share > 0.45 else "#101418"  # on the cell's own colour, in either scheme
            axes.text(column + 0.5, row + 0.5, f"{100 * share:.0f}", ha="center", va="center", color=colour)
    ticks = np.arange(len(classes)) + 0.5
    axes.set_xticks(ticks, classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, classes)
    axes.set(xlabel="predicted", ylabel="label", aspect="equal")
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    absent = [name for name, row in zip(classes, counts, strict=True) if not row.sum()]
    recall = {name: 100 * float(shares[i, i]) for i, name in enumerate(classes) if name not in absent}
    without = f" No test utterance is {' or '.join(absent)}." if absent else ""
    return Drawing(
        file_name(evidence, "confusion"),
        title,
        f"Test utterances at the selected epoch, in % of each label's, counts summed over {len(method.runs)} "
        f"{'seed' if len(method.runs) == 1 else 'seeds'}.{without}",
        _alt("Matrix of labels against predictions. Recall in %", recall, 0) + without,
        figure,
    )


FIGURES: tuple[Callable[[Evidence, Palette], Drawing | None], ...] = (scores, losses, cosines, weights, confusions)


def _thinned(probes: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """At most PROBE_POINTS points a run: single probes, or means over equal stretches of training."""
    if probes["step"].nunique() <= PROBE_POINTS:
        return probes, "Mean at each probe"
    stretch = -(-(int(probes["step"].max()) + 1) // PROBE_POINTS)
    middle = (probes["step"] // stretch + 0.5) * stretch
    columns = [f"cos_{pair}" for pair in PAIRS]
    thinned = probes.assign(step=middle).groupby(["method", "seed", "step"], as_index=False)[columns].mean()
    return thinned, f"Mean over each run's probes within {stretch} updates"


def _curves(
    axes: Axes, evidence: Evidence, frame: pd.DataFrame, time: str, column: str, palette: Palette
) -> dict[str, float]:
    """A line and a band a method; returns where each ends."""
    ends = {}
    for method in evidence.comparison.methods:
        rows = frame[frame["method"] == method.label]
        ends[method.label] = _band(axes, rows, time, column, palette.colour(method.label), palette.dash(method.label))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    return {name: end for name, end in ends.items() if np.isfinite(end)}


def _band(
    axes: Axes, rows: pd.DataFrame, time: str, column: str, colour: str, dash: tuple[float, tuple[float, ...]] | str
) -> float:
    """Mean over seeds and ± 1 sd, at the times that every seed reached; returns the mean's last value."""
    table = rows.pivot(index=time, columns="seed", values=column)
    table = table[rows.pivot(index=time, columns="seed", values="method").notna().all(axis=1)]
    values = table.to_numpy(dtype=float)
    at = table.index.to_numpy(dtype=float)
    values = np.where(np.isfinite(values), values, np.nan)
    mean = values.mean(axis=1)  # NaN where a seed has none: a mean over fewer seeds would jump
    axes.plot(at, mean, color=colour, linestyle=dash)
    if values.shape[1] > 1:
        sd = values.std(axis=1, ddof=1)
        axes.fill_between(at, mean - sd, mean + sd, color=colour, alpha=0.13, linewidth=0)
    known = mean[np.isfinite(mean)]
    return float(known[-1]) if len(known) else float("nan")


def file_name(evidence: Evidence, kind: str) -> str:
    """`<kind>_<data set>`."""
    return f"{kind}_{slug(evidence.comparison.name)}"


def heading(evidence: Evidence, title: str, separator: str = " — ") -> str:
    """A figure\'s title with the data it shows."""
    return f"{title}{separator}{evidence.comparison.data_origin.short}"


def _alt(what: str, numbers: dict[str, float], digits: int = 2) -> str:
    return f"{what}: {', '.join(f'{name} {value:.{digits}f}' for name, value in numbers.items())}."
