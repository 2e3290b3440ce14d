"""What a run costs, from a few of its steps."""

import numpy as np
import pytest

from benchmark.data.datasets import dataset
from benchmark.data.splits import split
from benchmark.execution.calibration import Cost, measure
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset


@pytest.fixture(autouse=True)
def _one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.execution.calibration.STEPS_SECONDS", 0.0)


def cost(method: str = "adam", **training: object) -> Cost:
    data = dataset("meld-sim", None)
    settings = {"hidden": 16, "heads": 2, "batch_size": 64, "epochs": 4, "probe_every": 1000} | training
    (spec,) = expand(load_preset("smoke"), [data], [method], [0], training=settings)
    return measure(spec, split(data.load(), 0))


def test_the_arithmetic_of_a_linear_model_is_that_of_its_products() -> None:
    """Ungated features alone: the products are input projections, reduction and classifiers, counted by hand."""
    data = split(dataset("meld-sim", None).load(), 0)
    assert data.validation is not None
    widths, classes, h = [x.shape[1] for x in data.train.features.values()], len(data.train.class_names), 16
    method = "paper(modality_aware=false,interaction_aware=false)/linear"
    taken = cost(method, probe_conversations=1, probe_every=10_000)

    forward = 2 * (sum(w * h for w in widths) + 3 * h * h + 3 * h * h + h * classes + 3 * h * classes)
    backward = 2 * forward - 2 * sum(w * h for w in widths)  # nobody asks for the gradient of the inputs
    utterances = len(data.train.speaker), len(data.test.speaker) + len(data.validation.speaker)
    expected = 4 * (utterances[0] * (forward + backward) + utterances[1] * forward)
    assert expected <= taken.flops < 1.02 * expected  # two probes are counted, too


def test_arithmetic_grows_with_the_epochs_and_with_the_objectives_that_are_differentiated() -> None:
    once, twice, three = cost(epochs=1), cost(epochs=2), cost("css", epochs=1)
    assert twice.flops == pytest.approx(2 * once.flops, rel=0.02)
    assert 1.8 < three.flops / once.flops < 2.5  # a forward pass and three backward ones for one of each: 7 / 3


def test_times_and_memory_are_of_one_run() -> None:
    taken = cost(epochs=3)
    assert taken.seconds == pytest.approx(3 * taken.epoch)
    assert taken.rate > 0
    assert taken.memory > 50 * 2**20  # of the process, which has torch
    assert np.isfinite(list(vars(taken).values())).all()
