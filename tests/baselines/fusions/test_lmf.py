"""LowRankFusion against the tensor network it factorises."""

import pytest
import torch

from baselines.fusions.lmf import LowRankFusion

MODALITIES = ("text", "audio", "visual")


def inputs(N=4, features=3):
    generator = torch.Generator().manual_seed(0)
    return {m: torch.randn(N, features, generator=generator, dtype=torch.float64) for m in MODALITIES}


def random(**options):
    torch.manual_seed(0)
    module = LowRankFusion(3, **options).double()
    for parameter in module.parameters():  # a bias of 0 cannot hide
        torch.nn.init.normal_(parameter)
    return module


@pytest.mark.parametrize("modalities", [MODALITIES, ("visual", "text"), ("audio",)])
@pytest.mark.parametrize("factors", [1, 3])
def test_it_is_a_linear_map_of_the_outer_product_whose_weight_has_low_rank(modalities, factors):
    module, x = random(modalities=modalities, factors=factors, width=5), inputs()
    weight = torch.zeros(*[4] * len(modalities), 5, dtype=torch.float64)
    for i in range(factors):
        rows = [module.weight[m, :, 5 * i : 5 * (i + 1)] for m in range(len(modalities))]
        product = rows[0]
        for row in rows[1:]:
            product = product.unsqueeze(-2) * row
        weight += module.coefficient[i] * product
    for n in range(4):
        tensor = torch.ones((), dtype=torch.float64)
        for m in modalities:
            tensor = torch.tensordot(tensor, torch.cat([torch.ones(1).double(), x[m][n]]), dims=0)
        expected = tensor.flatten() @ weight.flatten(0, -2) + module.bias
        torch.testing.assert_close(module(x)[n], expected)
    assert module.out_features == 5


def test_initialisation_is_xavier_normal():
    torch.manual_seed(0)
    module = LowRankFusion(31, factors=400, width=64)
    assert module.weight.std().item() == pytest.approx((2 / (32 + 64)) ** 0.5, rel=0.01)
    assert module.coefficient.std().item() == pytest.approx((2 / 401) ** 0.5, rel=0.1)
    assert not module.bias.any()
