"""EqualWeights: the mean, without a Gramian."""

import pytest
import torch

from baselines.aggregators.equal import EqualWeights


@pytest.mark.parametrize("K", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_objective_weighs_the_same(K, dtype):
    losses = torch.arange(K, dtype=dtype, requires_grad=True)
    weights = EqualWeights()(None, losses)
    torch.testing.assert_close(weights, torch.full((K,), 1 / K, dtype=dtype))
    assert not weights.requires_grad


def test_the_gramian_is_neither_needed_nor_read():
    assert not EqualWeights.needs_gramian
    assert not EqualWeights.weights_everything
    weights = EqualWeights()(torch.full((3, 3), torch.nan), torch.zeros(3))
    torch.testing.assert_close(weights, torch.full((3,), 1 / 3))
