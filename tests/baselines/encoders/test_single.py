"""The unimodal baselines: one modality's encoder and classifier, which no other modality reaches."""

import pytest
import torch

from baselines.encoders.single import AudioEncoder, TextEncoder, VisualEncoder
from baselines.fusions.unimodal import AudioFusion, TextFusion, VisualFusion
from css.encoder import ConversationEncoder
from css.model import EmotionClassifier

WIDTHS = {"text": 5, "audio": 4, "visual": 3}
ENCODERS = {"text": TextEncoder, "audio": AudioEncoder, "visual": VisualEncoder}
FUSIONS = {"text": TextFusion, "audio": AudioFusion, "visual": VisualFusion}


def batch(N=7):
    generator = torch.Generator().manual_seed(1)
    features = {m: torch.randn(N, d, generator=generator) for m, d in WIDTHS.items()}
    return features, torch.randint(0, 3, (N,), generator=generator), torch.tensor([3, N - 3])


def model(encoder, modality):
    torch.manual_seed(0)
    built = encoder(WIDTHS, 8, 2, 0.0, 3)
    return EmotionClassifier(built, FUSIONS[modality](8, built.modalities), 4, 0.0).eval()


def logits(classifier, changed=None):
    features, speakers, lengths = batch()
    if changed:
        features[changed] = features[changed] + 1
    return classifier(features, speakers, lengths)


@pytest.mark.parametrize("modality", WIDTHS)
def test_no_logit_depends_on_another_modality_and_every_one_on_this(modality):
    alone = model(ENCODERS[modality], modality)
    before = logits(alone)
    assert list(before.unimodal) == [modality]
    for changed in WIDTHS:
        after = logits(alone, changed)
        same = changed != modality
        assert torch.equal(after.fused, before.fused) is same
        assert torch.equal(after.unimodal[modality], before.unimodal[modality]) is same
        assert same or (after.fused != before.fused).any(dim=1).all()


@pytest.mark.parametrize("modality", WIDTHS)
def test_behind_the_whole_encoder_the_fusion_of_that_name_does_depend_on_the_others(modality):
    stream = model(ConversationEncoder, modality)
    before = logits(stream).fused
    for changed in WIDTHS:
        assert not torch.equal(logits(stream, changed).fused, before)


@pytest.mark.parametrize("modality", WIDTHS)
def test_it_is_the_papers_encoder_of_that_modality_and_has_no_parameter_for_another(modality):
    torch.manual_seed(0)
    alone = ENCODERS[modality](WIDTHS, 8, 2, 0.0, 3)
    torch.manual_seed(0)
    expected = ConversationEncoder({modality: WIDTHS[modality]}, 8, 2, 0.0, 3)
    for (name, a), (other, b) in zip(alone.named_parameters(), expected.named_parameters(), strict=True):
        assert name == other
        assert torch.equal(a, b)


def test_an_absent_modality_is_refused():
    with pytest.raises(ValueError, match="AudioEncoder: the inputs are text, without audio; add it to --modalities"):
        AudioEncoder({"text": 5}, 8, 2, 0.0, 3)
