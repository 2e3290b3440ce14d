"""TorchJD's weightings behind our interface, against its own matrix aggregators and against the papers' problems."""

import pytest

pytest.importorskip("torchjd")

import torch
from torchjd import aggregation

from baselines.aggregators.jacobian_descent import IMTLG, AlignedMTL, CAGrad, DualProj, UPGrad
from baselines.aggregators.scale import unit_sum
from tests.baselines.aggregators.jacobians import gradients, weights_of

PAIRS = [
    (UPGrad(raw_scale=True), aggregation.UPGrad()),
    (DualProj(raw_scale=True), aggregation.DualProj()),
    (CAGrad(c=0.5, raw_scale=True), aggregation.CAGrad(c=0.5)),
    (CAGrad(c=1.5, raw_scale=True), aggregation.CAGrad(c=1.5)),
    (IMTLG(), aggregation.IMTLG()),
    (AlignedMTL(raw_scale=True), aggregation.AlignedMTL()),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda a: type(a).__name__)
@pytest.mark.parametrize("seed", range(10))
def test_the_update_is_torchjds(seed, ours, theirs):
    J = gradients(seed)
    torch.testing.assert_close(weights_of(ours, J) @ J, theirs(J), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
@pytest.mark.parametrize(
    "aggregator", [UPGrad(), DualProj(), CAGrad(), IMTLG(), AlignedMTL()], ids=lambda a: type(a).__name__
)
def test_short_gradients_are_no_zeros(aggregator, scale):
    """TorchJD alone answers a trace below 1e-4 as if there were no gradients."""
    J = gradients(3)
    torch.testing.assert_close(weights_of(aggregator, scale * J), weights_of(aggregator, J), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("seed", range(10))
def test_cagrad_is_the_best_worst_case_in_the_ball(seed):
    """Liu et al. (2021), equation 3: no other point of the ball serves the worst objective better."""
    J = gradients(seed)
    mean = J.mean(0)
    update = weights_of(CAGrad(c=0.4, raw_scale=True), J) @ J
    radius = 0.4 * mean.norm()
    assert (update - mean).norm().item() == pytest.approx(radius.item(), rel=1e-4)
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(4000, 5, generator=generator, dtype=torch.float64)
    others = mean + radius * directions / directions.norm(dim=1, keepdim=True)
    assert (J @ update).min() >= (others @ J.T).amin(1).max() - 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_imtl_g_projects_equally_on_all_gradients(seed):
    J = gradients(seed)
    weights = weights_of(IMTLG(), J)
    projections = (J @ (weights @ J)) / J.norm(dim=1)
    torch.testing.assert_close(projections, projections[:1].expand(3))
    assert weights.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(10))
def test_aligned_mtl_is_the_mean_of_gradients_with_equal_singular_values(seed):
    J = gradients(seed)
    U, S, Vh = torch.linalg.svd(J, full_matrices=False)
    torch.testing.assert_close(weights_of(AlignedMTL(raw_scale=True), J) @ J, (S.min() * U @ Vh).mean(0))


@pytest.mark.parametrize("seed", range(10))
def test_dualproj_is_the_nearest_vector_without_conflict(seed):
    J = gradients(seed, d=3)
    update = weights_of(DualProj(raw_scale=True), J) @ J
    mean = J.mean(0)
    generator = torch.Generator().manual_seed(seed)
    near = update + 0.3 * mean.norm() * torch.randn(20000, 3, generator=generator, dtype=torch.float64)
    allowed = near[(near @ J.T).amin(1) >= 0]
    assert len(allowed) > 0
    assert (allowed - mean).norm(dim=1).min() >= (update - mean).norm() * (1 - 1e-3) - 1e-4


def test_cagrad_claims_no_conflict_only_where_the_ball_holds_zero():
    assert CAGrad(c=1.0).non_conflicting
    assert not CAGrad(c=0.99).non_conflicting


def test_opposite_gradients_leave_no_update():
    J = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    for aggregator in (CAGrad(), AlignedMTL(), IMTLG()):
        assert not weights_of(aggregator, J).any()


def test_what_is_not_finite_is_not_hidden():
    for aggregator in (UPGrad(), CAGrad(), AlignedMTL(), IMTLG(), DualProj()):
        assert aggregator(torch.full((3, 3), torch.nan), torch.zeros(3)).isnan().all()


def test_unit_sum():
    torch.testing.assert_close(unit_sum(torch.tensor([1.0, 3.0])), torch.tensor([0.25, 0.75]))
    for cancelled in ([0.0, 0.0], [1.0, -1.0], [1.0, -2.0], [1.0, -1.0 + 1e-12]):
        assert unit_sum(torch.tensor(cancelled, dtype=torch.float64)).tolist() == [0.0, 0.0]
    assert unit_sum(torch.tensor([1.0, torch.nan])).isnan().all()
