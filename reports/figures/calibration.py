"""The reliability diagram: how often a method is right, by how sure it is."""

import numpy as np
from jaxtyping import Float

from reports.evidence.evidence import Evidence
from reports.figures.drawing import Drawing, file_name, heading, in_numbers
from reports.figures.marks import mark, plot_dots
from reports.figures.style import MUTED, Palette, name_lines, new_figure
from reports.measures.calibration import expected_error

LEAST = 20
"""Predictions below which a bin's share says too little to be drawn."""


def calibration_plot(evidence: Evidence, palette: Palette) -> Drawing | None:
    """A line a method, over the predictions of all its seeds; None where there are no probabilities."""
    bins = {
        method.label: np.sum([evidence.outcomes[method.label, run.seed].reliability for run in method.runs], axis=0)
        for method in evidence.comparison.shown
        if evidence.comparison.validated
    }
    bins = {label: of_method for label, of_method in bins.items() if of_method.sum()}
    if not bins:
        return None
    title = "Reliability of the probabilities"
    figure = new_figure(7.6, 4.6, heading(evidence, title))
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle=":")
    ends = []
    for label, of_method in bins.items():
        confidence, right, titles = _points(label, of_method)
        if not confidence:
            continue
        style = palette.look(label)
        (line,) = axes.plot(confidence, right, color=style.colour, linestyle=style.dash, linewidth=1.4)
        mark(line, label, label)
        plot_dots(axes, confidence, right, titles, label, color=style.colour, marker=style.marker, markersize=4.5)
        ends.append((label, right[-1], style))
    axes.set(xlabel="confidence of the most probable class, %", ylabel="how often it is right, %")
    axes.set(xlim=(0, 100), ylim=(0, 100))
    name_lines(figure, axes, ends, methods=True)
    errors = {label: 100 * expected_error(of_method) for label, of_method in bins.items()}
    return Drawing(
        file_name(evidence, "calibration"),
        title,
        f"Test predictions of all seeds at the selected epoch, or as imported, in 15 bins of confidence; bins of fewer "
        f"than {LEAST} are left out. Below the dotted line a method is surer than it should be.",
        in_numbers("Lines of accuracy against confidence. Expected calibration error over all seeds in %", errors, 1),
        figure,
    )


def _points(label: str, bins: Float[np.ndarray, "bins 3"]) -> tuple[list[float], list[float], list[str]]:
    """Mean confidence and share of right answers of the bins with enough predictions, in %, and what each says."""
    count, right, confidence = bins[bins[:, 0] >= LEAST].T
    sure, correct = 100 * confidence / count, 100 * right / count
    titles = [
        f"{label}: {n:.0f} predictions, {s:.1f} % sure, {c:.1f} % right"
        for n, s, c in zip(count, sure, correct, strict=True)
    ]
    return sure.tolist(), correct.tolist(), titles
