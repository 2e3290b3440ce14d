"""Clipping: the update shortened to a norm, computed again in float64; no trace of it where it is not asked."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.training.building import build_model
from benchmark.training.trainer import Trainer, train

Make = Callable[..., Trainer]


def stepped(trainer: Trainer) -> tuple[Tensor, float]:
    """The gradients that the optimiser was given in the first step, flat and in float64, and the norm in its row."""
    row = trainer._step(trainer.train_data.batch(range(4)))
    assert trainer.parameters.flat.grad is not None
    return trainer.parameters.flat.grad.double(), float(row[trainer.step_columns.index("gradient_norm")])


@pytest.mark.parametrize("method", ["css", "adam", "concat+pcgrad", "pgm-theta-only"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99, 1.5])
def test_an_update_is_shortened_to_the_norm_over_all_parameters(method: str, share: float, make_trainer: Make) -> None:
    whole, norm = stepped(make_trainer(method))
    longest = share * float(whole.norm())
    clipped, recorded = stepped(make_trainer(method, clip_norm=longest))

    torch.testing.assert_close(clipped, whole * min(1, longest / float(whole.norm())), rtol=1e-4, atol=1e-9)
    assert float(clipped.norm()) == pytest.approx(min(longest, float(whole.norm())), rel=1e-4)
    assert recorded == norm == pytest.approx(float(whole.norm()), rel=1e-5)  # before it was shortened


@pytest.mark.parametrize("method", ["css", "adam"])
def test_a_norm_that_no_update_reaches_changes_no_bit(method: str, make_trainer: Make) -> None:
    plain, clipped = make_trainer(method), make_trainer(method, clip_norm=1e30)
    train(plain)
    train(clipped)
    for name, tensor in plain.state().items():
        assert torch.equal(tensor, clipped.state()[name]), name
    np.testing.assert_equal(clipped.progress.steps, plain.progress.steps)


@pytest.mark.parametrize("probe_every", [1, 1000])
def test_without_clipping_and_schedule_training_is_plain_adam_to_the_bit(probe_every: int, make_trainer: Make) -> None:
    """The step as it was before there were these settings."""
    trainer = make_trainer("adam", epochs=2, probe_every=probe_every)
    spec, data = trainer.spec, trainer.train_data
    settings = spec.training
    model, _ = build_model(spec, data.conversations, "cpu")
    order = [dict(model.named_parameters())[name] for name in names(trainer)]
    adam = torch.optim.Adam(order, lr=settings.lr, weight_decay=settings.weight_decay, fused=True)
    weights = torch.full((3,), 1 / 3)
    for epoch in (1, 2):
        for batch in data.epoch(settings.batch_size, spec.seed, epoch):
            logits = model(batch.features, batch.speakers, batch.lengths)
            adam.zero_grad()
            (weights @ torch.stack(trainer.objective(logits, batch))).backward()
            adam.step()
    train(trainer)
    for name, tensor in trainer.model.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name


def names(trainer: Trainer) -> list[str]:
    """The parameters' names in the order of the trainer's optimiser."""
    known = {id(p): name for name, p in trainer.model.named_parameters()}
    return [known[id(p)] for p in trainer.parameters.all]
