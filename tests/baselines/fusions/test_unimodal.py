"""A modality passed through as it is."""

import pytest
import torch

from baselines.fusions.unimodal import AudioFusion, TextFusion, VisualFusion


@pytest.mark.parametrize(("fusion", "name"), [(TextFusion, "text"), (AudioFusion, "audio"), (VisualFusion, "visual")])
def test_it_is_the_modalitys_features_without_parameters(fusion, name):
    x = {m: torch.randn(4, 5) for m in ("text", "audio", "visual")}
    module = fusion(5)
    assert torch.equal(module(x), x[name])
    assert module.out_features == 5
    assert not list(module.parameters())


def test_an_absent_modality_is_refused():
    with pytest.raises(ValueError, match=r"TextFusion: the inputs are audio, visual, without text; add it"):
        TextFusion(5, ("audio", "visual"))
