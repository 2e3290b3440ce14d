"""Dynamic weight average against the published formula on whole epochs, and another implementation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from baselines.aggregators.dwa import DynamicWeightAverage


def losses_of(seed, epochs, batches, K):
    draws = torch.Generator().manual_seed(seed)
    return 0.1 + 3 * torch.rand(epochs, batches, K, generator=draws, dtype=torch.float64)


def train(aggregator, losses):
    """Weights [epochs, batches, K]."""
    weights = []
    for epoch in losses:
        weights.append(torch.stack([aggregator(None, batch) for batch in epoch]))
        aggregator.end_epoch()
    return torch.stack(weights)


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4), st.floats(0.1, 10))
def test_weights_are_the_published_ones(seed, batches, K, temperature):
    losses = losses_of(seed, 5, batches, K)
    mean = losses.numpy().mean(axis=1)
    weights = train(DynamicWeightAverage(temperature), losses).numpy()
    for t in range(5):
        raised = np.exp(mean[t - 1] / mean[t - 2] / temperature) if t >= 2 else np.ones(K)
        np.testing.assert_allclose(weights[t], np.tile(raised / raised.sum(), (batches, 1)), rtol=1e-9)


def test_they_are_torchjds():
    theirs = pytest.importorskip("torchjd.scalarization").DWA(temperature=1.5)
    losses = losses_of(0, 4, 3, 3)
    ours = train(DynamicWeightAverage(1.5), losses)
    for epoch, weights in zip(losses, ours, strict=True):
        for batch, expected in zip(epoch, weights, strict=True):
            values = batch.clone().requires_grad_()
            (slope,) = torch.autograd.grad(theirs(values), values)
            torch.testing.assert_close(slope / 3, expected)
        theirs.step()


def test_the_objective_that_fell_less_weighs_more():
    epochs = torch.tensor([[[2.0, 2.0]], [[1.0, 1.8]], [[1.0, 1.0]]])
    assert train(DynamicWeightAverage(), epochs)[2, 0].diff() > 0


def test_it_begins_with_equal_weights():
    weights = train(DynamicWeightAverage(), losses_of(0, 2, 2, 3))
    torch.testing.assert_close(weights, torch.full_like(weights, 1 / 3))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_batch_with_a_loss_that_is_not_finite_enters_no_mean(bad):
    losses = losses_of(1, 4, 3, 3)
    spoilt = torch.cat((losses, torch.tensor([1.0, bad, 1.0]).expand(4, 1, 3)), dim=1)
    torch.testing.assert_close(train(DynamicWeightAverage(), spoilt)[:, :3], train(DynamicWeightAverage(), losses))


def test_an_epoch_without_any_mean_gives_equal_weights_while_it_is_remembered():
    losses = losses_of(2, 6, 2, 3)
    losses[2] = torch.nan
    alike = (train(DynamicWeightAverage(), losses)[:, 0].diff(dim=1).abs() < 1e-12).all(1)
    assert alike.tolist() == [True, True, False, True, True, False]


def test_state_dict_carries_an_epoch_that_is_cut_off():
    losses = losses_of(3, 4, 4, 3)
    aggregator, restored = DynamicWeightAverage(), DynamicWeightAverage()
    train(aggregator, losses[:3])
    aggregator(None, losses[3, 0])
    restored.load_state_dict({name: t.clone() for name, t in aggregator.state_dict().items()})
    assert torch.equal(train(restored, losses[[3, 0, 1]]), train(aggregator, losses[[3, 0, 1]]))


@pytest.mark.parametrize("temperature", [0.0, -2.0, math.nan])
def test_an_impossible_temperature_is_refused(temperature):
    with pytest.raises(ValueError, match=r"temperature is .*; it has to be positive"):
        DynamicWeightAverage(temperature)
