"""A checkpoint is whole and of this run, or it is ignored; a run that goes on from one ends with the same bits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.data.datasets import dataset
from benchmark.data.splits import RunData, split
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.experiment.spec import RunSpec
from benchmark.training.checkpoint import NAME, load_checkpoint, save_checkpoint
from benchmark.training.trainer import Trainer, train

EPOCHS = 3


@pytest.fixture(scope="module")
def data(features: Path) -> RunData:
    return split(dataset("meld", features).load(), seed=0)


def spec(features: Path, method: str, seed: int = 0) -> RunSpec:
    training = {"epochs": EPOCHS, "batch_size": 5, "probe_every": 2}
    return expand(load_preset("smoke"), [dataset("meld", features)], [method], [seed], training=training)[0]


def outcome(trainer: Trainer) -> list[Any]:
    """Everything that a run leaves, timings apart."""
    progress = trainer.progress
    assert progress.probabilities is not None
    return [
        {name: tensor.numpy() for name, tensor in trainer.state().items()},
        *progress.steps,
        *progress.test_predictions,
        progress.probabilities.numpy(),
        {name: tensor.numpy() for name, tensor in progress.weights.items()},
        np.array(progress.history),
        np.array(progress.conflict),
        progress.selected,
        trainer.counts()["masked_objectives"],
    ]


@pytest.mark.parametrize(
    "method",
    [
        "css",
        "adam",
        "concat+pcgrad",
        "tensor+pgm",
        "lmf+gradvac",
        "uncertainty",
        "pgm-periodic(every=2)",
        "dwa",
        "famo",
        "gradnorm",
        "rlw",
    ],
)
@pytest.mark.parametrize("epochs", range(1, EPOCHS + 1))
def test_a_run_stopped_after_an_epoch_ends_as_if_it_had_not_been(
    features: Path, data: RunData, tmp_path: Path, method: str, epochs: int
) -> None:
    whole = Trainer(spec(features, method), data)
    assert train(whole)

    stopped = Trainer(spec(features, method), data)
    train(stopped, stop=lambda: stopped.progress.epoch == epochs)
    save_checkpoint(tmp_path, stopped)
    torch.rand(7)  # what the process draws in between is not the run's
    resumed = Trainer(spec(features, method), data)
    assert load_checkpoint(tmp_path, resumed)
    assert resumed.progress.epoch == epochs
    assert resumed.progress.seconds == stopped.progress.seconds
    assert train(resumed)

    for expected, found in zip(outcome(whole), outcome(resumed), strict=True):
        np.testing.assert_equal(found, expected)


@pytest.fixture
def saved(features: Path, data: RunData, tmp_path: Path) -> Path:
    """A checkpoint after the first epoch."""
    trainer = Trainer(spec(features, "css"), data)
    trainer.train_epoch()
    save_checkpoint(tmp_path, trainer)
    return tmp_path / NAME


def ignored(features: Path, data: RunData, folder: Path, seed: int = 0) -> bool:
    """Whether a run of the folder starts afresh, untouched by what is there."""
    fresh, trainer = (Trainer(spec(features, "css", seed), data) for _ in range(2))
    if load_checkpoint(folder, trainer):
        return False
    for expected, found in zip(fresh.state().values(), trainer.state().values(), strict=True):
        assert torch.equal(found, expected)
    return trainer.progress.epoch == 0


def test_a_whole_checkpoint_is_not_ignored(saved: Path, features: Path, data: RunData) -> None:
    assert not ignored(features, data, saved.parent)


@pytest.mark.parametrize("part", [0.0, 0.0001, 0.01, 0.5, 0.9999])
def test_a_truncated_checkpoint_is_ignored(saved: Path, features: Path, data: RunData, part: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(part * len(content))])
    assert ignored(features, data, saved.parent)


def test_a_checkpoint_with_one_flipped_bit_anywhere_is_ignored(saved: Path, features: Path, data: RunData) -> None:
    content = saved.read_bytes()
    rng = np.random.default_rng(0)
    header = 8 + int.from_bytes(content[:8], "little")
    places = [0, 3, 7, *rng.integers(8, header, 20), *rng.integers(header, len(content), 10), len(content) - 1]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        saved.write_bytes(damaged)
        assert ignored(features, data, saved.parent), place


def test_the_checkpoint_of_another_run_is_ignored(saved: Path, features: Path, data: RunData) -> None:
    assert ignored(features, data, saved.parent, seed=1)


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    saved: Path, features: Path, data: RunData, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    trainer = Trainer(spec(features, "css"), data)
    trainer.train_epoch()
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(saved.parent, trainer)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [NAME]
