"""TensorFusion against a loop of outer products."""

import pytest
import torch

from baselines.fusions.tensor import TensorFusion

MODALITIES = ("text", "audio", "visual")


def inputs(N=4, features=6):
    generator = torch.Generator().manual_seed(0)
    return {m: torch.randn(N, features, generator=generator) for m in MODALITIES}


def by_hand(fusion, x, modalities):
    rows = []
    for n in range(4):
        product = torch.ones(())
        for m in modalities:
            linear = fusion.projections[m]
            z = torch.cat((torch.ones(1), linear.weight @ x[m][n] + linear.bias))
            product = torch.tensordot(product, z, dims=0)  # one axis a modality
        rows.append(product.flatten())
    return torch.stack(rows)


@pytest.mark.parametrize("modalities", [MODALITIES, ("visual", "text"), ("audio",)])
@pytest.mark.parametrize("width", [1, 3])
def test_output_is_the_outer_product(modalities, width):
    torch.manual_seed(0)
    fusion, x = TensorFusion(6, modalities, width), inputs()
    out = fusion(x)
    assert out.shape == (4, fusion.out_features) == (4, (width + 1) ** len(modalities))
    torch.testing.assert_close(out, by_hand(fusion, x, modalities))


def test_it_holds_the_constant_and_each_modality_alone():
    fusion, x = TensorFusion(6, width=2), inputs()
    cube = fusion(x).unflatten(1, (3, 3, 3))
    assert (cube[:, 0, 0, 0] == 1).all()
    torch.testing.assert_close(cube[:, 1:, 0, 0], fusion.projections["text"](x["text"]))
    torch.testing.assert_close(cube[:, 0, 1:, 0], fusion.projections["audio"](x["audio"]))
    torch.testing.assert_close(cube[:, 0, 0, 1:], fusion.projections["visual"](x["visual"]))


def test_the_default_has_4913_features():
    assert TensorFusion(8).out_features == 4913


def test_gradients_reach_every_parameter():
    fusion = TensorFusion(6, width=2)
    assert all(g.abs().max() > 0 for g in torch.autograd.grad(fusion(inputs()).sum(), list(fusion.parameters())))


def test_utterances_are_fused_one_by_one():
    fusion, x = TensorFusion(6, width=2), inputs()
    torch.testing.assert_close(fusion({m: t.flip(0) for m, t in x.items()}), fusion(x).flip(0))


@pytest.mark.parametrize(
    ("modalities", "width", "size", "largest"),
    [
        (MODALITIES, 300, r"27,270,901 features: 104.0 MiB an utterance", 63),
        (MODALITIES, 64, r"274,625 features: 1.0 MiB an utterance", 63),
        (MODALITIES[:2], 2000, r"4,004,001 features: 15.3 MiB an utterance", 511),
    ],
)
def test_too_many_features_are_refused_with_their_size_and_what_would_fit(modalities, width, size, largest):
    with pytest.raises(
        ValueError, match=rf"width {width} and {len(modalities)} modalities make {size}.*width {largest} "
    ):
        TensorFusion(8, modalities, width)
    assert TensorFusion(2, modalities, largest).out_features == (largest + 1) ** len(modalities) == 2**18
