"""How often the tests that feed verdicts reject when the same method is run against itself: real runs, real store.

Two draws of one fusion's initial weights are one method under two names. By seed they are paired (encoder, data order
and dropout are shared); under other seeds they share nothing.
"""

import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmark.data.datasets import dataset
from benchmark.execution.events import Failed
from benchmark.execution.local import Scheduler
from benchmark.execution.tasks import Task
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.methods.plugins import register
from benchmark.store.store import Store
from reports.reading.runs import read_store
from reports.statistics import unpaired_comparison
from reports.statistics.family import joint_flip_test
from tests.calibration import looks, measure

PLUGIN = "drawn_fusion:DrawnFusion"
METHODS = ("DrawnFusion(draw=1)", "DrawnFusion(draw=2)")
CORPUS = "meld-sim-hard(scale=0.05)"  # its validation conversations are the same for every seed
TRAINING = {"epochs": 2, "hidden": 8, "batch_size": 16, "probe_every": 1_000, "probe_conversations": 1}


def registered():
    """Make the plug-in known by its own name."""
    if (here := str(Path(__file__).parent)) not in sys.path:
        sys.path.append(here)  # workers get this path too
    register([PLUGIN])


def make(folder, seeds, workers=2, methods=METHODS):
    """Make the runs that the store has not got, and return test scores in points, [methods, seeds, metrics].

    Metrics are weighted F1 and accuracy at the selected epoch. A call that was cut off goes on where it was.
    """
    store, data = Store(folder), dataset(CORPUS, None)
    store.prepare()
    registered()
    grid = [expand(load_preset("smoke"), [data], [m], [s], training=TRAINING)[0] for s in range(seeds) for m in methods]
    missing = [Task(spec, data, None) for spec in grid if not store.is_whole(spec.key)]
    with closing(Scheduler(store, workers).run(missing)) as events:
        for event in events:
            assert not isinstance(event, Failed), event.error
    runs = {run.key: run for run in read_store(folder, {spec.key for spec in grid}).runs}
    found = [[runs[spec.key].number("selected", m) for m in ("weighted_f1", "accuracy")] for spec in grid]
    return 100 * np.array(found).reshape(seeds, len(methods), 2).swapaxes(0, 1)


def sizes(scores, numbers=(8, 10, 20)):
    """How often each test that feeds a verdict rejects, over disjoint families of so many seeds; rows are dicts.

    `scores`: of `make`. By seed: the two methods under the same seeds. Apart: the first under the first half of the
    seeds, the second under the other half.
    """
    seeds = scores.shape[1]
    half = seeds // 2
    for pairing, first, second in (
        ("by seed", *scores),
        ("apart", scores[0, :half], scores[1, half : 2 * half]),
    ):
        correlation = float(np.corrcoef(first[:, 0], second[:, 0])[0, 1])
        for n in numbers:
            families = [slice(i * n, (i + 1) * n) for i in range(len(first) // n)]
            # [families, seeds, metrics, methods]
            both = np.stack([np.stack([first[at], second[at]], axis=-1) for at in families])
            f1 = both[:, :, 0]
            found = {
                "sign flip, one comparison": measure.single_rejects(f1),
                "max-t sign flip, two metrics": [
                    joint_flip_test(x[..., 0] - x[..., 1]).adjusted.min() <= measure.ALPHA for x in both
                ],
                "variances: p and interval": measure.variance_rejects(f1),
            }
            if pairing == "apart":
                found["unpaired, n against n runs"] = [
                    unpaired_comparison(x[:, 0], x[:, 1]).p <= measure.ALPHA for x in f1
                ]
            for test, rejects in found.items():
                yield {
                    "test": test, "seeds": pairing, "correlation": correlation, "n": n, "families": len(families),
                } | measure.share(rejects)  # fmt: skip
        yield from (
            row | {"seeds": pairing, "correlation": correlation} for row in _followed(first[:, 0] - second[:, 0])
        )


def _followed(differences):
    """How often a family is called different that is followed until it is decided; the margin is one sd."""
    n = looks.Design().looks[-1]
    families = (differences[: len(differences) // n * n] / differences.std()).reshape(-1, n, 1)
    for spending in looks.SPENDING:
        ends = looks.followed(families, looks.Design(spending=spending, margin=looks.MARGIN))
        row = {"test": f"followed, {spending}", "n": f"≤ {n}", "families": len(families)}
        yield row | measure.share(looks.rejected(ends))
