"""Draws docs/simulator.png, ceilings of the default corpora: ``python docs/simulator_picture.py``."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from benchmark.data.corpora import DEFAULT
from benchmark.data.simulation.ceilings import ceilings
from benchmark.data.simulation.simulator import SPECS

figure, panels = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True, layout="constrained")
for panel, (name, spec) in zip(panels, ((name, SPECS[name]) for name in DEFAULT), strict=True):
    rows = ceilings(spec)
    names = ["+".join(row.modalities) for row in rows if row.context]
    for context, shade, shift in ((True, "#1f5a96", -0.2), (False, "#9dbfe0", 0.2)):
        heights = [100 * row.accuracy for row in rows if row.context == context]
        errors = [196 * row.accuracy_se for row in rows if row.context == context]
        label = "whole conversation" if context else "one utterance"
        panel.bar(np.arange(len(names)) + shift, heights, 0.4, yerr=errors, color=shade, label=label)
    panel.axhline(100 * spec.prior.max(), color="0.4", linestyle=":", label="largest class")
    panel.set_xticks(range(len(names)), [n.replace("+", "\n") for n in names], fontsize=8)
    panel.set_title(name)
    panel.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("Bayes accuracy (%)")
panels[1].legend(frameon=False, fontsize=8)
figure.savefig(Path(__file__).with_name("simulator.png"), dpi=120, metadata={"Software": None})
