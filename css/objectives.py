"""The three objectives of CSS (Lyu et al., AAAI 2026): fused, unimodal and distillation loss."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from css.interfaces import BranchLogits


def objectives(
    logits: BranchLogits,
    label: Int[Tensor, "N"],
    temperature: float,
    class_weights: Float[Tensor, "C"] | None = None,
    detach_teacher: bool = True,
    t_squared: bool = False,
    unimodal: bool = True,
    distillation: bool = True,
) -> tuple[Float[Tensor, ""], ...]:
    """L1, L2, L3 in the order of :data:`css.interfaces.OBJECTIVES`, each a mean over the N utterances.

    ::

        L1 = CE(fused, label)
        L2 = Σ_m CE(unimodal_m, label)
        L3 = Σ_m KL(softmax(fused/T) ‖ softmax(unimodal_m/T))     fused detached, no factor T²

    They are not stacked: differentiating an element of a stack walks through all of it, with zeros, which costs time
    and turns into NaN where another objective is not finite.

    Args:
        logits: fused [N, C] and unimodal {m: [N, C]}.
        label: classes, int64 [N].
        temperature: T > 0.
        class_weights: [C]; they enter L1 and L2, divided by the batch's sum of weights, and never L3.
        detach_teacher: False lets L3 move the fused branch too, as the released implementation does.
        t_squared: multiply L3 by T², which keeps its gradient's size over temperatures (Hinton et al. 2015).
        unimodal, distillation: False leaves L2, or L3, out (ablation).
    """
    branches = torch.stack(list(logits.unimodal.values()))
    M, N, _ = branches.shape
    losses = [F.cross_entropy(logits.fused, label, class_weights)]
    if unimodal:
        losses.append(M * F.cross_entropy(branches.flatten(0, 1), label.repeat(M), class_weights))
    if distillation:
        fused = logits.fused.detach() if detach_teacher else logits.fused
        teacher = F.log_softmax(fused / temperature, -1).expand_as(branches)
        student = F.log_softmax(branches / temperature, -1)
        divergence = F.kl_div(student, teacher, reduction="sum", log_target=True) / N
        losses.append(divergence * temperature**2 if t_squared else divergence)
    return tuple(losses)


@torch.no_grad()
def losses_by_modality(
    logits: BranchLogits,
    label: Int[Tensor, "N"],
    temperature: float,
    class_weights: Float[Tensor, "C"] | None = None,
    t_squared: bool = False,
) -> tuple[Float[Tensor, "M"], Float[Tensor, "M"]]:
    """The terms of L2 and of L3, one a modality in the order of the logits; arguments as of :func:`objectives`.

    They sum to these losses up to rounding, and carry no gradient: what is trained on is not computed from them.
    """
    branches = torch.stack(list(logits.unimodal.values()))
    M, N, _ = branches.shape
    each = F.cross_entropy(branches.flatten(0, 1), label.repeat(M), class_weights, reduction="none")
    teacher = F.log_softmax(logits.fused / temperature, -1).expand_as(branches)
    divergence = F.kl_div(F.log_softmax(branches / temperature, -1), teacher, reduction="none", log_target=True)
    distillation = divergence.sum((1, 2)) / N
    weight = N if class_weights is None else class_weights[label].sum()
    return each.view(M, N).sum(1) / weight, distillation * temperature**2 if t_squared else distillation
