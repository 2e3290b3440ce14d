"""The figure of cost: score against training time."""

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary
from reports.figures.drawing import Drawing, file_name, heading
from reports.figures.marks import mark, plot_dots
from reports.figures.style import Palette, name_lines, new_figure


def cost_plot(evidence: Evidence, palette: Palette) -> Drawing | None:
    """A dot a method, mean over seeds, with the interval of its score; None where no epoch was selected."""
    if not evidence.comparison.validated:
        return None
    title = "Weighted F1 against training time"
    figure = new_figure(7.6, 4.2, heading(evidence, title))
    axes = figure.subplots()
    words, ends = [], []
    for method in evidence.comparison.methods:
        style = palette.look(method.label)
        score, seconds = (summary(evidence, method.label, name) for name in ("selected_weighted_f1", "train_seconds"))
        text = f"{method.label} {100 * score.mean:.1f} % in {seconds.mean:.1f} s"
        words.append(text)
        if score.n > 1:
            interval = [100 * score.low, 100 * score.high]
            (bar,) = axes.plot([seconds.mean] * 2, interval, color=style.colour, linewidth=2, alpha=0.5)
            mark(bar, f"{method.label}: 95 % interval {interval[0]:.1f} to {interval[1]:.1f} %", method.label)
        plot_dots(
            axes, [seconds.mean], [100 * score.mean], [text], method.label,
            color=style.colour, marker=style.marker, markersize=7,
        )  # fmt: skip
        ends.append((method.label, 100 * score.mean, style))
    axes.set(xlabel="training, seconds a run", ylabel="weighted F1 on the test set, %")
    axes.set_xlim(left=0)
    name_lines(figure, axes, ends, methods=True)
    return Drawing(
        file_name(evidence, "cost"),
        title,
        "Mean over seeds; bars are 95 % intervals of the mean score. Times are wall time with the workers that shared "
        "the machine.",
        f"Dots of score against seconds: {', '.join(words)}.",
        figure,
    )
