"""What the tests of aggregators share."""

import torch


def gradients(seed, K=3, d=5):
    """J [K, d] float64 of unequal lengths."""
    generator = torch.Generator().manual_seed(seed)
    J = torch.randn(K, d, generator=generator, dtype=torch.float64)
    return J * torch.exp(torch.randn(K, 1, generator=generator, dtype=torch.float64))


def weights_of(aggregator, J):
    return aggregator(J @ J.T, torch.zeros(len(J), dtype=J.dtype))
