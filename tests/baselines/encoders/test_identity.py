"""IdentityEncoder: linear in each modality, and blind to everything else."""

import pytest
import torch

from baselines.encoders.identity import IdentityEncoder
from baselines.fusions.linear import LinearFusion
from css.model import EmotionClassifier

WIDTHS = {"text": 5, "audio": 4, "visual": 3}


def encoder(dropout=0.5):
    torch.manual_seed(0)
    return IdentityEncoder(WIDTHS, hidden=6, heads=4, dropout=dropout, speakers=3)


def batch(seed=0, N=7):
    generator = torch.Generator().manual_seed(seed)
    features = {m: torch.randn(N, d, generator=generator) for m, d in WIDTHS.items()}
    return features, torch.randint(0, 3, (N,), generator=generator), torch.tensor([3, N - 3])


def test_each_modality_is_one_linear_map_in_training_too():
    model, (features, speakers, lengths) = encoder(), batch()
    out = model.train()(features, speakers, lengths)
    assert tuple(out) == model.modalities == tuple(WIDTHS)
    for m, x in features.items():
        torch.testing.assert_close(out[m], x @ model.inputs[m].weight.T + model.inputs[m].bias)
        assert out[m].shape == (7, model.hidden)


@pytest.mark.parametrize("changed", WIDTHS)
def test_a_modality_reaches_itself_alone_and_an_utterance_no_other(changed):
    model, (features, speakers, lengths) = encoder(), batch()
    before = model(features, speakers, lengths)
    x = features[changed].clone()
    x[2] += 1
    after = model({**features, changed: x}, speakers, lengths)
    for m in WIDTHS:
        moved = (after[m] != before[m]).any(1)
        assert moved.nonzero().flatten().tolist() == ([2] if m == changed else [])


def test_speakers_and_conversations_make_no_difference():
    model, (features, speakers, lengths) = encoder(), batch()
    before = model(features, speakers, lengths)
    after = model(features, (speakers + 1) % 3, torch.tensor([1, 1, 5]))
    assert all(torch.equal(before[m], after[m]) for m in WIDTHS)


def test_all_parameters_are_shared_and_used():
    model, (features, speakers, lengths) = encoder(), batch()
    shared = model.shared_parameters()
    assert {id(p) for p in shared.values()} == {id(p) for p in model.parameters()}
    logits = EmotionClassifier(model, LinearFusion(6), 4, 0.0)(features, speakers, lengths)
    logits.fused.sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in shared.values())
