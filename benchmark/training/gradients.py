"""One training step's gradients: every objective's, once; the Gramian from them; the update from the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from benchmark.data.views import MODALITIES
from benchmark.training.batches import Batch
from css.interfaces import OBJECTIVES, BranchLogits
from css.model import EmotionClassifier
from css.objectives import losses_by_modality, objectives

PAIRS = tuple(f"{a}_{b}" for i, a in enumerate(OBJECTIVES) for b in OBJECTIVES[i + 1 :])
SUMS = ("unimodal", "distillation")
"""The objectives that are sums over modalities."""
TERMS = tuple(f"{name}_{modality}" for name in SUMS for modality in MODALITIES)
"""The terms of these sums."""


@dataclass(frozen=True)
class Objectives:
    """How logits become the objectives: temperature, class weights [C] or None, what computes them, and their names."""

    temperature: float
    class_weights: Tensor | None
    function: Callable[..., tuple[Float[Tensor, ""], ...]] = field(default=objectives, kw_only=True)
    names: tuple[str, ...] = field(default=OBJECTIVES, kw_only=True)
    t_squared: bool = field(default=False, kw_only=True)

    def __call__(self, logits: BranchLogits, batch: Batch) -> tuple[Float[Tensor, ""], ...]:
        """The K losses of a batch, those of L1, L2, L3 that there are."""
        assert batch.label is not None, "objectives need labels"
        return self.function(logits, batch.label, self.temperature, self.class_weights)

    def terms(self, logits: BranchLogits, batch: Batch) -> Float[Tensor, "terms"]:
        """The losses of a batch by :data:`TERMS`, NaN for those that the method lacks; no gradient, no host sync."""
        assert batch.label is not None, "objectives need labels"
        losses = losses_by_modality(logits, batch.label, self.temperature, self.class_weights, self.t_squared)
        kept = [(name, values) for name, values in zip(SUMS, losses, strict=True) if name in self.names]
        if not kept:
            return losses[0].new_full((len(TERMS),), torch.nan)
        names = [f"{name}_{modality}" for name, _ in kept for modality in logits.unimodal]
        return _placed(torch.cat([values for _, values in kept]), names, TERMS)

    def by_name(self, values: Float[Tensor, "*batch K"]) -> Float[Tensor, "*batch names"]:
        """A value for each of :data:`css.interfaces.OBJECTIVES`, NaN for what is not among these K."""
        return _placed(values, self.names, OBJECTIVES)

    def by_pair(self, values: Float[Tensor, "*batch pairs"]) -> Float[Tensor, "*batch all_pairs"]:
        """A value for each of :data:`PAIRS`, NaN for those with an objective that is not among these K."""
        return _placed(values, [pair for pair in PAIRS if all(name in self.names for name in pair.split("_"))], PAIRS)


@dataclass(frozen=True)
class ObjectiveGradients:
    """Gradients of the K objectives at one batch, flattened over parameters.

    Attributes:
        losses: [K], detached.
        shared: J [K, |θ|], over the shared parameters θ.
        rest: [K, R], over all other parameters.
        logits: that the losses are of; None where they are of something else.
    """

    losses: Float[Tensor, "K"]
    shared: Float[Tensor, "K theta"]
    rest: Float[Tensor, "K R"]
    logits: BranchLogits | None = None


class Parameters:
    """A model's parameters, moved into one vector in the order of gradients: θ first, block by block, then the others.

    Attributes:
        blocks: the size of each block of θ by its name; see :meth:`css.interfaces.Encoder.shared_parameters`.
        flat: [P] the vector; the model's parameters are views of it, so that one operator updates them all.
    """

    def __init__(self, model: EmotionClassifier) -> None:
        named: dict[str, list[nn.Parameter]] = {}
        for name, p in model.encoder.shared_parameters().items():
            named.setdefault(name.partition(".")[0], []).append(p)
        self.blocks = {name: sum(p.numel() for p in block) for name, block in named.items()}
        shared = [p for block in named.values() for p in block]
        self.shared = shared
        encoder = [p for p in model.encoder.parameters() if not any(p is q for q in shared)]
        self.encoder: list[nn.Parameter] = shared + encoder
        self.heads: list[nn.Parameter] = [p for n, p in model.named_parameters() if not n.startswith("encoder.")]
        self.shared_size = sum(self.blocks.values())
        self.all = self.encoder + self.heads
        self.flat = nn.Parameter(torch.cat([p.detach().reshape(-1) for p in self.all]))
        for p, piece in zip(self.all, self.flat.detach().split([p.numel() for p in self.all]), strict=True):
            p.data = piece.view_as(p)

    def theta(self) -> Float[Tensor, "theta"]:
        """A copy of θ, flattened as its gradients are."""
        return self.flat[: self.shared_size].detach().clone()

    def gradient(self, loss: Float[Tensor, ""]) -> Float[Tensor, "P"]:
        """The gradient of one loss over all parameters."""
        return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, self.all, materialize_grads=True)])

    def gramians(self, shared: Float[Tensor, "K theta"]) -> Float[Tensor, "blocks K K"]:
        """J_b J_bᵀ of every block of θ, from J = ``shared``; they sum to the whole Gramian."""
        return torch.stack([block @ block.T for block in shared.split(list(self.blocks.values()), dim=1)])


def _placed(
    values: Float[Tensor, "*batch given"], names: Sequence[str], columns: Sequence[str]
) -> Float[Tensor, "*batch columns"]:
    """Values under their names among all columns; slices alone, so that no device waits for an index."""
    if tuple(names) == tuple(columns):
        return values
    unknown = values.new_full(values.shape[:-1], torch.nan)
    return torch.stack([values[..., names.index(c)] if c in names else unknown for c in columns], dim=-1)


def objective_gradients(
    model: EmotionClassifier, parameters: Parameters, batch: Batch, objective: Objectives
) -> ObjectiveGradients:
    """Differentiate each objective once, from one forward pass.

    Fusion and classifiers are differentiated first, down to the encoder's output; then the encoder, once for all of the
    objectives' cotangents together.
    """
    with torch.no_grad():
        encoded, pull = model.encoder.vjp(batch.features, batch.speakers, batch.lengths)
    cut = {m: x.detach().requires_grad_() for m, x in encoded.items()}
    logits = model.classify(cut)
    losses = objective(logits, batch)
    K, inputs, sizes = len(losses), list(cut.values()), [p.numel() for p in parameters.encoder]
    jacobian = losses[0].new_empty(K, parameters.flat.numel())
    through, heads = jacobian.tensor_split([sum(sizes)], dim=1)
    cotangents = []
    for k, loss in enumerate(losses):
        head = torch.autograd.grad(loss, [*inputs, *parameters.heads], retain_graph=k < K - 1, materialize_grads=True)
        torch.cat([g.reshape(-1) for g in head[len(inputs) :]], out=heads[k])
        cotangents.append(head[: len(inputs)])
    with torch.no_grad():
        stacks = (torch.stack(g, dim=1) for g in zip(*cotangents, strict=True))
        gradients = pull(dict(zip(cut, stacks, strict=True)))
        for p, columns in zip(parameters.encoder, through.split(sizes, dim=1), strict=True):
            columns.view(K, *p.shape).copy_(gradients[p])
    size = parameters.shared_size
    return ObjectiveGradients(torch.stack(losses).detach(), jacobian[:, :size], jacobian[:, size:], logits)


def combine(gradients: ObjectiveGradients, weights: Float[Tensor, "K"], everything: bool) -> Float[Tensor, "P"]:
    """The update direction Σ γ_i g_i over θ and, over the other parameters, the same (``everything``) or the mean.

    No entry of an objective of weight 0 that is not finite enters either.
    """
    shared, rest = gradients.shared, gradients.rest
    unused = (weights == 0)[:, None]
    if not weights.is_cpu or unused.any():  # a copy of all gradients; asking whether it is needed waits for a device
        shared = shared.masked_fill(unused, 0)
        rest = rest.masked_fill(unused if everything else unused & ~rest.isfinite(), 0)
    return torch.cat([weights @ shared, weights @ rest if everything else rest.mean(0)])


def norms(gramian: Float[Tensor, "*batch K K"]) -> Float[Tensor, "*batch K"]:
    """‖g_i‖."""
    return gramian.diagonal(dim1=-2, dim2=-1).sqrt()


def cosines(gramian: Float[Tensor, "*batch K K"]) -> Float[Tensor, "*batch pairs"]:
    """cos(g_i, g_j) for i < j, row by row; NaN where a gradient vanishes."""
    norm = norms(gramian)
    i, j = torch.triu_indices(gramian.shape[-1], gramian.shape[-1], 1, device=gramian.device)
    return (gramian / norm.unsqueeze(-2) / norm.unsqueeze(-1))[..., i, j]


def update_cosines(gramian: Float[Tensor, "K K"], weights: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
    """cos(d, g_i) for d = Σ γ_j g_j: negative where the update raises objective i to first order."""
    inner = gramian @ weights
    return inner / (norms(gramian) * (weights @ inner).sqrt())
