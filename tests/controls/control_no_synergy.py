"""Nothing is planted that takes more than a sum over modalities: all fusions are equally good, and shown to be.

Without synergy and conflict the log posterior is a sum of one term a modality, which every fusion can express.
"""

import itertools

import numpy as np

from benchmark.methods.registry import FUSIONS
from tests.controls.inference import equivalence_p, equivalence_power, over_runs, seeds_needed, upper_sd
from tests.controls.laboratory import Laboratory, Run

CORPUS = (
    "meld-sim-hard(class_counts=1+1+1+1+1+1+1,conflict_rate=0,contagion=0,inertia=0,scale=6,signal=2+1.5+1,"
    "speaker_shift=0,synergy=none,widths=16+16+16)"
)
# The outer product of 16 features a modality has nine times the classifier of that of 8, and learns noise with it.
UNIMODAL = ("text", "audio", "visual")  # they leave modalities out, and have to be worse
METHODS = ["tensor(width=8)" if name == "tensor" else name for name in FUSIONS if name not in UNIMODAL]
FIRST, PILOT = 10, (1000, 1001, 1002)  # the budget was settled on seeds below 10: those tested are others
MARGIN = 1.0  # points of weighted F1
ALPHA = 0.05
BUDGET = {
    "hidden": 32, "heads": 4, "dropout": 0.0, "epochs": 14, "batch_size": 64, "lr": 1e-3, "weight_decay": 0.0,
    "temperature": 1.0, "probe_every": 10_000,
}  # fmt: skip


def scores(runs: list[Run]) -> dict[str, np.ndarray]:
    """Selected weighted F1 in %, by method, one a seed."""
    names = dict.fromkeys(run.method for run in runs)
    return {name: np.array([run.percent("selected") for run in runs if run.method == name]) for name in names}


def test_without_synergy_all_fusions_are_shown_equal(laboratory: Laboratory) -> None:
    """The budget is long enough for the slowest, SPF, whose validation score rises until about the eleventh epoch."""
    pilot = scores(laboratory.run([CORPUS], METHODS, PILOT, encoder="identity", training=BUDGET))
    pairs = list(itertools.combinations(pilot, 2))
    sd = max(upper_sd(pilot[a] - pilot[b]) for a, b in pairs)
    n = seeds_needed(sd, MARGIN)

    found = scores(laboratory.run([CORPUS], METHODS, range(FIRST, FIRST + n), encoder="identity", training=BUDGET))
    table = []
    for a, b in pairs:
        difference = over_runs(found[a] - found[b], 0.9)
        table.append(
            {
                "fusions": f"{a} − {b}",
                "F1 of the first": float(found[a].mean()),
                "difference": difference.mean,
                "90 % from": difference.low,
                "to": difference.high,
                "sd": float((found[a] - found[b]).std(ddof=1)),
                "p (TOST)": equivalence_p(found[a] - found[b], MARGIN),
            }
        )
    laboratory.record(
        "no-synergy",
        "No synergy: fusions are equivalent",
        table,
        f"Weighted F1 in points, paired by seed, margin ± {MARGIN:g}, encoder identity, {n} seeds: the largest sd of a "
        f"difference in a pilot of {len(PILOT)} other seeds (its upper 80 % limit, {sd:.2f}) gives power "
        f"{equivalence_power(n, sd, MARGIN):.2f} for one comparison of equals. All must pass at {ALPHA:g}, an "
        "intersection-union test: its size is at most that of one comparison, without adjustment.",
    )
    assert max(row["p (TOST)"] for row in table) <= ALPHA  # type: ignore[type-var]
