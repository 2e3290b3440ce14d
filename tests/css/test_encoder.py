"""The packed encoder against a padded one, against finite differences, and what attention and dropout may touch."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from torch.nn import functional as F

from benchmark.training.batches import Batch
from css import ParetoGradientModulator, SynergisticPolynomialFusion
from css.attention import BUCKET, packed_layout
from css.encoder import ConversationEncoder, ModalityAwareLayer, sinusoidal_positions
from css.layers import Dropout, StackedLinear
from css.model import EmotionClassifier
from css.objectives import objectives
from tests.css.padded import PaddedBatch, PaddedClassifier, padded_step

WIDTHS = {"text": 7, "audio": 5, "visual": 3}
LENGTHS = [[1], [1, 1, 1], [16], [15, 17, 16, 32, 1], [8, 24, 3, 8], [33, 2, 40], [5]]
SPEAKERS, CLASSES = 4, 3
CLASS_WEIGHTS = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)


WITHOUT_STAGES = (
    {"modality_aware": False},
    {"interaction_aware": False},
    {"modality_aware": False, "interaction_aware": False},
)


def classifier(modalities=tuple(WIDTHS), hidden=12, heads=3, dropout=0.0, seed=0, generator=None, **stages):
    """In float64 and evaluation mode, no parameter at a value that hides it."""
    torch.manual_seed(seed)
    inputs = {m: WIDTHS[m] for m in modalities}
    encoder = ConversationEncoder(inputs, hidden, heads, dropout, SPEAKERS, generator, **stages)
    fusion = SynergisticPolynomialFusion(hidden, 4, 3, modalities)
    model = EmotionClassifier(encoder, fusion, CLASSES, dropout, generator).double().eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name:
                p.add_(0.3 * torch.randn_like(p))
    return model


def batch(lengths, modalities=tuple(WIDTHS), seed=1):
    g = torch.Generator().manual_seed(seed)
    N = sum(lengths)
    return Batch(
        {m: torch.randn(N, WIDTHS[m], generator=g, dtype=torch.float64) for m in modalities},
        torch.randint(SPEAKERS, (N,), generator=g),
        torch.randint(CLASSES, (N,), generator=g),
        torch.tensor(lengths),
    )


def branches(logits):
    return torch.stack([logits.fused, *logits.unimodal.values()])


def run(model, b):
    return branches(model(b.features, b.speakers, b.lengths))


def losses(model, b):
    return objectives(model(b.features, b.speakers, b.lengths), b.label, 2.0, CLASS_WEIGHTS)


def select(b, conversations):
    """The batch of some of another's conversations, and their rows in it."""
    rows = torch.cat([torch.arange(len(b.speakers)).split(b.lengths.tolist())[c] for c in conversations])
    features = {m: x[rows] for m, x in b.features.items()}
    return Batch(features, b.speakers[rows], b.label[rows], b.lengths[conversations]), rows


def close(a, b, tolerance=1e-10):
    torch.testing.assert_close(a, b, rtol=0, atol=tolerance)


# --- packed against padded ---


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("modalities", [tuple(WIDTHS), ("visual", "text"), ("audio",)], ids="+".join)
def test_logits_are_those_of_a_padded_batch(lengths, modalities):
    model, b = classifier(modalities), batch(lengths, modalities)
    close(run(model, b), branches(PaddedClassifier(model)(PaddedBatch.of(b))))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 3 * BUCKET + 1), min_size=1, max_size=9), st.integers(0, 99))
def test_logits_are_those_of_a_padded_batch_for_any_lengths(lengths, seed):
    model, b = classifier(seed=seed), batch(lengths, seed=seed)
    close(run(model, b), branches(PaddedClassifier(model)(PaddedBatch.of(b))))


@pytest.mark.parametrize("lengths", [[15, 17, 16, 1], [1], [9, 9, 24]], ids=str)
def test_gradients_of_every_objective_are_those_of_a_padded_batch(lengths):
    model, b = classifier(), batch(lengths)
    padded = PaddedBatch.of(b)
    expected_losses = objectives(PaddedClassifier(model)(padded), padded.label[padded.valid], 2.0, CLASS_WEIGHTS)
    for packed, other in zip(losses(model, b), expected_losses, strict=True):
        parameters = list(model.parameters())
        of_packed = torch.autograd.grad(packed, parameters, retain_graph=True, materialize_grads=True)
        of_padded = torch.autograd.grad(other, parameters, retain_graph=True, materialize_grads=True)
        for g, expected in zip(of_packed, of_padded, strict=True):
            close(g, expected, 1e-9)


@pytest.mark.parametrize("modalities", [tuple(WIDTHS), ("visual", "text")], ids="+".join)
@pytest.mark.parametrize("stages", WITHOUT_STAGES, ids=str)
def test_without_a_stage_losses_and_gradients_are_those_of_a_padded_batch_without_it(stages, modalities):
    model, b = classifier(modalities, **stages), batch([15, 17, 1], modalities)
    close(run(model, b), branches(PaddedClassifier(model)(PaddedBatch.of(b))))
    padded, parameters = PaddedBatch.of(b), list(model.parameters())
    expected_losses = objectives(PaddedClassifier(model)(padded), padded.label[padded.valid], 2.0, CLASS_WEIGHTS)
    of_packed = torch.autograd.grad(sum(losses(model, b)), parameters)
    for g, expected in zip(of_packed, torch.autograd.grad(sum(expected_losses), parameters), strict=True):
        close(g, expected, 1e-9)
        assert (g.abs() > 1e-12).any()


@pytest.mark.parametrize("stages", WITHOUT_STAGES, ids=str)
def test_a_stage_that_is_left_out_has_no_parameters_and_theta_follows(stages):
    encoder, whole = classifier(**stages).encoder, classifier().encoder
    left_out = tuple(stages)
    names = {name for name in whole.shared_parameters() if not name.startswith(left_out)}
    assert set(encoder.shared_parameters()) == names
    assert {name for name, _ in encoder.named_parameters()} == names | {"speaker.weight"}
    expected = 12 * max(1, 2 - len(stages))
    assert encoder.reduction.weight.shape == (3, expected, 12)


def test_without_the_interaction_aware_stage_no_modality_reaches_another_and_without_the_other_own_context_does_not():
    b = batch([5, 4])
    for modality in WIDTHS:
        for stages in WITHOUT_STAGES:
            encoder = classifier(**stages).encoder
            before = encoder(b.features, b.speakers, b.lengths)
            changed = {**b.features, modality: b.features[modality].clone()}
            changed[modality][1] += 1
            after = encoder(changed, b.speakers, b.lengths)
            moved = {m: ((after[m] - before[m]).abs().amax(1) > 1e-9).nonzero().flatten().tolist() for m in WIDTHS}
            if stages == {"modality_aware": False}:
                expected = {m: [1] if m == modality else [0, 1, 2, 3, 4] for m in WIDTHS}
            else:
                own = [0, 1, 2, 3, 4] if stages == {"interaction_aware": False} else [1]
                expected = {m: own if m == modality else [] for m in WIDTHS}
            assert moved == expected


def test_a_padded_step_of_four_backward_passes_descends_along_the_weighted_gradients():
    """The opponent of tests/perf makes the same update as γ applied to the packed gradients."""
    model, b = classifier(), batch([15, 17, 1])
    before = [p.detach().clone() for p in model.parameters()]
    shared, everything = list(model.encoder.shared_parameters().values()), list(model.parameters())
    rows = losses(model, b)
    J = [torch.autograd.grad(x, shared, retain_graph=True, materialize_grads=True) for x in rows]
    J = torch.stack([torch.cat([g.flatten() for g in row]) for row in J])
    weights = ParetoGradientModulator()(J @ J.T, torch.stack(rows).detach())
    direction = torch.autograd.grad(weights @ torch.stack(rows), everything)
    padded_step(
        PaddedClassifier(model),
        PaddedBatch.of(b),
        lambda logits, label: objectives(logits, label, 2.0, CLASS_WEIGHTS),
        ParetoGradientModulator(),
        torch.optim.SGD(everything, lr=1.0),
    )
    for p, start, g in zip(everything, before, direction, strict=True):
        close(start - p, g, 1e-9)


# --- conversations do not see each other ---


def test_logits_do_not_depend_on_what_a_conversation_is_packed_with():
    model, b = classifier(), batch([15, 17, 16, 1, 15])
    together = run(model, b)
    for conversations in ([0], [3], [1, 2], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]):
        part, rows = select(b, conversations)
        close(run(model, part), together[:, rows])


@pytest.mark.parametrize("modality", WIDTHS)
def test_an_utterance_reaches_all_of_its_own_conversation_and_no_other(modality):
    model, b = classifier(), batch([5, 9, 5, 16])
    own = range(5, 14)
    before = run(model, b)
    b.features[modality][8] += 1.0
    changed = (run(model, b) - before).abs().amax((0, 2)) > 1e-9
    assert changed.nonzero().flatten().tolist() == list(own)


# --- gradients ---


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("seed", range(3))
def test_directional_derivatives_are_those_of_finite_differences(k, seed):
    """Along random directions in parameters and inputs; the teacher of L3 is held, as its definition detaches it."""
    model, b = classifier(seed=seed), batch([3, 9, 1], seed=seed)
    g = torch.Generator().manual_seed(seed)
    at = {**dict(model.named_parameters()), **{f"x.{m}": x.requires_grad_() for m, x in b.features.items()}}
    teacher = model(b.features, b.speakers, b.lengths).fused.detach()

    def loss(point):
        features = {m: point[f"x.{m}"] for m in b.features}
        values = {name: t for name, t in point.items() if not name.startswith("x.")}
        logits = torch.func.functional_call(model, values, (features, b.speakers, b.lengths))
        if k == 2:
            logits = logits._replace(fused=teacher)
        return objectives(logits, b.label, 2.0, CLASS_WEIGHTS)[k]

    gradient = torch.autograd.grad(losses(model, b)[k], list(at.values()), materialize_grads=True)
    gradients = dict(zip(at, gradient, strict=True))
    point = {name: t.detach() for name, t in at.items()}
    for chosen in ({n for n in at if n.startswith("x.")}, {n for n in at if not n.startswith("x.")}, set(at)):
        direction = {
            n: torch.randn(t.shape, generator=g, dtype=t.dtype) if n in chosen else torch.zeros_like(t)
            for n, t in point.items()
        }
        step = 1e-6
        ahead = loss({n: t + step * direction[n] for n, t in point.items()})
        behind = loss({n: t - step * direction[n] for n, t in point.items()})
        slope = sum((gradients[n] * direction[n]).sum() for n in point)
        assert slope.item() == pytest.approx(((ahead - behind) / (2 * step)).item(), rel=1e-5, abs=1e-8)


def test_gradcheck_of_a_small_encoder():
    model, b = classifier(hidden=4, heads=2).encoder, batch([2, 9], seed=3)
    names = ["modality_aware.qkv.weight", "interaction_aware.gate.bias", "interaction_aware.key_value.weight"]
    values = [model.get_parameter(n).detach().clone().requires_grad_() for n in names]
    inputs = [x.requires_grad_() for x in b.features.values()]

    def forward(text, audio, visual, *values):
        features = {"text": text, "audio": audio, "visual": visual}
        arguments = (features, b.speakers, b.lengths)
        encoded = torch.func.functional_call(model, dict(zip(names, values, strict=True)), arguments)
        return torch.stack(list(encoded.values()))

    assert torch.autograd.gradcheck(forward, (*inputs, *values), fast_mode=True)


# --- positions, speakers, θ ---


@pytest.mark.parametrize("hidden", [6, 7])
def test_positions_are_the_formula(hidden):
    table = sinusoidal_positions(torch.tensor([0, 1, 5, 70]), hidden, torch.float64)
    for row, t in zip(table, (0, 1, 5, 70), strict=True):
        for column, value in enumerate(row.tolist()):
            angle = t * 10000 ** (-2 * (column // 2) / hidden)
            assert value == pytest.approx(math.cos(angle) if column % 2 else math.sin(angle), abs=1e-12)


def test_positions_matter_and_restart_in_every_conversation():
    model, b = classifier(), batch([4, 11, 4])
    for x in (*b.features.values(), b.speakers):
        x[-4:] = x[:4]
    logits = run(model, b)
    close(logits[:, -4:], logits[:, :4])
    for x in (*b.features.values(), b.speakers):
        x[1] = x[0]
    logits = run(model, b)
    assert (logits[:, 0] - logits[:, 1]).abs().max() > 1e-6


def test_speakers_matter_but_are_not_among_the_shared_parameters():
    model, b = classifier(), batch([4, 3])
    before = run(model, b)
    b.speakers[1] = (b.speakers[1] + 1) % SPEAKERS
    assert ((run(model, b) - before).abs().amax((0, 2)) > 1e-9).tolist() == [True] * 4 + [False] * 3
    shared = model.encoder.shared_parameters()
    everything = dict(model.encoder.named_parameters())
    assert everything.keys() - shared.keys() == {"speaker.weight"}
    assert all(shared[name] is everything[name] for name in shared)
    assert {name.partition(".")[0] for name in shared} == {
        *("inputs", "modality_aware", "interaction_aware", "reduction")
    }


def test_speakers_can_be_among_the_shared_parameters_and_change_nothing_else():
    torch.manual_seed(0)
    without = ConversationEncoder(WIDTHS, 12, 3, 0.0, SPEAKERS)
    torch.manual_seed(0)
    encoder = ConversationEncoder(WIDTHS, 12, 3, 0.0, SPEAKERS, theta_speakers=True)
    assert dict(encoder.named_parameters()).keys() == encoder.shared_parameters().keys()
    assert all(torch.equal(a, b) for a, b in zip(encoder.parameters(), without.parameters(), strict=True))


def test_every_parameter_of_the_encoder_is_used():
    model, b = classifier(), batch([4, 3])
    parameters = list(model.parameters())
    for p, g in zip(parameters, torch.autograd.grad(sum(losses(model, b)), parameters), strict=True):
        assert g.shape == p.shape
        assert (g.abs() > 1e-12).any()


# --- construction ---


@pytest.mark.parametrize("hidden", [10, 3])
def test_hidden_has_to_be_a_multiple_of_heads(hidden):
    with pytest.raises(ValueError, match=f"hidden must be a multiple of heads, got hidden {hidden} and heads 4"):
        ConversationEncoder(WIDTHS, hidden, 4, 0.0, SPEAKERS)


def test_shapes_are_checked_while_tests_run():
    model, b = classifier(), batch([4, 3])
    b.features["text"] = b.features["text"][:-1]
    with pytest.raises(TypeCheckError, match="speakers"):
        model(b.features, b.speakers, b.lengths)
    with pytest.raises(TypeCheckError):
        StackedLinear(3, 2, 2)(torch.zeros(3, 2))


def test_state_dict_carries_everything():
    model, other, b = classifier(), classifier(seed=5), batch([4, 9])
    assert not torch.equal(run(other, b), run(model, b))
    other.load_state_dict(model.state_dict())
    assert torch.equal(run(other, b), run(model, b))


def test_stacked_linear_is_a_linear_map_for_each_slice():
    torch.manual_seed(0)
    stacked, x = StackedLinear(3, 5, 4).double(), torch.randn(3, 6, 5).double()
    for m, out in enumerate(stacked(x)):
        close(out, F.linear(x[m], stacked.weight[m].T, stacked.bias[m, 0]), 1e-14)


def test_stacked_linear_starts_as_linear_layers_do():
    torch.manual_seed(0)
    stacked, reference = StackedLinear(2, 400, 300), torch.nn.Linear(400, 300)
    for ours, theirs in ((stacked.weight, reference.weight), (stacked.bias, reference.bias)):
        assert ours.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=0.02)
        assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.1)
        assert abs(ours.mean().item()) < 0.005


# --- dropout ---


def dropout(p, seed=0):
    return Dropout(p, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(400001,), (3, 1000, 101)])
def test_dropout_zeroes_at_its_rate_and_keeps_the_mean(p, shape):
    out = dropout(p)(torch.ones(shape))
    n = out.numel()
    assert (out == 0).sum().item() == pytest.approx(p * n, abs=5 * math.sqrt(n * p * (1 - p)))
    assert out.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=1e-4)
    neighbours = (out.flatten()[1:] == 0) & (out.flatten()[:-1] == 0)  # four entries share one draw
    assert neighbours.sum().item() == pytest.approx(p * p * n, abs=10 * math.sqrt(n * p * p))


def test_dropout_is_the_identity_in_evaluation_and_at_rate_zero():
    x, off = torch.randn(5, 3), dropout(0.5).eval()
    assert off(x) is x
    assert dropout(0.0)(x) is x


@pytest.mark.parametrize("p", [1.0, 1.5, -0.1, math.nan])
def test_impossible_dropout_is_refused(p):
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got"):
        Dropout(p)


def test_gradients_pass_the_same_mask():
    x = torch.randn(50, requires_grad=True)
    out = dropout(0.5)(x)
    (g,) = torch.autograd.grad(out.sum(), x)
    torch.testing.assert_close(out, x * g)


def test_dropout_draws_from_its_own_generator_only():
    state, x = torch.get_rng_state(), torch.ones(1000)
    first, second = dropout(0.5), dropout(0.5)
    a = first(x)
    assert torch.equal(a, second(x))
    assert not torch.equal(a, first(x))
    assert not torch.equal(a, dropout(0.5, seed=1)(x))
    assert torch.equal(state, torch.get_rng_state())


def test_a_training_step_draws_from_the_generator_only_and_repeats_with_it():
    g, b = torch.Generator(), batch([4, 9])
    model = classifier(dropout=0.5, generator=g).train()
    state = torch.get_rng_state()

    def once():
        return run(model, b)

    g.manual_seed(7)
    first, second = once(), once()
    g.manual_seed(7)
    assert torch.equal(once(), first)
    assert not torch.equal(first, second)
    assert torch.equal(state, torch.get_rng_state())


def test_dropout_acts_on_inputs_both_attentions_attention_output_feed_forward_and_classifiers(monkeypatch):
    """In the order of the forward pass; one bucket of conversations, so that each attention draws once."""
    shapes = []
    draw = Dropout.multiplier
    monkeypatch.setattr(Dropout, "multiplier", lambda self, s, x: (shapes.append(tuple(s)), draw(self, s, x))[1])
    model, b = classifier(hidden=12, heads=3, dropout=0.5), batch([BUCKET, BUCKET - 1])
    N, rows, scores = 2 * BUCKET - 1, (3, 2 * BUCKET - 1, 12), (3 * 2 * 3, BUCKET, BUCKET)
    model(b.features, b.speakers, b.lengths)
    assert shapes == [rows, scores, rows, rows, rows, scores, (3, N, 12)]


def test_what_dropout_leaves_of_a_modality_aware_layer_is_its_residual():
    """At the highest rate nearly nothing but the residual path survives."""
    x, lengths = torch.randn(3, 20, 12).double(), torch.tensor([12, 8])
    layer = ModalityAwareLayer(3, 12, 3, dropout(1 - 2**-16)).double()
    left, _ = layer(x, packed_layout(lengths, x.device, x.dtype))
    assert (left == x).double().mean() > 0.99
