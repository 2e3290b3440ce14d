"""The figure of factorial effects."""

from reports.evidence.evidence import Evidence
from reports.figures.drawing import Drawing, file_name, heading
from reports.figures.marks import mark
from reports.figures.style import INK, MUTED, Palette, new_figure
from reports.inference.factorial import effects

EFFECTS = 24


def factorial_plot(evidence: Evidence, palette: Palette) -> Drawing | None:
    """Estimate and 95 % CI of every effect; None without a complete sub-grid."""
    del palette  # no method has a colour here: an effect is of several
    largest = effects(evidence)[0][:EFFECTS]
    if not largest:
        return None
    title = "Effects of fusion and aggregator"
    figure = new_figure(9.6, 1.1 + 0.34 * len(largest), heading(evidence, title))
    axes = figure.subplots()
    for row, effect in enumerate(largest):
        c = effect.comparison
        (bar,) = axes.plot(
            [c.interval.low, c.interval.high], [row, row], color=INK, linewidth=2.2, alpha=0.45, solid_capstyle="butt"
        )
        mark(bar, f"{effect.name}: 95 % CI {c.interval.low:+.2f} to {c.interval.high:+.2f} points")
        (dot,) = axes.plot(c.mean, row, "o", color=INK, markersize=6)
        mark(dot, f"{effect.name}: {c.mean:+.2f} points")
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.set(xlabel="points of weighted F1", yticks=range(len(largest)), ylim=(len(largest) - 0.5, -0.5))
    axes.set_yticklabels([f"{e.name}  ({e.kind})" for e in largest], color=INK, fontsize=8.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    shown = ", ".join(f"{e.name} {e.comparison.mean:+.2f}" for e in largest)
    return Drawing(
        file_name(evidence, "effects"),
        title,
        "Dots: mean over seeds; bars: 95 % CI. Main effects are means over the other factor; sub-grids: "
        f"{'; '.join(dict.fromkeys(e.grid for e in largest))}.",
        f"A dot with its interval for every effect, in points of weighted F1: {shown}.",
        figure,
    )
