"""css.released against recorded values of the released implementation, and by inspection what those do not cover."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from benchmark.training.batches import Batch
from css import ParetoGradientModulator
from css.attention import BUCKET, packed_layout
from css.layers import Dropout
from css.model import EmotionClassifier
from css.objectives import objectives
from css.released import ReleasedEncoder, ReleasedPolynomialFusion, load_state
from css.released.encoder import TwoSourceAttention
from css.released.state import released_names
from tests.css.padded import PaddedBatch, PaddedReleasedClassifier

GOLDEN = Path(__file__).parent / "golden"
CORPORA = ("iemocap", "meld")
WIDTHS = {"text": 7, "audio": 5, "visual": 3}


def recorded(corpus):
    with np.load(GOLDEN / f"css_released_{corpus}.npz") as file:
        return dict(file)


def part(record, prefix):
    return {name.removeprefix(prefix): value for name, value in record.items() if name.startswith(prefix)}


@pytest.fixture(params=CORPORA)
def corpus(request):
    return request.param


@pytest.fixture
def record(corpus):
    return recorded(corpus)


@pytest.fixture
def model(record, corpus):
    return load_state(part(record, "param/"), corpus, heads=int(record["heads"]))


def logits(model, record):
    features = {m: torch.from_numpy(record[m]) for m in WIDTHS}
    return model(features, torch.from_numpy(record["speaker"]), torch.from_numpy(record["lengths"]))


def losses(model, record):
    weights = torch.from_numpy(record["class_weights"]).float() if record["class_weights"].size else None
    label, temperature = torch.from_numpy(record["label"]), float(record["temperature"])
    return objectives(logits(model, record), label, temperature, weights, detach_teacher=False)


def gramian(model, record):
    theta = list(model.encoder.shared_parameters().values())
    rows = []
    for loss in losses(model, record):
        gradients = torch.autograd.grad(loss, theta, retain_graph=True, materialize_grads=True)
        rows.append(torch.cat([g.flatten() for g in gradients]))
    J = torch.stack(rows)
    return J @ J.T


def classifier(corpus="meld", hidden=12, heads=3, dropout=0.0, seed=0, generator=None):
    """A small model in float64 and evaluation mode."""
    torch.manual_seed(seed)
    encoder = ReleasedEncoder(WIDTHS, hidden, heads, dropout, 4, generator, meld_step=corpus == "meld")
    return EmotionClassifier(encoder, ReleasedPolynomialFusion(hidden, 4, 3), 3, dropout, generator).double().eval()


def batch(lengths, seed=1):
    g = torch.Generator().manual_seed(seed)
    N = sum(lengths)
    features = {m: torch.randn(N, width, generator=g, dtype=torch.float64) for m, width in WIDTHS.items()}
    return features, torch.randint(4, (N,), generator=g), torch.tensor(lengths)


def branches(found):
    return torch.stack([found.fused, *found.unimodal.values()])


# --- parity with the released implementation ---


@pytest.mark.parametrize("branch", ["fused", *WIDTHS])
def test_log_probabilities_are_those_recorded(model, record, branch):
    found = logits(model, record)
    found = found.fused if branch == "fused" else found.unimodal[branch]
    np.testing.assert_allclose(found.log_softmax(-1).detach().numpy(), record[f"logp_{branch}"], rtol=0, atol=1e-5)


def test_losses_are_those_recorded(model, record):
    np.testing.assert_allclose([x.item() for x in losses(model, record)], record["losses"], rtol=0, atol=1e-5)


def test_the_gramian_of_the_raw_gradients_is_that_recorded(model, record):
    np.testing.assert_allclose(gramian(model, record).numpy(), record["gramian"], rtol=1e-4, atol=0)


@pytest.mark.parametrize(("solver", "tolerance"), [("exact", 1e-3), ("slsqp", 1e-6)])
def test_pgm_weights_are_those_recorded(model, record, solver, tolerance):
    weights = ParetoGradientModulator(solver)(gramian(model, record))
    np.testing.assert_allclose(weights.numpy(), record["pgm_weights"], rtol=0, atol=tolerance)


def test_each_gradient_of_the_weighted_loss_is_that_recorded(model, record):
    parameters = dict(model.named_parameters())
    total = sum(w * x for w, x in zip(record["pgm_weights"].tolist(), losses(model, record), strict=True))
    gradients = torch.autograd.grad(total, list(parameters.values()))
    found = released_names(dict(zip(parameters, gradients, strict=True)))
    expected = part(record, "grad/")
    assert found.keys() == expected.keys()
    for name, g in expected.items():
        if name.endswith("self_attn.linear_k.bias"):  # zero in theory: a shift of all scores of a query
            assert found[name].abs().max() < 1e-8
        else:
            error = np.linalg.norm(found[name].numpy() - g)
            assert error <= 1e-4 * np.linalg.norm(g) + 1e-7, name


# --- what those records do not cover ---


@pytest.mark.parametrize(
    ("corpus", "widths", "speakers", "classes", "order", "live"),
    [
        ("iemocap", (1024, 1582, 342), 2, 6, 3, 44_144_723),
        ("meld", (1024, 300, 342), 9, 7, 4, 47_090_794),
    ],
)
def test_parameters_at_the_published_settings(corpus, widths, speakers, classes, order, live):
    with torch.device("meta"):
        inputs = dict(zip(WIDTHS, widths, strict=True))
        encoder = ReleasedEncoder(inputs, 1024, 8, 0.5, speakers, meld_step=corpus == "meld")
        model = EmotionClassifier(encoder, ReleasedPolynomialFusion(1024, 16, order), classes, 0.5)
    assert sum(p.numel() for p in model.parameters()) == live


@pytest.mark.parametrize("corpus", CORPORA)
def test_dropout_acts_on_each_streams_inputs_both_attentions_and_the_own_streams_outputs(monkeypatch, corpus):
    """In the order of the forward pass, the unimodal classifiers last; none on the cross-attention's output."""
    shapes = []
    draw = Dropout.multiplier
    monkeypatch.setattr(Dropout, "multiplier", lambda self, s, x: (shapes.append(tuple(s)), draw(self, s, x))[1])
    model = classifier(corpus, hidden=12, heads=3, dropout=0.5)
    model(*batch([BUCKET, BUCKET - 1]))
    rows, scores = (3, 2 * BUCKET - 1, 12), (3 * 2 * 3, BUCKET, BUCKET)
    assert shapes == [rows, scores, rows, rows, rows, rows, scores, rows]


def test_own_and_cross_stream_draw_dropout_separately(monkeypatch):
    model, seen = classifier(dropout=0.5, generator=torch.Generator().manual_seed(0)).train(), []
    for stage in (model.encoder.modality_aware, model.encoder.interaction_aware):
        monkeypatch.setattr(stage, "forward", lambda x, _: (seen.append(x) or x, None))
    model(*batch([6, 5]))
    own, cross = seen
    both = (own != 0) & (cross != 0)
    assert torch.equal(own[both], cross[both])
    assert 0.15 < both.double().mean() < 0.35


def test_epsilon_of_the_layer_norms(monkeypatch):
    found = []
    norm = torch.native_layer_norm
    monkeypatch.setattr(torch, "native_layer_norm", lambda *a: (found.append(a[-1]), norm(*a))[1])
    classifier()(*batch([3]))
    assert found == [1e-6, 1e-5]


def uniform(bound):
    def check(p):
        return 0.9 * bound < p.abs().max() <= bound and abs(p.mean()) < 5 * bound / math.sqrt(3 * p.numel())

    return check


def gaussian(sd):
    return lambda p: p.std().item() == pytest.approx(sd, rel=0.1) and p.abs().max() > 2.5 * sd


def constant(value):
    return lambda p: bool((p == value).all())


def test_initialisation_is_xavier_in_the_polynomial_and_default_elsewhere():
    h, r, widths = 48, 24, {"text": 400, "audio": 300, "visual": 200}
    torch.manual_seed(0)
    encoder = ReleasedEncoder(widths, h, 4, 0.5, 40, meld_step=True)
    model = EmotionClassifier(encoder, ReleasedPolynomialFusion(h, r, 40), 30, 0.5)
    linear, narrow, wide = uniform(1 / math.sqrt(h)), uniform(1 / math.sqrt(2 * h)), uniform(1 / math.sqrt(3 * h))
    expected = {
        **{f"encoder.inputs.{m}.weight": uniform(1 / math.sqrt(width)) for m, width in widths.items()},
        **dict.fromkeys(("encoder.reduction.weight", "encoder.reduction.bias"), narrow),
        **dict.fromkeys(("fusion.residual.weight", "fusion.residual.bias"), wide),
        **dict.fromkeys(("encoder.modality_aware.norm_weight", "encoder.interaction_aware.norm.weight"), constant(1)),
        **dict.fromkeys(("encoder.modality_aware.norm_bias", "encoder.interaction_aware.norm.bias"), constant(0)),
        "encoder.interaction_aware.gates.bias": lambda p: bool((p.abs() <= 1 / math.sqrt(h)).all()),
        "fusion.polynomial.weight": gaussian(math.sqrt(2 / (h + r))),
        "fusion.polynomial.anchor": gaussian(math.sqrt(2 / (1 + r))),
        "fusion.polynomial.gate": constant(1),
        "fusion.output.weight": gaussian(math.sqrt(2 / (h + r))),
        "fusion.output.bias": constant(0),
    }
    for name, p in model.named_parameters():
        if name == "encoder.speaker.weight":
            assert gaussian(1)(p[:-1])
            assert constant(0)(p[-1])
        else:
            assert expected.get(name, linear)(p.detach()), name


def test_theta_is_the_encoder_without_speakers():
    encoder = classifier("meld").encoder
    blocks = {name.split(".")[0] for name in encoder.shared_parameters()}
    assert blocks == {
        "inputs",
        "text_shift",
        "modality_aware",
        "interaction_aware",
        "own_gate",
        "cross_gate",
        "reduction",
    }
    assert dict(encoder.named_parameters()).keys() - encoder.shared_parameters().keys() == {"speaker.weight"}


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_parameter_is_used(corpus):
    model, (features, speakers, lengths) = classifier(corpus), batch([4, 9, 20])
    speakers[:4] = torch.arange(4)
    found = objectives(model(features, speakers, lengths), torch.randint(3, (33,)), 2.0)
    parameters = dict(model.named_parameters())
    for name, g in zip(parameters, torch.autograd.grad(sum(found), list(parameters.values())), strict=True):
        assert (g.abs() > 1e-12).any(), name
    assert parameters["encoder.speaker.weight"].shape[0] == 5


# --- packing ---


@pytest.mark.parametrize("corpus", CORPORA)
def test_logits_do_not_depend_on_what_a_conversation_is_packed_with(corpus):
    model, lengths = classifier(corpus), [15, 17, 16, 1, 40]
    features, speakers, _ = batch(lengths)
    together = branches(model(features, speakers, torch.tensor(lengths)))
    start = 0
    for n in lengths:
        rows = slice(start, start + n)
        alone = branches(model({m: x[rows] for m, x in features.items()}, speakers[rows], torch.tensor([n])))
        torch.testing.assert_close(alone, together[:, rows], rtol=0, atol=1e-10)
        start += n


@pytest.mark.parametrize("corpus", CORPORA)
def test_logits_and_gradients_are_those_of_padded_batches_computed_modality_by_modality(corpus):
    model, (features, speakers, lengths) = classifier(corpus), batch([15, 9, 1, 20])
    label = torch.randint(3, (45,), generator=torch.Generator().manual_seed(0))
    theta = list(model.encoder.shared_parameters().values())

    def computed(logits):
        losses = objectives(logits, label, 2.0, detach_teacher=False)
        rows = [torch.autograd.grad(x, theta, retain_graph=True, materialize_grads=True) for x in losses]
        return branches(logits), torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])

    padded = PaddedBatch.of(Batch(features, speakers, label, lengths))
    packed = computed(model(features, speakers, lengths))
    for a, b in zip(packed, computed(PaddedReleasedClassifier(model)(padded)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


def test_two_source_attention_is_its_definition():
    """One head, one conversation, query by query and source by source."""
    torch.manual_seed(0)
    layer = TwoSourceAttention(6, 1, Dropout(0.0)).double()
    x = torch.randn(3, 5, 6).double()
    found, _ = layer(x, packed_layout(torch.tensor([5]), x.device, x.dtype))
    for m, (a, b) in enumerate(((1, 2), (0, 2), (0, 1))):
        q = layer.query(x[m])
        g_k, g_v = layer.gates(q).sigmoid().chunk(2, -1)
        k1, v1 = layer.first(x[a]).chunk(2, -1)
        k2, v2 = layer.second(x[b]).chunk(2, -1)
        k, v = g_k * k1 + (1 - g_k) * k2, g_v * v1 + (1 - g_v) * v2
        attended = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
        expected = F.layer_norm(layer.out(attended) + q, (6,), eps=1e-5)
        torch.testing.assert_close(found[m], expected)


# --- construction, fusion ---


@pytest.mark.parametrize("modalities", [("text", "audio"), ("audio", "text", "visual"), ()])
def test_other_modalities_are_refused(modalities):
    with pytest.raises(ValueError, match="the released encoder takes text, audio, visual, got"):
        ReleasedEncoder(dict.fromkeys(modalities, 3), 8, 2, 0.0, 2)


def test_hidden_has_to_be_a_multiple_of_heads():
    with pytest.raises(ValueError, match="hidden must be a multiple of heads, got hidden 10 and heads 4"):
        ReleasedEncoder(WIDTHS, 10, 4, 0.0, 2)


@pytest.mark.parametrize("residual", [True, False])
def test_fusion_is_its_equation(residual):
    torch.manual_seed(0)
    fusion = ReleasedPolynomialFusion(5, 4, 2, residual=residual).double()
    x = {m: torch.randn(6, 5).double() for m in WIDTHS}
    z = torch.ones(6, 4).double()
    for j in range(2):
        factor = fusion.polynomial.anchor[j]
        for m, name in enumerate(WIDTHS):
            weight = fusion.polynomial.weight[m, :, 4 * j : 4 * j + 4]
            gate = torch.sigmoid(fusion.polynomial.gate[m, j])
            factor = factor + gate * F.gelu(x[name] @ weight, approximate="tanh")
        z = z * factor
    expected = fusion.output(torch.sign(z) * torch.sqrt(z.abs() + 1e-6))
    if residual:
        expected = expected + fusion.residual(torch.cat(list(x.values()), -1))
    torch.testing.assert_close(fusion(x), expected)
    assert fusion.out_features == 5


# --- checkpoints ---


def test_the_released_names_cover_every_parameter_once(model):
    parameters = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
    for view in released_names(parameters).values():
        view += 1
    assert all((p == 1).all() for p in parameters.values())


def test_sizes_are_read_off_the_shapes(model, record):
    encoder, fusion = model.encoder, model.fusion
    assert {m: encoder.inputs[m].in_features for m in WIDTHS} == {m: record[m].shape[1] for m in WIDTHS}
    assert encoder.hidden == record["hidden"]
    assert fusion.output.in_features == record["rank"]
    assert fusion.polynomial.order == record["order"]
    assert model.classifier.out_features == record["logp_fused"].shape[1]
    assert not model.training
    assert all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())


def test_a_checkpoint_needs_nothing_that_is_never_used_and_may_hold_tables_of_positions(record, corpus):
    params = part(record, "param/")
    used = {name: params[name] for name in part(record, "grad/")}
    assert len(used) < len(params)
    more = params | {"t_t.pos_emb.pe": np.zeros((1, 5, 16)), "shared_transformer.pos_emb.pe": np.zeros(3)}
    first, second = (load_state(p, corpus, heads=2) for p in (used, more))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_loading_draws_nothing_and_copies(record, corpus):
    params, state = part(record, "param/"), torch.get_rng_state()
    model = load_state(params, corpus, heads=2)
    assert torch.equal(state, torch.get_rng_state())
    with torch.no_grad():
        model.classifier.weight.zero_()
    assert np.any(params["all_output_layer.weight"])


def without(params, name):
    return {n: p for n, p in params.items() if n != name}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("t_gate.fc.weight", "missing: t_gate.fc.weight$"),
        ("speaker_embeddings.weight", "missing: speaker_embeddings.weight"),
        ("all_output_layer.weight", "missing: all_output_layer.weight"),
        ("last_gate.modality_gates.1", "missing: last_gate.modality_gates.1"),
        ("last_gate.output_proj", "missing: last_gate.output_proj"),
        ("textf_input.weight", "missing: textf_input.weight"),
    ],
)
def test_what_is_missing_is_named(record, corpus, name, said):
    with pytest.raises(ValueError, match=rf"^no checkpoint of the released implementation for {corpus}: .*{said}"):
        load_state(without(part(record, "param/"), name), corpus, heads=2)


@pytest.mark.parametrize("shape", [(16, 17), (16,), (17, 16), ()])
def test_a_wrong_shape_is_named(record, corpus, shape):
    params = part(record, "param/") | {"t_gate.fc.weight": np.zeros(shape)}
    with pytest.raises(ValueError, match=r": wrongly shaped: t_gate\.fc\.weight \(.*\) instead of \(16, 16\)$"):
        load_state(params, corpus, heads=2)


def test_what_is_unknown_is_named(record, corpus):
    with pytest.raises(ValueError, match=r"unknown: t_gate\.fc\.bias, colour$"):
        load_state(part(record, "param/") | {"t_gate.fc.bias": np.zeros(16), "colour": np.zeros(1)}, corpus, heads=2)


def test_a_checkpoint_of_the_other_data_set_is_refused():
    iemocap, meld = (part(recorded(name), "param/") for name in CORPORA)
    with pytest.raises(ValueError, match=r"for iemocap: unknown: .*text_to_audio\.weight"):
        load_state(meld, "iemocap", heads=2)
    with pytest.raises(ValueError, match=r"for meld: missing: .*text_to_audio\.weight"):
        load_state(iemocap, "meld", heads=2)


def test_heads_have_to_divide_the_width(record, corpus):
    with pytest.raises(ValueError, match="16 wide, which 5 heads do not divide"):
        load_state(part(record, "param/"), corpus, heads=5)
    with pytest.raises(ValueError, match="dataset must be 'iemocap' or 'meld', got 'cmu'"):
        load_state({}, "cmu")
