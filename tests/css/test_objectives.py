"""L1, L2, L3 against their definitions in numpy."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from css.interfaces import BranchLogits
from css.objectives import losses_by_modality
from css.objectives import objectives as separate_objectives

MODALITIES = ("text", "audio", "visual")


def objectives(*arguments):
    return torch.stack(separate_objectives(*arguments))


def example(N=6, C=4, seed=0, modalities=MODALITIES):
    generator = torch.Generator().manual_seed(seed)

    def draw():
        return 3 * torch.randn(N, C, generator=generator, dtype=torch.float64)

    logits = BranchLogits(draw(), {m: draw() for m in modalities})
    return logits, torch.randint(C, (N,), generator=generator)


def by_hand(logits, label, T, w):
    N = len(label)

    def cross_entropy(x):
        weight = np.array([1.0 if w is None else w[c] for c in label])
        return sum(-weight[n] * log_softmax(x[n])[label[n]] for n in range(N)) / weight.sum()

    fused = logits.fused.numpy()
    unimodal = [x.numpy() for x in logits.unimodal.values()]
    kl = 0.0
    for x in unimodal:
        for n in range(N):
            teacher, student = log_softmax(fused[n] / T), log_softmax(x[n] / T)
            kl += sum(np.exp(teacher) * (teacher - student)) / N
    return np.array([cross_entropy(fused), sum(cross_entropy(x) for x in unimodal), kl])


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize("weights", [None, [0.5, 1.0, 7.0, 3.0]])
@pytest.mark.parametrize("modalities", [MODALITIES, ("audio",)])
def test_losses_are_their_definitions(temperature, weights, modalities):
    logits, label = example(modalities=modalities)
    class_weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    losses = objectives(logits, label, temperature, class_weights)
    np.testing.assert_allclose(losses.numpy(), by_hand(logits, label.numpy(), temperature, weights), rtol=1e-12)


@pytest.mark.parametrize("weights", [None, [0.5, 1.0, 7.0, 3.0]])
@pytest.mark.parametrize("t_squared", [False, True])
def test_terms_by_modality_are_the_losses_of_that_modality_alone(weights, t_squared):
    logits, label = example()
    class_weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    unimodal, distillation = losses_by_modality(logits, label, 3.0, class_weights, t_squared)
    for i, (m, x) in enumerate(logits.unimodal.items()):
        _, alone, distilled = by_hand(BranchLogits(logits.fused, {m: x}), label.numpy(), 3.0, weights)
        assert unimodal[i].item() == pytest.approx(alone, rel=1e-12)
        assert distillation[i].item() == pytest.approx(distilled * (9 if t_squared else 1), rel=1e-12)
    assert not unimodal.requires_grad


@pytest.mark.parametrize("unimodal", [True, False])
@pytest.mark.parametrize("distillation", [True, False])
def test_an_objective_that_is_left_out_changes_no_other(unimodal, distillation):
    logits, label = example()
    plain = separate_objectives(logits, label, 2.0, None)
    losses = separate_objectives(logits, label, 2.0, None, unimodal=unimodal, distillation=distillation)
    kept = [loss for loss, is_in in zip(plain, (True, unimodal, distillation), strict=True) if is_in]
    assert [x.item() for x in losses] == [x.item() for x in kept]


def test_class_weights_never_enter_the_distillation():
    logits, label = example()
    plain = objectives(logits, label, 2.0, None)
    weighted = objectives(logits, label, 2.0, torch.tensor([1.0, 9.0, 2.0, 5.0], dtype=torch.float64))
    assert plain[2] == weighted[2]
    assert (plain[:2] - weighted[:2]).abs().min() > 1e-3


def test_the_scale_of_the_class_weights_is_irrelevant():
    logits, label = example()
    w = torch.tensor([1.0, 9.0, 2.0, 5.0], dtype=torch.float64)
    torch.testing.assert_close(objectives(logits, label, 1.0, w), objectives(logits, label, 1.0, 10 * w))


def test_the_teacher_is_detached():
    logits, label = example()
    logits.fused.requires_grad_()
    for x in logits.unimodal.values():
        x.requires_grad_()
    distillation = separate_objectives(logits, label, 2.0, None)[2]
    fused, *students = torch.autograd.grad(distillation, [logits.fused, *logits.unimodal.values()], allow_unused=True)
    assert fused is None
    assert all((g != 0).any() for g in students)


def test_an_attached_teacher_changes_no_loss_but_is_moved_by_the_distillation():
    logits, label = example()
    logits.fused.requires_grad_()
    attached = separate_objectives(logits, label, 2.0, None, detach_teacher=False)
    torch.testing.assert_close(torch.stack(attached), objectives(logits, label, 2.0, None), rtol=0, atol=0)

    def distilled(fused):
        return separate_objectives(logits._replace(fused=fused), label, 2.0, None, detach_teacher=False)[2]

    assert torch.autograd.grad(attached[2], logits.fused)[0].abs().max() > 1e-3
    assert torch.autograd.gradcheck(distilled, logits.fused)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_t_squared_scales_the_distillation_alone(temperature):
    logits, label = example()
    plain = objectives(logits, label, temperature, None)
    scaled = torch.stack(separate_objectives(logits, label, temperature, None, t_squared=True))
    torch.testing.assert_close(scaled, plain * torch.tensor([1, 1, temperature**2], dtype=plain.dtype))


def test_each_loss_reaches_its_branches():
    logits, label = example()
    branches = [logits.fused, *logits.unimodal.values()]
    for x in branches:
        x.requires_grad_()
    losses = objectives(logits, label, 1.0, None)
    reached = [[bool(g.any()) for g in torch.autograd.grad(loss, branches, retain_graph=True)] for loss in losses]
    assert reached == [[True, False, False, False], [False, True, True, True], [False, True, True, True]]


@pytest.mark.parametrize("weights", [None, [0.5, 1.0, 7.0, 3.0]])
def test_gradients_are_those_of_finite_differences(weights):
    logits, label = example(N=3)
    class_weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)

    def supervised(fused, *unimodal):
        branches = BranchLogits(fused, dict(zip(MODALITIES, unimodal, strict=True)))
        return objectives(branches, label, 2.0, class_weights)[:2]

    def distilled(*unimodal):
        branches = BranchLogits(logits.fused, dict(zip(MODALITIES, unimodal, strict=True)))
        return objectives(branches, label, 2.0, class_weights)[2]

    unimodal = [x.requires_grad_() for x in logits.unimodal.values()]
    assert torch.autograd.gradcheck(supervised, (logits.fused.clone().requires_grad_(), *unimodal))
    assert torch.autograd.gradcheck(distilled, tuple(unimodal))


@pytest.mark.parametrize("branch", ["fused", "text"])
def test_a_loss_that_is_not_finite_does_not_spoil_the_gradients_of_those_it_is_no_part_of(branch):
    logits, label = example()
    broken = logits.fused if branch == "fused" else logits.unimodal["text"]
    broken[0, 0] = torch.nan
    branches = [logits.fused, *logits.unimodal.values()]
    for x in branches:
        x.requires_grad_()
    fused, unimodal, _ = separate_objectives(logits, label, 1.0, None)
    healthy = unimodal if branch == "fused" else fused
    gradients = torch.autograd.grad(healthy, branches, materialize_grads=True)
    assert all(g.isfinite().all() for g in gradients)
    assert any(g.any() for g in gradients)


def test_agreeing_branches_have_nothing_to_distil():
    logits, label = example()
    agreeing = BranchLogits(logits.fused, {m: logits.fused.clone() for m in MODALITIES})
    losses = objectives(agreeing, label, 4.0, None)
    assert losses[2].abs() < 1e-15
    torch.testing.assert_close(losses[1], 3 * losses[0])


def test_confident_float32_logits_give_finite_losses_and_gradients():
    logits = BranchLogits(
        torch.tensor([[1e3, -1e3], [-1e3, 1e3]]), {"text": torch.tensor([[-1e3, 1e3]] * 2, requires_grad=True)}
    )
    losses = objectives(logits, torch.tensor([0, 1]), 1.0, None)
    torch.testing.assert_close(losses, torch.tensor([0.0, 1000.0, 1000.0]))
    assert torch.autograd.grad(losses.sum(), logits.unimodal["text"])[0].isfinite().all()
