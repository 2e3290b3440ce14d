"""The figure of classes: F1 of every method and emotion, and what the reference method gains there."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.patches import Rectangle

from reports.evidence.evidence import Evidence
from reports.figures.drawing import Drawing, file_name, heading
from reports.figures.style import BLUES, GAINS, INK, PAPER, Palette, new_figure, text_on
from reports.inference.per_class import per_class


def per_class_plot(evidence: Evidence, palette: Palette) -> Drawing | None:
    """A heat map method × class of F1, and one of differences; None where no epoch was selected."""
    del palette  # a cell's colour is its number
    if not evidence.comparison.validated:
        return None
    scores = per_class(evidence)
    compared = [m for m in scores.methods if m.gains is not None]
    rows = len(scores.methods)
    title = "F1 by class"
    figure = new_figure(9.6, 1.7 + 0.36 * rows, heading(evidence, title))
    left, right = figure.subplots(1, 2) if compared else (figure.subplots(), None)
    f1 = np.array([[summary.mean for summary in m.f1] for m in scores.methods])
    texts = [[f"{value:.0f}" if np.isfinite(value) else "" for value in row] for row in f1]
    _cells(left, f1, texts, BLUES, (0, 100))
    left.set_title("F1, %")
    left.set_yticks(np.arange(rows) + 0.5, [m.label for m in scores.methods], color=INK, fontsize=8.5)
    if right is not None:
        gains = np.array([[mean for mean, _ in m.gains or ()] for m in compared])
        halves = [[(interval.high - interval.low) / 2 for _, interval in m.gains or ()] for m in compared]
        shown = [
            [_signed(gain, half) for gain, half in zip(row, of_row, strict=True)]
            for row, of_row in zip(gains, halves, strict=True)
        ]
        reach = max(1.0, float(np.nanmax(np.abs(gains), initial=0)))
        _cells(right, gains, shown, GAINS, (-reach, reach))
        right.set_title(f"{scores.reference} minus the method, points ± half of the 95 % interval", fontsize=8.5)
        right.set_yticks(np.arange(len(compared)) + 0.5, [m.label for m in compared], color=INK, fontsize=8.5)
    for axes in (left, right):
        if axes is not None:
            ticks = np.arange(len(scores.classes)) + 0.5
            axes.set_xticks(ticks, scores.classes, rotation=35, ha="right", rotation_mode="anchor")
            axes.grid(visible=False)
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)
    spoken = "; ".join(
        f"{m.label}: {', '.join(f'{name} {s.mean:.0f}' for name, s in zip(scores.classes, m.f1, strict=True))}"
        for m in scores.methods
    )
    return Drawing(
        file_name(evidence, "per_class"),
        title,
        "Left: mean over seeds at the selected epoch, or as imported. Right: differences paired by seed, one at a "
        "time: no verdicts. Bold: the interval excludes 0.",
        f"Heat map of F1 in % by method and class. {spoken}.",
        figure,
    )


def _cells(
    axes: Axes,
    values: Float[np.ndarray, "rows C"],
    texts: list[list[str]],
    colours: Colormap,
    limits: tuple[float, float],
) -> None:
    low, high = limits
    axes.set(xlim=(0, values.shape[1]), ylim=(len(values), 0))
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            if not text:
                continue
            share = (float(values[row, column]) - low) / (high - low)
            colour = colours(share)
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor=PAPER, linewidth=1.5))
            axes.text(
                column + 0.5, row + 0.5, text.strip("*"), ha="center", va="center", fontsize=7,
                color=text_on(colour), fontweight="bold" if text.startswith("*") else "normal",
            )  # fmt: skip


def _signed(gain: float, half: float) -> str:
    """`+1.2 ± 0.4`, behind a star where the interval excludes 0."""
    if not np.isfinite(gain):
        return ""
    digits = 1 if max(abs(gain), half if np.isfinite(half) else 0) < 10 else 0
    text = f"{gain:+.{digits}f}".replace("-", "−")
    return text if not np.isfinite(half) else f"{'*' if abs(gain) > half else ''}{text} ±{half:.{digits}f}"
