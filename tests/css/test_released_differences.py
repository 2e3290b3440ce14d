"""Where the released implementation departs from the published equations: what each of the two does, point by point.

The rows are those of docs/released.md.
"""

import re
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from css import ParetoGradientModulator, SynergisticPolynomialFusion
from css.attention import packed_layout
from css.encoder import ConversationEncoder
from css.model import EmotionClassifier
from css.objectives import objectives
from css.released import ReleasedEncoder, ReleasedPolynomialFusion
from tests.paths import ROOT

WIDTHS = {"text": 7, "audio": 5, "visual": 3}
H, R, P, HEADS, SPEAKERS, CLASSES = 12, 4, 3, 3, 4, 3
LENGTHS = torch.tensor([6, 5])


@dataclass
class Implementation:
    """One of the two: its model (of MELD, in float64, in evaluation mode), the options of its objectives, its PGM."""

    model: EmotionClassifier
    options: dict[str, bool]
    solver: Any

    @property
    def encoder(self):
        return self.model.encoder

    @property
    def fusion(self):
        return self.model.fusion

    def encode(self, **shifted):
        """Features of a fixed batch, some modalities' inputs shifted."""
        g = torch.Generator().manual_seed(1)
        features = {m: torch.randn(11, width, generator=g, dtype=torch.float64) for m, width in WIDTHS.items()}
        features |= {m: features[m] + by for m, by in shifted.items()}
        return self.encoder(features, torch.arange(11) % SPEAKERS, LENGTHS)

    def fuse(self, **scaled):
        """The fusion of a fixed batch of encoded features, some modalities' scaled."""
        g = torch.Generator().manual_seed(2)
        x = {m: torch.randn(11, H, generator=g, dtype=torch.float64) * scaled.get(m, 1) for m in WIDTHS}
        return self.fusion(x)


def css(dropout=0.0):
    torch.manual_seed(0)
    encoder = ConversationEncoder(WIDTHS, H, HEADS, dropout, SPEAKERS)
    model = EmotionClassifier(encoder, SynergisticPolynomialFusion(H, R, P), CLASSES, dropout)
    return Implementation(model.double().eval(), {}, "exact")


def released(dropout=0.0):
    torch.manual_seed(0)
    encoder = ReleasedEncoder(WIDTHS, H, HEADS, dropout, SPEAKERS, meld_step=True)
    model = EmotionClassifier(encoder, ReleasedPolynomialFusion(H, R, P), CLASSES, dropout)
    return Implementation(model.double().eval(), {"detach_teacher": False}, "slsqp")


def without_interaction(encoder):
    """Features in which nothing of the cross stream is left."""
    with torch.no_grad():
        encoder.reduction.weight[:, H:] = 0


def cross_input_follows_modality_aware(it):
    seen = []
    it.encoder.interaction_aware.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    it.encode()
    with torch.no_grad():
        it.encoder.modality_aware.narrow.bias.add_(1.0)
    it.encode()
    return not torch.allclose(*seen)


def cross_attention_tells_its_sources_apart(it):
    """Exchanging audio and visual changes what text hears."""
    layer = it.encoder.interaction_aware
    if hasattr(layer, "gate"):  # one gate for each modality: made alike, only the projections could differ
        with torch.no_grad():
            layer.gate.weight.copy_(layer.gate.weight[:1].clone().expand(3, -1, -1))
            layer.gate.bias.copy_(layer.gate.bias[:1].clone().expand(3, -1, -1))
    x = torch.randn(3, 11, H, generator=torch.Generator().manual_seed(3)).double()
    layout = packed_layout(LENGTHS, x.device, x.dtype)
    return not torch.allclose(layer(x, layout)[0][0], layer(x[[0, 2, 1]], layout)[0][0])


def cross_gates_depend_on(it):
    """What the gates of keys and values are computed from: an utterance's query, or what is gated."""
    seen = []
    layer = it.encoder.interaction_aware
    gate = layer.gates if hasattr(layer, "gates") else layer.gate
    gate.register_forward_hook(lambda _, arguments, out: seen.append((arguments[0], out.shape[-1])))
    queries = []
    layer.query.register_forward_hook(lambda _, __, out: queries.append(out))
    it.encode()
    (given, width), (query,) = seen[0], queries
    return ("query" if torch.equal(given, query) else "gated modality"), width


def draws_of_input_dropout(it):
    """How often dropout acts on all modalities' utterances outside the modality-aware stage."""
    events = []
    it.encoder.modality_aware.register_forward_pre_hook(lambda _, __: events.append("in"))
    it.encoder.modality_aware.register_forward_hook(lambda _, __, ___: events.append("out"))
    draw = it.encoder.dropout.multiplier
    it.encoder.dropout.multiplier = lambda s, x: events.append("rows" if s == (3, 11, H) else "") or draw(s, x)
    it.encode()
    return (events[: events.index("in")] + events[events.index("out") :]).count("rows")


def text_shifts_audio_alone(it):
    """Whether text reaches the audio features without any cross-attention."""
    without_interaction(it.encoder)
    return not torch.allclose(it.encode()["audio"], it.encode(text=1.0)["audio"])


def streams_are_gated(it):
    """Doubling what a stream carries more than doubles (or less) its part of the output."""
    scale = 1.0
    it.encoder.interaction_aware.register_forward_hook(lambda _, __, out: (out[0] * scale, out[1]))

    def text(factor):
        nonlocal scale
        scale = factor
        return it.encode()["text"]

    return not torch.allclose(text(2.0) - text(0.0), 2 * (text(1.0) - text(0.0)))


def polynomial(it):
    return it.fusion if isinstance(it.fusion, SynergisticPolynomialFusion) else it.fusion.polynomial


def polynomial_gate(it):
    """What weights a factor's term whose raw gate is 0."""
    spf, seen = polynomial(it), []
    with torch.no_grad():
        spf.gate.zero_()
    interaction = spf.interaction
    spf.interaction = lambda x, gate: seen.append(gate) or interaction(x, gate)
    it.fuse()
    return seen[0].unique().item()


def jump_at_zero(it):
    """How far the signed square root jumps where an interaction changes sign."""
    spf = polynomial(it)
    with torch.no_grad():
        if it.fusion is not spf:
            it.fusion.output.weight.copy_(torch.eye(H, R))
            it.fusion.output.bias.zero_()
            it.fusion.residual.weight.zero_()
            it.fusion.residual.bias.zero_()
        spf.weight.zero_()
        spf.anchor.fill_(1.0)
        spf.anchor[0] = 1e-13
        above = it.fuse()[0, 0].item()
        spf.anchor[0] = -1e-13
        return round(above - it.fuse()[0, 0].item(), 6)


def linear_way_around(it):
    """Whether fused features still follow the input when the polynomial is constant."""
    spf = polynomial(it)
    with torch.no_grad():
        spf.weight.zero_()
    return not torch.equal(it.fuse(), it.fuse(visual=2.0))


def distillation_moves_the_fused_branch(it):
    x = {m: torch.randn(11, H).double() for m in WIDTHS}
    loss = objectives(it.model.classify(x), torch.arange(11) % CLASSES, 2.0, **it.options)[2]
    (g,) = torch.autograd.grad(loss, it.model.classifier.weight, materialize_grads=True)
    return bool(g.any())


def weights_of_near_collinear_gradients(it):
    """Distance from the exact min-norm weights of gradients that differ by a thousandth."""
    g = torch.Generator().manual_seed(0)
    J = torch.randn(1, 50, generator=g).double() + 1e-3 * torch.randn(3, 50, generator=g).double()
    exact = ParetoGradientModulator()(J @ J.T)
    return (ParetoGradientModulator(it.solver)(J @ J.T) - exact).abs().max() > 0.05


POINTS = {
    "input bias": lambda it: it.encoder.inputs["text"].bias is not None,
    "padding row": lambda it: it.encoder.speaker.num_embeddings,
    "text shift": text_shifts_audio_alone,
    "dropout of inputs": draws_of_input_dropout,
    "cross input": cross_input_follows_modality_aware,
    "cross sources": cross_attention_tells_its_sources_apart,
    "cross gates": cross_gates_depend_on,
    "stream gates": streams_are_gated,
    "polynomial gates": polynomial_gate,
    "signed root": jump_at_zero,
    "width": lambda it: it.fusion.out_features,
    "residual": linear_way_around,
    "teacher": distillation_moves_the_fused_branch,
    "solver": weights_of_near_collinear_gradients,
}


@pytest.mark.parametrize(
    ("point", "published", "as_released"),
    [
        ("input bias", True, False),
        ("padding row", SPEAKERS, SPEAKERS + 1),
        ("text shift", False, True),
        ("dropout of inputs", 1, 2),
        ("cross input", True, False),
        ("cross sources", False, True),
        ("cross gates", ("gated modality", H), ("query", 2)),
        ("stream gates", False, True),
        ("polynomial gates", 0.0, 0.5),
        ("signed root", 0.0, 0.002),
        ("width", R, H),
        ("residual", False, True),
        ("teacher", False, True),
        ("solver", False, True),
    ],
)
def test_each_difference(point, published, as_released):
    assert (POINTS[point](css()), POINTS[point](released())) == (published, as_released)


def test_the_documentation_lists_these_differences():
    text = (ROOT / "docs" / "released.md").read_text(encoding="utf-8")
    text = text.split("\n## ")[0]
    assert set(re.findall(r"^\| ([a-z ]+) \|", text, re.MULTILINE)) - {"difference"} == set(POINTS)
