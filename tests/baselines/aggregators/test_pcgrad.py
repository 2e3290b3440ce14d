"""PCGrad's weights against the algorithm of the paper on the gradients themselves."""

import itertools
from collections import Counter

import pytest
import torch

from baselines.aggregators.pcgrad import PCGrad


def paper(J, orders):
    """Algorithm 1 of Yu et al. (2020); ``orders[i]`` are the other objectives in the order that g_i meets them."""
    total = torch.zeros_like(J[0])
    for i, order in enumerate(orders):
        running = J[i].clone()
        for j in order:
            product = running @ J[j]
            if product < 0:
                running = running - product / (J[j] @ J[j]) * J[j]
        total = total + running
    return total


def every_order(K):
    others = [itertools.permutations([j for j in range(K) if j != i]) for i in range(K)]
    return list(itertools.product(*others))


def gradients(seed, K=3, d=4):
    return torch.randn(K, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def weights_of(aggregator, J):
    return aggregator(J @ J.T, torch.zeros(len(J), dtype=J.dtype))


def conflicting():
    """Three gradients of the plane, each in conflict with both others, for which every choice of orders differs."""
    return torch.tensor([[1.0, 0.1], [-0.6, 1.0], [-0.5, -0.9]], dtype=torch.float64)


@pytest.mark.parametrize("K", [2, 3, 4])
@pytest.mark.parametrize("seed", range(10))
def test_update_is_the_papers_for_the_orders_drawn(seed, K):
    J = gradients(seed, K)
    aggregator = PCGrad(seed=seed, raw_scale=True)
    draws = torch.Generator().manual_seed(seed)
    for _ in range(5):
        orders = [
            [j for j in row if j != i] for i, row in enumerate(torch.rand(K, K, generator=draws).argsort().tolist())
        ]
        torch.testing.assert_close(weights_of(aggregator, J) @ J, paper(J, orders))


def test_every_choice_of_orders_occurs_equally_often():
    """Needs no knowledge of how orders are drawn: the 8 updates of the paper are told apart by their value."""
    J = conflicting()
    updates = torch.stack([paper(J, orders) for orders in every_order(3)])
    assert torch.pdist(updates).min() > 1e-3
    aggregator, n = PCGrad(raw_scale=True), 4000
    drawn = torch.stack([weights_of(aggregator, J) @ J for _ in range(n)])
    distance, nearest = torch.cdist(drawn, updates).min(-1)
    assert distance.max() < 1e-6
    counts = Counter(nearest.tolist())
    assert sum((counts[k] - n / 8) ** 2 / (n / 8) for k in range(8)) < 24.3  # χ² with 7 degrees of freedom, p = .001


@pytest.mark.parametrize("seed", range(5))
def test_without_conflict_it_is_the_mean(seed):
    J = gradients(seed).abs()
    torch.testing.assert_close(weights_of(PCGrad(), J), torch.full((3,), 1 / 3, dtype=J.dtype))
    torch.testing.assert_close(weights_of(PCGrad(raw_scale=True), J), torch.ones(3, dtype=J.dtype))


@pytest.mark.parametrize("seed", range(20))
def test_rescaling_keeps_the_direction_and_sums_to_one(seed):
    J = gradients(seed, d=2)
    raw, weights = weights_of(PCGrad(raw_scale=True), J), weights_of(PCGrad(), J)
    torch.testing.assert_close(weights, raw / raw.sum())
    assert (raw >= 1).all()  # coefficients only grow


def test_two_objectives_never_conflict_with_the_update():
    for seed in range(50):
        J = gradients(seed, K=2)
        assert (J @ (weights_of(PCGrad(), J) @ J)).min() >= -1e-12


@pytest.mark.parametrize(
    "J", [[[0.0, 0.0], [1.0, 0.0], [-1.0, 1.0]], [[0.0, 0.0]] * 3, [[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]]]
)
def test_a_zero_gradient_projects_nothing(J):
    J = torch.tensor(J)
    M = J @ J.T
    weights = PCGrad()(M - 1e-12 * (M == 0), torch.zeros(3))  # rounding may leave a negative product
    assert weights.isfinite().all()
    torch.testing.assert_close(weights.sum(), torch.ones(()))
    assert (weights[(J == 0).all(-1)] <= 1 / 3 + 1e-6).all()


def test_gradients_of_opposite_directions_cancel():
    J = torch.tensor([[2.0, 0.0], [-1.0, 0.0]])
    torch.testing.assert_close(weights_of(PCGrad(), J) @ J, torch.zeros(2))


def test_state_dict_carries_the_draws():
    J = conflicting()
    interrupted = PCGrad(seed=7)
    for _ in range(3):
        weights_of(interrupted, J)
    state = interrupted.state_dict()
    assert {k: v.dtype for k, v in state.items()} == {"_extra_state": torch.uint8}
    state = {k: v.clone() for k, v in state.items()}
    expected = torch.stack([weights_of(interrupted, J) for _ in range(20)])
    restored = PCGrad(seed=0)
    restored.load_state_dict(state)
    assert torch.equal(torch.stack([weights_of(restored, J) for _ in range(20)]), expected)
    fresh = PCGrad(seed=0)
    assert not torch.equal(torch.stack([weights_of(fresh, J) for _ in range(20)]), expected)


def test_draws_depend_on_the_seed_and_leave_the_global_generator_alone():
    J = conflicting()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a, b, c = (torch.stack([weights_of(p, J) for _ in range(20)]) for p in (PCGrad(1), PCGrad(1), PCGrad(2)))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_have_the_gramians_dtype_and_no_gradient():
    M = torch.eye(3, dtype=torch.float32, requires_grad=True)
    weights = PCGrad()(M, torch.zeros(3))
    assert weights.dtype == torch.float32
    assert not weights.requires_grad
