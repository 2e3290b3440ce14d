"""LinearFusion against its formula."""

import pytest
import torch

from baselines.fusions.linear import LinearFusion

MODALITIES = ("text", "audio", "visual")


def inputs(modalities=MODALITIES, N=4, features=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {m: torch.randn(N, features, generator=generator) for m in modalities}


@pytest.mark.parametrize("modalities", [MODALITIES, ("visual", "text"), ("audio",)])
def test_output_is_one_linear_map_of_the_concatenation(modalities):
    fusion, x = LinearFusion(6, modalities), inputs()
    assert fusion.linear.weight.shape == (6, 6 * len(modalities))
    expected = torch.cat([x[m] for m in modalities], 1) @ fusion.linear.weight.T + fusion.linear.bias
    torch.testing.assert_close(fusion(x), expected)
    assert fusion(x).shape == (4, fusion.out_features)


def test_modalities_do_not_interact():
    """The mixed difference of two modalities is zero: f(a′, t′) − f(a′, t) − f(a, t′) + f(a, t) = 0."""
    fusion, x, other = LinearFusion(6).double(), inputs(), inputs(seed=1)
    x, other = ({m: t.double() for m, t in given.items()} for given in (x, other))
    both = fusion({**x, "text": other["text"], "audio": other["audio"]})
    mixed = both - fusion({**x, "audio": other["audio"]}) - fusion({**x, "text": other["text"]}) + fusion(x)
    torch.testing.assert_close(mixed, torch.zeros_like(mixed))


def test_the_order_of_the_dictionary_is_irrelevant():
    fusion, x = LinearFusion(6), inputs()
    assert torch.equal(fusion(dict(reversed(x.items()))), fusion(x))
