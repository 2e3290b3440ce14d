"""PGM with the released implementation's solver: right on gradients that differ, else stuck at uniform."""

import numpy as np
import pytest
import torch

from css import ParetoGradientModulator
from css.slsqp import slsqp_weights


def gramians(spread, count=200):
    """Of three gradients that differ by ``spread`` relative to what they share."""
    for seed in range(count):
        g = torch.Generator().manual_seed(seed)
        common, own = (torch.randn(n, 50, generator=g, dtype=torch.float64) for n in (1, 3))
        J = common + spread * own
        yield J @ J.T


def weights_of_both(spread):
    exact, released = ParetoGradientModulator(), ParetoGradientModulator("slsqp")
    return (np.array([pgm(M).numpy() for M in gramians(spread)]) for pgm in (exact, released))


def test_gradients_that_differ_get_the_exact_weights():
    exact, released = weights_of_both(spread=100)
    np.testing.assert_allclose(released, exact, atol=5e-3)
    assert np.abs(exact - 1 / 3).max() > 0.1


@pytest.mark.parametrize("spread", [1e-2, 1e-4])
def test_on_nearly_collinear_gradients_it_stops_at_uniform_far_from_the_exact_weights(spread):
    exact, released = weights_of_both(spread)
    np.testing.assert_allclose(released, 1 / 3, atol=1e-9)
    assert 0.25 < np.abs(exact - released).max() < 0.34


def test_weights_are_on_the_simplex():
    for spread in (0.1, 1, 100):
        for M in gramians(spread):
            weights = ParetoGradientModulator("slsqp")(M)
            assert weights.min() >= 0
            assert weights.sum().item() == pytest.approx(1, abs=1e-6)


def test_rows_are_divided_by_their_length_and_a_little_more():
    """A gradient shorter than 1e-8 is short after the division too, and gets the weight."""
    J = torch.diag(torch.tensor([1.0, 1.0, 1e-9], dtype=torch.float64))
    assert ParetoGradientModulator("slsqp")(J @ J.T)[2] > 0.9
    assert ParetoGradientModulator("exact")(J @ J.T)[2] == 0
    length = np.array([1, 1, 1e-9]) + 1e-8
    expected = slsqp_weights((J @ J.T).numpy() / length / length[:, None])
    np.testing.assert_array_equal(ParetoGradientModulator("slsqp")(J @ J.T).numpy(), expected)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_only_what_is_not_finite_is_left_out(value):
    M = torch.eye(3)
    M[1, :] = M[:, 1] = value
    pgm = ParetoGradientModulator("slsqp")
    torch.testing.assert_close(pgm(M), torch.tensor([0.5, 0, 0.5]))
    assert pgm.masked.tolist() == [0, 1, 0]
    torch.testing.assert_close(pgm(torch.zeros(3, 3)), torch.full((3,), 1 / 3))
    assert pgm.skipped == 0
    assert pgm(torch.full((3, 3), value)).tolist() == [0, 0, 0]
    assert pgm.skipped == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_have_the_gramians_type(dtype):
    assert ParetoGradientModulator("slsqp")(torch.eye(3, dtype=dtype)).dtype == dtype
