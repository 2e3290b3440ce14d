"""The part of `nox -s calibrate` that makes real runs, on a few of them."""

import numpy as np
import torch

from benchmark.execution.running import execute
from benchmark.methods.plugins import load_class
from reports.reading.runs import read_store
from tests.calibration import real


class Here:
    """A scheduler in this process: workers take seconds to start."""

    made = 0

    def __init__(self, store, workers):
        self.store = store

    def run(self, tasks):
        for task in tasks:
            Here.made += execute(task, self.store, lambda trainer: None, lambda: False)
        yield from ()


def test_runs_are_made_once_and_paired_by_seed(tmp_path, monkeypatch):
    monkeypatch.setitem(real.TRAINING, "epochs", 1)
    monkeypatch.setattr(real, "Scheduler", Here)
    scores = real.make(tmp_path, 2)
    assert scores.shape == (2, 2, 2)
    for run in read_store(tmp_path).runs:
        method = real.METHODS.index(run.label)
        assert scores[method, run.seed, 0] == 100 * run.number("selected", "weighted_f1")
    assert Here.made == 4
    np.testing.assert_array_equal(real.make(tmp_path, 2), scores)
    assert Here.made == 4


def test_the_methods_differ_in_initial_weights_alone():
    real.registered()
    weights = []
    for draw in (1, 1, 2):
        torch.manual_seed(0)
        weights.append(load_class(real.PLUGIN)[0](8, ("text", "audio"), draw=draw).linear.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_every_test_is_measured_and_sees_what_is_planted():
    alike = np.random.default_rng(0).normal(70, 1, (2, 160, 2))
    rows = list(real.sizes(alike, (8, 10)))
    assert {(r["seeds"], r["n"], r["families"]) for r in rows} == {
        ("by seed", 8, 20), ("by seed", 10, 16), ("apart", 8, 10), ("apart", 10, 8),
        ("by seed", "≤ 30", 5), ("apart", "≤ 30", 2),
    }  # fmt: skip
    assert all(r["share"] <= r["bound"] for r in rows)
    apart = alike + np.array([0.0, 5.0])[:, None, None]
    assert all(r["share"] == 1 for r in real.sizes(apart, (8,)) if "variances" not in r["test"])
