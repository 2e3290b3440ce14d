"""Where a step's time goes, drawn for docs/speed.md: `python -m tests.perf.where docs/speed.png`."""

import sys
from collections import Counter

import matplotlib.pyplot as plt
from torch.profiler import ProfilerActivity, profile

from benchmark.execution.worker import prepare
from tests.perf.steps import batches, dataset, simulated, trainer

KINDS = {
    "matrix products": ("mm", "bmm", "addmm", "baddbmm"),
    "softmax, GELU, norms, arithmetic by entry": (
        *("_softmax", "_softmax_backward_data", "_log_softmax", "_log_softmax_backward_data", "gelu", "gelu_backward"),
        *("native_layer_norm", "native_layer_norm_backward", "mul", "mul_", "add", "add_", "sub", "div", "sum", "sqrt"),
        *("sigmoid", "sigmoid_backward", "abs", "neg", "pow", "sin", "cos", "exp"),
    ),
    "draws of dropout": ("random_", "ge"),
    "copies": ("copy_", "cat", "stack", "index_select", "index", "index_copy_", "index_add_", "fill_", "clone"),
    "Adam": ("_fused_adam_",),
}
REST = "the rest: operators' overhead, autograd, Python"
SHOWN = (
    ("meld-sim, hidden 32", simulated("meld"), 32),
    *((f"meld, hidden {h}", dataset("meld"), h) for h in (64, 256)),
)
METHODS, STEPS = ("adam", "css", "css-released"), 12


def shares(source, method, hidden):
    """Milliseconds of a step by kind of operator: the profiler's own times of operators, on one thread."""
    run = trainer(source, method, hidden=hidden, heads=4)
    todo = batches(run, STEPS + 2)
    for batch in todo[:2]:
        run._step(batch)
    with profile(activities=[ProfilerActivity.CPU]) as record:
        for batch in todo[2:]:
            run._step(batch)
    events = record.key_averages()
    taken = Counter({event.key.removeprefix("aten::"): event.self_cpu_time_total / 1e3 / STEPS for event in events})
    by_kind = {kind: sum(taken[name] for name in names) for kind, names in KINDS.items()}
    return by_kind | {REST: sum(taken.values()) - sum(by_kind.values())}


def main(path):
    prepare()
    figure, panels = plt.subplots(1, len(SHOWN), figsize=(11, 3.6), layout="constrained")
    for panel, (title, source, hidden) in zip(panels, SHOWN, strict=True):
        below = dict.fromkeys(METHODS, 0.0)
        measured = {method: shares(source, method, hidden) for method in METHODS}
        for number, kind in enumerate((*KINDS, REST)):
            heights = [measured[method][kind] for method in METHODS]
            panel.bar(METHODS, heights, bottom=list(below.values()), label=kind, color=f"C{number}")
            below = {method: below[method] + height for method, height in zip(METHODS, heights, strict=True)}
        panel.set_title(title)
        panel.set_ylabel("ms a step, under the profiler")
        print(title, {m: {kind: round(ms, 2) for kind, ms in parts.items()} for m, parts in measured.items()})
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main(sys.argv[1])
