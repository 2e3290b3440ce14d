"""Where a step's CPU time goes, drawn for docs/speed.md: `python -m tests.perf.where docs/speed.png`."""

import sys
import time
from collections import defaultdict
from unittest.mock import patch

import matplotlib.pyplot as plt
import numpy as np
import torch

from benchmark.execution.worker import prepare
from benchmark.training import trainer as training
from tests.perf.steps import batches, dataset, simulated, trainer

PARTS = {
    "encoder, forward": ("encoder",),
    "fusion, classifiers, losses": ("classify", "objectives"),
    "gradients": ("grad",),
    "Gramian, weights, update": ("gramians", "aggregator", "combine", "Adam"),
    "records": ("terms", "cosines"),
}
REST = "the rest"
METHODS, STEPS = ("adam", "css", "css-released"), 12


def shares(source, method, hidden):
    """Milliseconds of a step by part, medians; the calls that a step makes are timed where they are looked up."""
    run = trainer(source, method, hidden=hidden, heads=4)
    taken = defaultdict(float)

    def timed(name, call):
        def wrapped(*arguments, **options):
            start = time.process_time()
            try:
                return call(*arguments, **options)
            finally:
                taken[name] += time.process_time() - start

        return wrapped

    encode = timed("encoder", run.model.encoder.vjp)

    def timed_vjp(*arguments):
        encoded, pull = encode(*arguments)
        return encoded, timed("grad", pull)

    objective = type(run.objective)
    rows = []
    with (
        patch.object(run.model.encoder, "vjp", timed_vjp),
        patch.object(run.model, "classify", timed("classify", run.model.classify)),
        patch.object(objective, "__call__", timed("objectives", objective.__call__)),
        patch.object(objective, "terms", timed("terms", objective.terms)),
        patch.object(torch.autograd, "grad", timed("grad", torch.autograd.grad)),
        patch.object(run.parameters, "gramians", timed("gramians", run.parameters.gramians)),
        patch.object(run.aggregator, "forward", timed("aggregator", run.aggregator.forward)),
        patch.object(training, "combine", timed("combine", training.combine)),
        patch.object(training, "cosines", timed("cosines", training.cosines)),
        patch.object(run.optimizer, "step", timed("Adam", run.optimizer.step)),
    ):
        for batch in batches(run, STEPS + 2):
            taken.clear()
            start = time.process_time()
            run._step(batch)
            whole = time.process_time() - start
            parts = [sum(taken[name] for name in names) for names in PARTS.values()]
            rows.append([*parts, whole - sum(parts)])
    return 1e3 * np.median(rows[2:], axis=0)


def main(path):
    prepare()
    shown = [("meld-sim, hidden 32", simulated("meld"), 32)]
    shown += [(f"meld, hidden {hidden}", dataset("meld"), hidden) for hidden in (64, 256)]
    figure, panels = plt.subplots(1, len(shown), figsize=(11, 3.8), layout="constrained")
    for panel, (title, source, hidden) in zip(panels, shown, strict=True):
        measured = np.array([shares(source, method, hidden) for method in METHODS]).T
        below = np.zeros(len(METHODS))
        for kind, heights in zip((*PARTS, REST), measured, strict=True):
            panel.bar(METHODS, heights, bottom=below, label=kind)
            below += heights
            print(title, kind, heights.round(2))
        panel.set_title(title)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("CPU ms a step")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    figure.savefig(path, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main(sys.argv[1])
