"""The unit-gradient variants: each against its aggregator on gradients that were divided by their lengths."""

import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from baselines.aggregators.fairgrad import FairGrad
from baselines.aggregators.gradvac import GradVac
from baselines.aggregators.mgda import MGDA
from baselines.aggregators.nash_mtl import NashMTL
from baselines.aggregators.pcgrad import PCGrad
from baselines.aggregators.pgm import NormedPGM
from baselines.aggregators.unit import UnitGradients, with_unit_option
from tests.baselines.aggregators.jacobians import gradients, weights_of

FACTORIES = [PCGrad, GradVac, FairGrad, MGDA, NashMTL]


@pytest.mark.parametrize("factory", FACTORIES)
@given(seed=st.integers(0, 10**6), K=st.integers(1, 4), raw=st.booleans())
def test_the_update_is_what_the_aggregator_makes_of_unit_gradients(factory, seed, K, raw):
    J = gradients(seed, K, d=6)
    options = {"raw_scale": True} if raw and factory is not MGDA else {}
    unit = normalize(J)
    expected = weights_of(factory(**options), unit) @ unit
    weights = weights_of(UnitGradients(factory(**options)), J)
    update = weights @ J
    if not options:
        assert weights.sum().item() == pytest.approx(1)
        update *= expected.norm() / update.norm()
    torch.testing.assert_close(update, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["UPGrad", "DualProj", "CAGrad", "AlignedMTL"])
@pytest.mark.parametrize("seed", range(5))
def test_so_it_is_with_torchjds(name, seed):
    pytest.importorskip("torchjd")
    import baselines.aggregators.jacobian_descent as descent

    factory = getattr(descent, name)
    J = gradients(seed)
    expected = weights_of(factory(raw_scale=True), normalize(J)) @ normalize(J)
    torch.testing.assert_close(weights_of(UnitGradients(factory(raw_scale=True)), J) @ J, expected)


@pytest.mark.parametrize("factory", FACTORIES)
@given(seed=st.integers(0, 10**6), exponents=st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_lengths_change_no_direction(factory, seed, exponents):
    J = gradients(seed, d=6)
    longer = 10 ** torch.tensor(exponents, dtype=torch.float64)[:, None] * J
    plain, scaled = weights_of(UnitGradients(factory()), J) @ J, weights_of(UnitGradients(factory()), longer) @ longer
    torch.testing.assert_close(normalize(scaled, dim=0), normalize(plain, dim=0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_mgdas_is_the_normed_modulator_and_two_have_no_other(seed):
    J = gradients(seed)
    assert torch.equal(weights_of(UnitGradients(MGDA()), J), weights_of(NormedPGM(), J))
    torch.testing.assert_close(weights_of(UnitGradients(NashMTL()), J), weights_of(NashMTL(), J), rtol=1e-6, atol=0)
    pytest.importorskip("torchjd")
    from baselines.aggregators.jacobian_descent import IMTLG

    torch.testing.assert_close(weights_of(UnitGradients(IMTLG()), J), weights_of(IMTLG(), J), rtol=1e-6, atol=1e-8)


def test_a_gradient_without_direction_has_no_weight():
    J = gradients(2)
    for shortened in (0.0, 1e-12):
        K3 = J.clone()
        K3[1] *= shortened
        weights = weights_of(UnitGradients(PCGrad()), K3)
        assert weights[1] == 0
        torch.testing.assert_close(weights[[0, 2]], weights_of(UnitGradients(PCGrad()), J[[0, 2]]))
    assert not weights_of(UnitGradients(PCGrad()), torch.zeros(3, 4)).any()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_is_not_hidden_and_not_remembered(bad):
    aggregator = UnitGradients(GradVac(beta=0.5))
    weights_of(aggregator, gradients(0))
    before = aggregator.inner.target.clone()
    for M in (torch.full((3, 3), bad), torch.eye(3) + torch.diag(torch.tensor([0.0, bad, 0.0]))):
        assert aggregator(M, torch.zeros(3)).isnan().all()
        assert torch.equal(aggregator.inner.target, before)


def test_its_draws_and_its_memory_are_those_of_what_it_wraps():
    aggregator = UnitGradients(GradVac(seed=3))
    assert aggregator.generator is aggregator.inner.generator
    weights_of(aggregator, gradients(0))
    restored = UnitGradients(GradVac())
    restored.load_state_dict({name: t.clone() for name, t in aggregator.state_dict().items()})
    for seed in range(4):
        assert torch.equal(weights_of(restored, gradients(seed)), weights_of(aggregator, gradients(seed)))
    assert not hasattr(UnitGradients(MGDA()), "generator")


def test_the_option_wraps_where_it_is_asked_for_and_shows_in_the_signature():
    build = with_unit_option(FairGrad)
    assert list(inspect.signature(build).parameters) == ["alpha", "raw_scale", "unit"]
    assert type(build(alpha=3.0)) is FairGrad
    variant = build(alpha=3.0, raw_scale=True, unit=True)
    assert type(variant) is UnitGradients
    assert (variant.inner.alpha, variant.raw_scale, variant.scale_invariant) == (3.0, True, False)
