"""The learning rate of every step: torch's own schedulers, what training makes of it, and a run that was cut off."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

from benchmark.experiment.spec import RunSpec
from benchmark.training.building import build_model
from benchmark.training.checkpoint import load_checkpoint, save_checkpoint
from benchmark.training.schedule import learning_rate
from benchmark.training.trainer import Trainer, train

Make = Callable[..., Trainer]
WARMUP = {"schedule": "warmup-cosine", "warmup": 0.3}


def scheduler(optimizer: torch.optim.Optimizer, rising: int, steps: int) -> SequentialLR:
    """What torch has for a linear warm-up and a cosine."""
    linear = LinearLR(optimizer, start_factor=1 / (rising + 1), total_iters=rising)
    return SequentialLR(optimizer, [linear, CosineAnnealingLR(optimizer, T_max=steps - rising)], milestones=[rising])


@pytest.mark.parametrize(("warmup", "steps", "rising"), [(0.1, 40, 4), (0.25, 10, 2), (0.5, 7, 4), (0.9, 30, 27)])
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_the_rate_is_that_of_torchs_schedulers(
    warmup: float, steps: int, rising: int, make_spec: Callable[..., RunSpec]
) -> None:
    settings = make_spec(schedule="warmup-cosine", warmup=warmup, lr=0.05).training
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.05)
    torchs = scheduler(optimizer, rising, steps)
    for step in range(steps):
        assert learning_rate(settings, step, steps) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9), step
        optimizer.step()
        torchs.step()


def test_the_rate_rises_to_the_setting_and_falls_to_nothing(make_spec: Callable[..., RunSpec]) -> None:
    settings = make_spec(schedule="warmup-cosine", warmup=0.2, lr=0.02).training
    rates = [learning_rate(settings, step, 100) for step in range(100)]
    assert max(rates) == rates[20] == 0.02
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert 0 < rates[0] < 0.001
    assert 0 < rates[-1] < 0.00001
    assert learning_rate(settings, 100, 100) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3, 100])
@pytest.mark.parametrize("warmup", [0.0, 0.01, 0.5, 0.999])
def test_every_step_of_every_budget_has_a_rate(steps: int, warmup: float, make_spec: Callable[..., RunSpec]) -> None:
    settings = make_spec(schedule="warmup-cosine", warmup=warmup).training
    assert all(0 < learning_rate(settings, step, steps) <= settings.lr for step in range(steps))


def test_a_constant_rate_is_the_setting_itself(make_spec: Callable[..., RunSpec]) -> None:
    settings = make_spec(lr=1 / 3).training
    assert {learning_rate(settings, step, 9) for step in range(9)} == {1 / 3}


@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_training_is_adam_under_the_schedule(make_trainer: Make) -> None:
    trainer = make_trainer("adam", epochs=3, probe_every=2, **WARMUP)
    spec, data = trainer.spec, trainer.train_data
    model, _ = build_model(spec, data.conversations, "cpu")
    settings = spec.training
    adam = torch.optim.Adam(model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    per_epoch = len(list(data.epoch(settings.batch_size, spec.seed, 1)))
    schedule = scheduler(adam, rising=round(0.3 * 3 * per_epoch), steps=3 * per_epoch)
    losses = []
    for epoch in (1, 2, 3):
        for batch in data.epoch(settings.batch_size, spec.seed, epoch):
            objectives = torch.stack(trainer.objective(model(batch.features, batch.speakers, batch.lengths), batch))
            adam.zero_grad()
            objectives.mean().backward()
            adam.step()
            schedule.step()
            losses.append(objectives.tolist())
    train(trainer)

    np.testing.assert_allclose(np.concatenate(trainer.progress.steps)[:, :3], losses, rtol=1e-4)
    for a, b in zip(trainer.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("method", ["css", "adam", "pcgrad"])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(
    method: str, epochs: int, make_trainer: Make, tmp_path: Path
) -> None:
    settings = WARMUP | {"epochs": 4, "clip_norm": 0.5}
    whole = make_trainer(method, **settings)
    train(whole)
    cut = make_trainer(method, **settings)
    train(cut, stop=lambda: cut.progress.epoch == epochs)
    save_checkpoint(tmp_path, cut)
    torch.rand(7)  # what the process draws in between is not the run's
    resumed = make_trainer(method, **settings)
    assert load_checkpoint(tmp_path, resumed)
    train(resumed)

    for name, tensor in whole.state().items():
        assert torch.equal(tensor, resumed.state()[name]), name
    for name in ("steps", "history", "conflict", "test_predictions"):
        np.testing.assert_equal(getattr(resumed.progress, name), getattr(whole.progress, name))
    constant = make_trainer(method, epochs=4, clip_norm=0.5)
    train(constant)
    assert constant.progress.history != whole.progress.history
