"""The decisive control (docs/controls.md), small: a product of two modalities is found at order 2, not at 1."""

import numpy as np

from benchmark.data.datasets import dataset
from benchmark.data.simulation.pair_bit import bayes_pair_bits, pair_bits
from benchmark.data.splits import split
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.training.trainer import Trainer, train

CORPUS = (
    "meld-sim-hard(class_counts=1+8+1+1+8+8+8,conflict_rate=0,contagion=0,inertia=0,pair_gap=0,signal=2+2+2,"
    "speaker_shift=0,synergy_strength=2,widths=8+8+8)"
)
BUDGET = {"hidden": 16, "epochs": 5, "batch_size": 32, "lr": 1e-2, "dropout": 0.0, "weight_decay": 0.0}


def right_bits(method: str) -> tuple[float, float]:
    """Of the test set at the selected epoch, and the Bayes rule's."""
    data = dataset(CORPUS, None)
    corpus = data.load()
    (spec,) = expand(load_preset("smoke"), [data], [method], [0], encoder="identity", training=BUDGET)
    trainer = Trainer(spec, split(corpus, 0))
    train(trainer)
    assert trainer.progress.probabilities is not None
    test = corpus.where("test")
    assert test.label is not None
    _, right = pair_bits(data.simulated, test.label, trainer.progress.probabilities.numpy())
    return float(right.mean()), float(bayes_pair_bits(data.simulated, 0, test)[1].mean())


def test_order_one_stays_at_chance_and_order_two_finds_the_bit() -> None:
    one, ceiling = right_bits("spf(order=1,rank=32,signed_sqrt=false)")
    two, _ = right_bits("spf(order=2,rank=32,signed_sqrt=false)")
    assert abs(one - 0.5) <= 3 * 0.5 / np.sqrt(2400)  # utterances of pairs in the test set
    assert 0.94 < ceiling < 0.97
    assert two > ceiling - 0.03
