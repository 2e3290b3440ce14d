"""The figures of one comparison. Every one shows runs or means over runs, and names its data in its title.

To add a figure, write the function (Evidence, Palette) -> Drawing and add it to a chapter in reports/chapters.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from reports.evidence.evidence import Evidence
from reports.figures.curves import band
from reports.figures.drawing import Drawing, file_name, heading, in_numbers
from reports.figures.marks import mark
from reports.figures.style import BLUES, MUTED, PAPER, Palette, look, name_lines, new_figure, text_on
from reports.measures.runs import WEIGHTS
from reports.reading.runs import OBJECTIVES, PAIRS
from reports.text import counted

WEIGHT_PANELS = 6
PROBE_POINTS = 30
_OBJECTIVE_LOOKS = (look(7), look(4), look(5))  # the last ones: methods take theirs from the front


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
    name_lines(figure, right, [(name, y, palette.look(name)) for name, y in ends.items()], methods=True)
    return Drawing(
        file_name(evidence, "losses"),
        title,
        "Mean over seeds by epoch; bands are ± 1 sd over seeds. Training loss: mean over the epoch's steps.",
        in_numbers(
            "Lines of training and validation loss by epoch, one a method. Validation loss in the last epoch", ends
        ),
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
    name_lines(figure, panels[-1], [(name, y, palette.look(name)) for name, y in ends.items()], methods=True)
    of_pair = {m.label: evidence.values(m.label, f"probe_cos_{PAIRS[0]}").mean() for m in evidence.comparison.methods}
    means = {label: mean for label, mean in of_pair.items() if np.isfinite(mean)}
    return Drawing(
        file_name(evidence, "cosines"),
        title,
        "Over the shared parameters, in evaluation mode on fixed training conversations, the same for all methods and "
        f"seeds. {what}, then over seeds; bands are ± 1 sd over seeds.",
        in_numbers(f"Lines of the cosine by update, a panel a pair. Mean cosine {PAIRS[0].replace('_', '–')}", means),
        figure,
    )


def weights(evidence: Evidence, palette: Palette) -> Drawing | None:
    """The weights applied in training, for methods whose weights are not constant; None if there are none."""
    by_method = evidence.weights.groupby("method")[WEIGHTS]
    spread = (by_method.max() - by_method.min()).max(axis=1)
    varying = set(spread.index[spread > 1e-6])  # a method that skipped every step is not there
    objectives = {m.label: m.runs[0].objectives for m in evidence.comparison.methods if m.label in varying}
    labels = list(objectives)[:WEIGHT_PANELS]
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
        for name in objectives[label]:
            style, column = _OBJECTIVE_LOOKS[OBJECTIVES.index(name)], f"weight_{name}"
            end = band(axes, rows, ("epoch", column), style, name=f"{label}, {name}", method=label)
            ends.append((name, end, style))
            means[f"{label} {name}"] = float(rows[column].mean())
        axes.axhline(1 / len(ends), color=MUTED, linewidth=1)
        mark(axes.set_title(label), method=label)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.tick_params(labelbottom=True)  # also where the last row has no panel below
        if axes is grid[0, -1]:
            name_lines(figure, axes, ends)
    for axes in list(grid.flat)[len(labels) :]:
        axes.set_visible(False)
    grid[0, 0].set_ylabel("weight γ (they sum to 1)")
    return Drawing(
        file_name(evidence, "weights"),
        title,
        "Mean over an epoch's steps, then over seeds; bands are ± 1 sd over seeds; the grey line is equal weights. "
        "Colours here are objectives, not methods."
        + (f" The first {WEIGHT_PANELS} methods with varying weights." if len(labels) == WEIGHT_PANELS else ""),
        in_numbers("Lines of the weights by epoch, a panel a method. Mean weights", means),
        figure,
    )


def confusions(evidence: Evidence, palette: Palette) -> Drawing | None:
    """Confusion matrix of the first method at the selected epoch, counts summed over seeds; None without one."""
    method, classes = evidence.comparison.shown[0], evidence.comparison.classes
    where = "imported" if method.imported else "selected"
    matrices = [matrix for run in method.runs if (matrix := run.confusion(where)) is not None]
    if not matrices:
        return None
    counts = np.sum(matrices, axis=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    title = f"Confusion matrix of {method.label}"
    size = 0.62 * len(classes)
    figure = new_figure(size + 2.6, size + 1.5, heading(evidence, title, separator="\n"))
    axes = figure.subplots()
    mark(axes, method=method.label)
    for row, line in enumerate(shares):
        for column, share in enumerate(line):
            words = f"{classes[row]}, predicted {classes[column]}: {counts[row, column]} of {counts[row].sum()}"
            box = Rectangle((column, row), 1, 1, facecolor=BLUES(share), edgecolor=PAPER, linewidth=1.5)
            mark(axes.add_patch(box), words)
            place: dict[str, Any] = {"ha": "center", "va": "center", "color": text_on(BLUES(share))}
            mark(axes.text(column + 0.5, row + 0.5, f"{100 * share:.0f}", **place), words)
    ticks = np.arange(len(classes)) + 0.5
    axes.set_xticks(ticks, classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, classes)
    axes.set(xlabel="predicted", ylabel="label", aspect="equal", xlim=(0, len(classes)), ylim=(len(classes), 0))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    absent = [name for name, row in zip(classes, counts, strict=True) if not row.sum()]
    recall = {name: 100 * float(shares[i, i]) for i, name in enumerate(classes) if name not in absent}
    without = f" No test utterance is {' or '.join(absent)}." if absent else ""
    return Drawing(
        file_name(evidence, "confusion"),
        title,
        f"Test utterances {'as imported' if method.imported else 'at the selected epoch'}, in % of each label's, "
        f"counts summed over {counted(len(method.runs), 'seed')}.{without}",
        in_numbers("Matrix of labels against predictions. Recall in %", recall, 0) + without,
        figure,
    )


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
    by_method = dict(list(frame.groupby("method", sort=False)))
    for method in evidence.comparison.methods:
        rows = by_method.get(method.label, frame.iloc[:0])
        style = palette.look(method.label)
        ends[method.label] = band(axes, rows, (time, column), style, name=method.label, method=method.label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    return {name: end for name, end in ends.items() if np.isfinite(end)}
