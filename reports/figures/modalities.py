"""Training losses by modality, with and without the weighing of gradients: the paper's Figure 2."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.figures.curves import band
from reports.figures.drawing import Drawing, file_name, heading, in_numbers
from reports.figures.style import Palette, name_lines, new_figure
from reports.inference.ablation import left_out
from reports.inference.contrasts import reference
from reports.measures.runs import BY_MODALITY


def losses_by_modality(evidence: Evidence, palette: Palette) -> Drawing | None:
    """A panel a modality and objective, a line each for the reference method and for it under equal weights.

    None where one of the two has not been run, or their losses were not recorded by modality.
    """
    methods = _pair(evidence)
    labels = [m.label for m in methods]
    history = evidence.history[evidence.history["method"].isin(labels)]
    columns = {o: [c for c in names if np.isfinite(history[c]).any()] for o, names in BY_MODALITY.items()}
    columns = {o: names for o, names in columns.items() if names}
    if len(methods) < 2 or not columns:
        return None
    title = f"Training losses by modality, {labels[0]} and {labels[1]}"
    wide = max(map(len, columns.values()))
    figure = new_figure(9.6, 0.9 + 2.5 * len(columns), heading(evidence, title))
    grid = figure.subplots(len(columns), wide, sharex=True, squeeze=False)
    last: dict[str, float] = {}
    for line, (objective, names) in zip(grid, columns.items(), strict=True):
        for axes, column in zip(line, names, strict=False):
            modality = column.rpartition("_")[2]
            ends = {}
            for label in labels:
                rows = history[history["method"] == label]
                look = palette.look(label)
                ends[label] = band(axes, rows, ("epoch", column), look, name=f"{label}, {modality}", method=label)
            axes.set(title=f"{objective}, {modality}", xlabel="epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
            known = {label: end for label, end in ends.items() if np.isfinite(end)}
            last |= {f"{label} {objective} {modality}": end for label, end in known.items()}
            if axes is grid[0, -1]:
                name_lines(figure, axes, [(n, y, palette.look(n)) for n, y in known.items()], methods=True)
        line[0].set_ylabel("loss, nats")
    return Drawing(
        file_name(evidence, "modalities"),
        title,
        "The terms of the objectives that are sums over modalities, with the method's weights of the objectives and "
        "with equal ones. Mean over an epoch's steps, then over seeds; bands are ± 1 sd over seeds.",
        in_numbers("Lines of training loss by epoch, a panel a modality. Loss in the last epoch", last),
        figure,
    )


def _pair(evidence: Evidence) -> list[Method]:
    """The reference method, and the one that differs from it by equal weights alone, where there is one."""
    whole = reference(evidence.comparison)
    lacking = {m.label: left_out(m, whole) or () for m in evidence.comparison.methods}
    plain = [m for m in evidence.comparison.methods if [kind for kind, _ in lacking[m.label]] == ["aggregator"]]
    return [whole, *plain[:1]]
