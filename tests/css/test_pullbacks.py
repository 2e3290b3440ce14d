"""Pullbacks written out, of several cotangents at once, beside autograd of the same forward pass, one by one."""

import pytest
import torch

from css.encoder import ConversationEncoder
from css.interfaces import Encoder
from css.layers import Dropout
from css.released.encoder import ReleasedEncoder

WIDTHS = {"text": 7, "audio": 5, "visual": 3}
LENGTHS = [9, 1, 8, 17, 3]
SPEAKERS, HIDDEN, HEADS = 4, 12, 3


def conversation(generator, **options):
    return ConversationEncoder(WIDTHS, HIDDEN, HEADS, 0.4, SPEAKERS, generator, **options)


def released(generator, **options):
    return ReleasedEncoder(WIDTHS, HIDDEN, HEADS, 0.4, SPEAKERS, generator, **options)


ENCODERS = {
    "css": (conversation, {}),
    "css without its first stage": (conversation, {"modality_aware": False}),
    "css without its second stage": (conversation, {"interaction_aware": False}),
    "css without stages": (conversation, {"modality_aware": False, "interaction_aware": False}),
    "released": (released, {}),
    "released, text shifts": (released, {"meld_step": True}),
}


def problem(name, K):
    """An encoder in float64 with no parameter at a value that hides it, what it reads, and K cotangents."""
    make, options = ENCODERS[name]
    torch.manual_seed(0)
    encoder = make(torch.Generator(), **options).double()
    with torch.no_grad():
        for p in encoder.parameters():
            p.add_(0.3 * torch.randn_like(p))
    N = sum(LENGTHS)
    features = {m: torch.randn(N, width).double() for m, width in WIDTHS.items()}
    arguments = features, torch.randint(SPEAKERS, (N,)), torch.tensor(LENGTHS)
    return encoder, arguments, {m: torch.randn(N, K, HIDDEN).double() for m in WIDTHS}


def pulled(vjp, encoder, arguments, cotangents):
    """What an encoder computes, and the gradients by the name of the parameter; the same masks at every call."""
    (dropout,) = {m for m in encoder.modules() if isinstance(m, Dropout)}
    dropout.generator.manual_seed(5)
    with torch.no_grad():
        encoded, pull = vjp(*arguments)
        gradients = pull(cotangents)
    names = {id(p): name for name, p in encoder.named_parameters()}
    return encoded, {names[id(p)]: g for p, g in gradients.items()}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("K", [1, 3])
@pytest.mark.parametrize("name", ENCODERS)
def test_gradients_of_all_cotangents_are_those_of_autograd_one_by_one(name, K, training):
    encoder, arguments, cotangents = problem(name, K)
    encoder.train(training)
    encoded, gradients = pulled(encoder.vjp, encoder, arguments, cotangents)
    by_autograd = Encoder.vjp.__get__(encoder)
    expected_encoded, expected = pulled(by_autograd, encoder, arguments, cotangents)

    torch.testing.assert_close(encoded, expected_encoded)
    assert set(gradients) == {name for name, _ in encoder.named_parameters()}
    torch.testing.assert_close(gradients, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["css", "released, text shifts"])
def test_gradients_are_those_of_finite_differences(name):
    encoder, arguments, cotangents = problem(name, 2)
    encoder.eval()
    _, gradients = pulled(encoder.vjp, encoder, arguments, cotangents)
    for p in encoder.parameters():
        p.requires_grad_(False)
    step, rising = 1e-6, {n: torch.randn_like(p) for n, p in encoder.named_parameters()}
    if "shifts" in name:  # what text is projected by: differences do not see that its shifts are detached
        rising["inputs.text.weight"].zero_()

    def products(distance):
        for n, p in encoder.named_parameters():
            p += distance * rising[n]
        encoded = encoder(*arguments)
        for n, p in encoder.named_parameters():
            p -= distance * rising[n]
        return sum(torch.einsum("nh,nkh->k", encoded[m], g) for m, g in cotangents.items())

    slope = (products(step) - products(-step)) / (2 * step)
    expected = sum((gradients[n] * r).flatten(1).sum(1) for n, r in rising.items())
    torch.testing.assert_close(expected, slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["css", "released, text shifts"])
def test_what_is_not_finite_in_one_cotangent_stays_in_its_gradients(name):
    encoder, arguments, cotangents = problem(name, 3)
    _, clean = pulled(encoder.vjp, encoder, arguments, cotangents)
    cotangents["audio"][4, 1, 2] = torch.nan
    _, gradients = pulled(encoder.vjp, encoder, arguments, cotangents)
    assert any(g[1].isnan().any() for g in gradients.values())
    for other in (0, 2):
        torch.testing.assert_close({n: g[other] for n, g in gradients.items()}, {n: g[other] for n, g in clean.items()})
