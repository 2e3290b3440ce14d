"""The encoders of two modalities: the paper's for these two, whatever order they come in, and blind to the third."""

import pytest
import torch

from baselines.encoders.pair import AudioVisualEncoder, TextAudioEncoder, TextVisualEncoder
from css.encoder import ConversationEncoder
from css.fusion import SynergisticPolynomialFusion
from css.model import EmotionClassifier

WIDTHS = {"text": 5, "audio": 4, "visual": 3}
PAIRS = {
    ("text", "audio"): TextAudioEncoder,
    ("text", "visual"): TextVisualEncoder,
    ("audio", "visual"): AudioVisualEncoder,
}


def built(encoder, widths=WIDTHS):
    torch.manual_seed(0)
    return encoder(widths, 8, 2, 0.0, 3)


@pytest.mark.parametrize(("pair", "encoder"), PAIRS.items())
def test_every_logit_depends_on_both_and_none_on_the_third(pair, encoder):
    generator = torch.Generator().manual_seed(1)
    features = {m: torch.randn(7, d, generator=generator) for m, d in WIDTHS.items()}
    speakers, lengths = torch.randint(0, 3, (7,), generator=generator), torch.tensor([3, 4])
    inner = built(encoder)
    model = EmotionClassifier(inner, SynergisticPolynomialFusion(8, 4, 2, inner.modalities), 4, 0.0).eval()
    before = model(features, speakers, lengths)
    assert tuple(before.unimodal) == pair
    for changed in WIDTHS:
        after = model({**features, changed: features[changed] + 1}, speakers, lengths)
        for logits, old in ((after.fused, before.fused), *((after.unimodal[m], before.unimodal[m]) for m in pair)):
            moved = (logits != old).any(dim=1)
            assert moved.all() if changed in pair else not moved.any()


@pytest.mark.parametrize(("pair", "encoder"), PAIRS.items())
def test_it_is_the_papers_encoder_of_these_two_whatever_the_order_of_the_inputs(pair, encoder):
    torch.manual_seed(0)
    expected = ConversationEncoder({m: WIDTHS[m] for m in pair}, 8, 2, 0.0, 3)
    for widths in (WIDTHS, dict(reversed(WIDTHS.items()))):
        state = built(encoder, widths).state_dict()
        assert list(state) == list(expected.state_dict())
        assert all(torch.equal(state[name], t) for name, t in expected.state_dict().items())


def test_an_absent_modality_is_refused():
    with pytest.raises(ValueError, match="TextVisualEncoder: the inputs are text, audio, without visual; add it to"):
        built(TextVisualEncoder, {"text": 5, "audio": 4})
