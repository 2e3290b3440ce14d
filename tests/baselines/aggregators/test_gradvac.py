"""GradVac's weights against the algorithm of the paper on the gradients themselves."""

import math

import pytest
import torch

from baselines.aggregators.gradvac import GradVac
from tests.baselines.aggregators.jacobians import gradients, weights_of


def paper(J, target, orders, beta):
    """Algorithm 1 of Wang et al. (2021); ``orders[i]`` are the others as g_i meets them; ``target`` is updated."""
    total = torch.zeros_like(J[0])
    for i, order in enumerate(orders):
        running = J[i].clone()
        for j in order:
            norm, other = running.norm(), J[j].norm()
            cosine = float(running @ J[j] / (norm * other))
            wanted = target[i][j]
            if cosine < wanted:
                scale = wanted * math.sqrt(1 - cosine**2) - cosine * math.sqrt(1 - wanted**2)
                running = running + norm * scale / (other * math.sqrt(1 - wanted**2)) * J[j]
                assert float(running @ J[j] / (running.norm() * other)) == pytest.approx(wanted)  # what it is for
            target[i][j] = (1 - beta) * wanted + beta * cosine
        total = total + running
    return total


@pytest.mark.parametrize("K", [2, 3, 4])
@pytest.mark.parametrize("beta", [0.01, 0.6])
@pytest.mark.parametrize("seed", range(5))
def test_updates_are_the_papers_step_after_step(seed, K, beta):
    aggregator = GradVac(seed=seed, beta=beta, raw_scale=True)
    draws = torch.Generator().manual_seed(seed)
    target = [[0.0] * K for _ in range(K)]
    for step in range(8):
        J = gradients(100 * seed + step, K)
        orders = [
            [j for j in row if j != i] for i, row in enumerate(torch.rand(K, K, generator=draws).argsort().tolist())
        ]
        torch.testing.assert_close(weights_of(aggregator, J) @ J, paper(J, target, orders, beta))
        off = ~torch.eye(K, dtype=torch.bool)
        torch.testing.assert_close(aggregator.target[off], torch.tensor(target, dtype=torch.float64)[off])


def test_without_memory_it_is_pcgrad_for_two_objectives():
    J = torch.tensor([[1.0, 0.2], [-1.0, 0.3]], dtype=torch.float64)
    for _ in range(3):
        update = weights_of(aggregator := GradVac(beta=0.0, raw_scale=True), J) @ J
        projected = sum(a - (a @ b) / (b @ b) * b for a, b in ((J[0], J[1]), (J[1], J[0])))
        torch.testing.assert_close(update, projected)
        assert not aggregator.target.any()


def test_rescaling_keeps_the_direction_and_sums_to_one():
    for seed in range(20):
        J = gradients(seed, d=2)
        raw, weights = weights_of(GradVac(raw_scale=True), J), weights_of(GradVac(), J)
        torch.testing.assert_close(weights, raw / raw.sum())
        assert (raw >= 1).all()


def test_a_gradient_of_length_zero_meets_nobody():
    J = torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 1.0]], dtype=torch.float64)
    aggregator = GradVac(beta=0.5)
    weights = weights_of(aggregator, J)
    assert weights.isfinite().all()
    assert weights.sum().item() == pytest.approx(1)
    assert not aggregator.target[0].any()
    assert not aggregator.target[:, 0].any()
    assert aggregator.target[1, 2] < 0


def test_what_is_not_finite_is_not_hidden_and_not_remembered():
    aggregator = GradVac(beta=0.5)
    weights_of(aggregator, gradients(0))
    before = aggregator.target.clone()
    assert aggregator(torch.full((3, 3), torch.nan), torch.zeros(3)).isnan().all()
    assert torch.equal(aggregator.target, before)
    assert before.any()


def test_state_dict_carries_targets_and_draws():
    aggregator = GradVac(seed=3, beta=0.5)
    for seed in range(3):
        weights_of(aggregator, gradients(seed))
    state = {name: t.clone() for name, t in aggregator.state_dict().items()}
    expected = [weights_of(aggregator, gradients(seed)) for seed in range(5)]
    restored = GradVac(beta=0.5)
    restored.load_state_dict(state)
    assert all(torch.equal(weights_of(restored, gradients(s)), w) for s, w in enumerate(expected))


@pytest.mark.parametrize("beta", [-0.1, 1.1])
def test_an_impossible_decay_is_refused(beta):
    with pytest.raises(ValueError, match=r"beta is .*; it has to be between 0 and 1"):
        GradVac(beta=beta)
