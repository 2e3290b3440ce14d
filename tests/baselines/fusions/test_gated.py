"""GatedFusion against its formula, utterance by utterance."""

import pytest
import torch

from baselines.fusions.gated import GatedFusion

MODALITIES = ("text", "audio", "visual")


def inputs(N=4, features=6):
    generator = torch.Generator().manual_seed(0)
    return {m: torch.randn(N, features, generator=generator) for m in MODALITIES}


@pytest.mark.parametrize("modalities", [MODALITIES, ("visual", "text"), ("audio",)])
def test_each_feature_is_a_softmax_weighted_sum(modalities):
    torch.manual_seed(0)
    fusion, x = GatedFusion(6, modalities), inputs()
    for n in range(4):
        for k in range(6):
            score = [torch.exp(fusion.gate.weight[k] @ x[m][n]) for m in modalities]
            expected = sum(s / sum(score) * x[m][n, k] for s, m in zip(score, modalities, strict=True))
            torch.testing.assert_close(fusion(x)[n, k], expected)


def test_one_modality_passes_through():
    x = inputs()
    torch.testing.assert_close(GatedFusion(6, ("audio",))(x), x["audio"])


def test_equal_modalities_pass_through():
    x = inputs()["text"]
    torch.testing.assert_close(GatedFusion(6)(dict.fromkeys(MODALITIES, x)), x)
