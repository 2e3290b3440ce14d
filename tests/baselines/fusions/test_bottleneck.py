"""BottleneckFusion: what one modality learns of another passes the bottleneck tokens, from the second layer on."""

import pytest
import torch
from torch.nn import functional as F

from baselines.fusions.bottleneck import BottleneckFusion

MODALITIES = ("text", "audio", "visual")


def inputs(N=3, features=8):
    generator = torch.Generator().manual_seed(0)
    return {m: torch.randn(N, features, generator=generator, dtype=torch.float64) for m in MODALITIES}


def layer_by_hand(layer, tokens, heads):
    """A pre-norm Transformer layer (Vaswani et al. 2017; GELU) on the tokens [T, h] of one utterance."""
    h = tokens.shape[1]
    normed = F.layer_norm(tokens, (h,), layer.norm1.weight, layer.norm1.bias)
    q, k, v = (normed @ layer.self_attn.in_proj_weight.T + layer.self_attn.in_proj_bias).chunk(3, -1)
    out = []
    for a, b, c in zip(*(t.chunk(heads, -1) for t in (q, k, v)), strict=True):
        out.append(torch.softmax(a @ b.T / (h // heads) ** 0.5, -1) @ c)
    u = tokens + torch.cat(out, -1) @ layer.self_attn.out_proj.weight.T + layer.self_attn.out_proj.bias
    normed = F.layer_norm(u, (h,), layer.norm2.weight, layer.norm2.bias)
    return u + layer.linear2(F.gelu(layer.linear1(normed)))


@pytest.mark.parametrize("modalities", [MODALITIES, ("visual", "text"), ("audio",)])
@pytest.mark.parametrize("training", [True, False])
def test_output_is_the_exchange_written_as_loops(modalities, training):
    torch.manual_seed(0)
    fusion, x = BottleneckFusion(8, modalities, bottlenecks=3, layers=2, heads=2).double().train(training), inputs()
    with torch.no_grad():
        fusion.bottleneck.normal_()
        for n in range(3):
            own, shared = {m: x[m][n : n + 1] for m in modalities}, fusion.bottleneck
            for layer in fusion.layers:
                mixed = {m: layer_by_hand(layer[m], torch.cat([own[m], shared]), heads=2) for m in modalities}
                own = {m: t[:1] for m, t in mixed.items()}
                shared = sum(t[1:] for t in mixed.values()) / len(modalities)
            torch.testing.assert_close(fusion(x)[n : n + 1], sum(own.values()) / len(modalities))


def test_modalities_meet_from_the_second_layer_on():
    """∂²/∂text∂audio is zero in one layer, where the output is a sum of functions of one modality each."""
    for layers, meets in ((1, False), (2, True)):
        torch.manual_seed(0)
        fusion, x = BottleneckFusion(8, layers=layers).double(), inputs(N=1)
        moved = {m: t.flip(1) for m, t in x.items()}  # a shift is nothing to a layer norm
        mixed = fusion(x | {"text": moved["text"], "audio": moved["audio"]})
        alone = fusion(x | {"text": moved["text"]}) + fusion(x | {"audio": moved["audio"]}) - fusion(x)
        assert torch.allclose(mixed, alone) is not meets


def test_heads_that_do_not_divide_the_width_become_fewer():
    assert BottleneckFusion(6, heads=4).layers[0]["text"].self_attn.num_heads == 2
    assert BottleneckFusion(8, heads=4).layers[0]["text"].self_attn.num_heads == 4
