"""ConcatFusion against its formula."""

import pytest
import torch
from torch.nn import functional as F

from baselines.fusions.concat import ConcatFusion, MatchedConcatFusion
from css import SynergisticPolynomialFusion

MODALITIES = ("text", "audio", "visual")


def inputs(modalities=MODALITIES, N=4, features=6):
    generator = torch.Generator().manual_seed(0)
    return {m: torch.randn(N, features, generator=generator) for m in modalities}


@pytest.mark.parametrize("modalities", [MODALITIES, ("visual", "text"), ("audio",)])
@pytest.mark.parametrize("out_features", [None, 9])
def test_output_is_a_two_layer_mlp_of_the_concatenation(modalities, out_features):
    torch.manual_seed(0)
    fusion, x = ConcatFusion(6, modalities, out_features), inputs()
    first, _, second = fusion.mlp
    assert first.weight.shape == (6, 6 * len(modalities))
    expected = F.gelu(torch.cat([x[m] for m in modalities], 1) @ first.weight.T + first.bias) @ second.weight.T
    torch.testing.assert_close(fusion(x), expected + second.bias)
    assert fusion(x).shape == (4, fusion.out_features) == (4, out_features or 6)


def test_the_order_of_the_dictionary_is_irrelevant():
    fusion, x = ConcatFusion(6), inputs()
    assert torch.equal(fusion(dict(reversed(x.items()))), fusion(x))


def test_utterances_are_fused_one_by_one():
    fusion, x = ConcatFusion(6), inputs()
    torch.testing.assert_close(fusion({m: t.flip(0) for m, t in x.items()}), fusion(x).flip(0))


def test_the_hidden_width_is_free():
    assert [tuple(p.shape) for p in ConcatFusion(6, MODALITIES, 4, width=5).parameters()] == [
        (5, 18),
        (5,),
        (4, 5),
        (4,),
    ]


@pytest.mark.parametrize("modalities", [MODALITIES, ("visual", "text"), ("audio",)])
@pytest.mark.parametrize(("features", "rank", "order"), [(6, 4, 2), (64, 16, 3), (16, 8, 4), (8, 1, 1)])
def test_the_matched_one_has_as_many_parameters_as_spf(features, rank, order, modalities):
    def size(module):
        return sum(p.numel() for p in module.parameters())

    matched = MatchedConcatFusion(features, rank, order, modalities)
    spf = SynergisticPolynomialFusion(features, rank, order, modalities)
    assert matched.out_features == spf.out_features
    one_more = len(modalities) * features + 1 + rank  # parameters of a hidden unit
    assert abs(size(matched) - size(spf)) <= one_more / 2
