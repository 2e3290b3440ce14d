"""Variants of PGM: which part is gone, and what is the same."""

import pytest
import torch

from baselines.aggregators.mgda import MGDA
from baselines.aggregators.pgm import NormedPGM, PeriodicPGM, ThetaOnlyPGM
from css import ParetoGradientModulator
from tests.baselines.aggregators.jacobians import gradients, weights_of


@pytest.mark.parametrize("seed", range(10))
def test_the_normed_update_is_pgms_weights_on_unit_gradients(seed):
    J = gradients(seed)
    unit = J / J.norm(dim=1, keepdim=True)
    weights = weights_of(NormedPGM(raw_scale=True), J)
    torch.testing.assert_close(weights @ J, weights_of(ParetoGradientModulator(), J) @ unit)
    torch.testing.assert_close(weights @ J, weights_of(MGDA(), unit) @ unit)  # the min-norm point of unit gradients
    torch.testing.assert_close(weights_of(NormedPGM(), J), weights / weights.sum())


def test_the_normed_update_serves_unit_gradients_equally_where_all_take_part():
    J = torch.diag(torch.tensor([1.0, 10.0, 0.1]))
    weights = weights_of(NormedPGM(), J)
    served = (J @ (weights @ J)) / J.norm(dim=1)
    torch.testing.assert_close(served, served[:1].expand(3))


def test_theta_only_has_pgms_weights_and_leaves_the_rest_to_the_mean():
    J = gradients(1)
    assert torch.equal(weights_of(ThetaOnlyPGM(), J), weights_of(ParetoGradientModulator(), J))
    assert ParetoGradientModulator.weights_everything
    assert not ThetaOnlyPGM.weights_everything
    assert not NormedPGM.weights_everything


@pytest.mark.parametrize("variant", [NormedPGM, ThetaOnlyPGM, PeriodicPGM])
def test_masking_is_pgms_and_counted(variant):
    J = gradients(2)
    J[1] = torch.nan
    aggregator = variant()
    weights = weights_of(aggregator, J)
    assert weights[1] == 0
    assert weights.sum().item() == pytest.approx(1)
    assert aggregator.masked.tolist() == [0, 1, 0]
    aggregator = variant()
    assert not weights_of(aggregator, J * torch.nan).any()
    assert aggregator.skipped == 1


def drive(aggregator, steps):
    """As the trainer does: a Gramian only where it is asked for. Returns weights and where it was."""
    weights, asked = [], []
    for step in steps:
        J = gradients(step)
        asked.append(aggregator.needs_gramian)
        weights.append(aggregator(J @ J.T if asked[-1] else None, torch.zeros(3, dtype=J.dtype)))
    return weights, asked


def test_every_kth_step_is_solved_and_held():
    weights, asked = drive(PeriodicPGM(every=3), range(7))
    assert asked == [True, False, False, True, False, False, True]
    for step, w in enumerate(weights):
        assert torch.equal(w, weights_of(ParetoGradientModulator(), gradients(step // 3 * 3)))


def test_its_place_in_the_cycle_and_what_it_holds_travel_in_the_state():
    aggregator = PeriodicPGM(every=3)
    drive(aggregator, range(2))
    state = {name: t.clone() for name, t in aggregator.state_dict().items()}
    expected = drive(aggregator, range(2, 9))
    restored = PeriodicPGM(every=3)
    restored.load_state_dict(state)
    found = drive(restored, range(2, 9))
    assert found[1] == expected[1] == [False, True, False, False, True, False, False]
    assert all(torch.equal(a, b) for a, b in zip(found[0], expected[0], strict=True))


def test_a_period_of_nothing_is_refused():
    with pytest.raises(ValueError, match="every is 0"):
        PeriodicPGM(every=0)
