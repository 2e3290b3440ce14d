"""The conflict probe: how the objectives' gradients stand to each other on fixed data, outside the update."""

import copy
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from benchmark.data.conversations import Conversations
from benchmark.training.batches import Batch, PackedData
from benchmark.training.gradients import (
    PAIRS,
    Objectives,
    Parameters,
    cosines,
    norms,
    objective_gradients,
    update_cosines,
)
from css.interfaces import OBJECTIVES, Aggregator
from css.model import EmotionClassifier
from css.modulator import ParetoGradientModulator

NORMS = tuple(f"norm_{o}" for o in OBJECTIVES)
COSINES = tuple(f"cos_{pair}" for pair in PAIRS)
COLUMNS = (
    *NORMS,
    *COSINES,
    *(f"loss_{o}" for o in OBJECTIVES),
    *(f"weight_{o}" for o in OBJECTIVES),
    *(f"update_cos_{o}" for o in OBJECTIVES),
)
DISPLACEMENT = tuple(f"displacement_cos_{o}" for o in OBJECTIVES)


def columns(blocks: Iterable[str]) -> tuple[str, ...]:
    """Names of a probe's numbers, where θ has these blocks; :data:`DISPLACEMENT` is known after the step alone."""
    return (*COLUMNS, *(f"{block}.{name}" for block in blocks for name in (*NORMS, *COSINES)))


@dataclass(frozen=True)
class Probe:
    """One probe.

    Attributes:
        row: float64, the numbers of :func:`columns`, on the CPU.
        gradients: J [K, |θ|], of the objectives on the probe's data.
        theta: θ when it was taken, flat.
    """

    row: Float[Tensor, "columns"]
    gradients: Float[Tensor, "K theta"]
    theta: Float[Tensor, "theta"]

    def displacement_cosines(self, parameters: Parameters) -> Float[Tensor, "K"]:
        """cos(−Δθ, g_i), Δθ what θ has moved since: below 0 where that raised objective i to first order.

        Float64 [K] on the CPU; NaN where θ stands still or a gradient vanishes.
        """
        moved = self.theta.double() - parameters.theta().double()
        gradients = self.gradients.double()
        return (gradients @ moved / (gradients.norm(dim=1) * moved.norm())).cpu()


def probe_batch(data: PackedData, conversations: int) -> Batch:
    """A fixed set of training conversations: the first by the hash of their names, whatever the seed or method."""
    return data.batch(_fixed_choice(data.conversations, conversations))


def probe(
    model: EmotionClassifier, parameters: Parameters, aggregator: Aggregator, batch: Batch, objective: Objectives
) -> Probe:
    """Take one probe, in evaluation mode, leaving model, aggregator and generators as they were."""
    training = model.training
    model.eval()
    gradients = objective_gradients(model, parameters, batch, objective)
    model.train(training)
    gramians = parameters.gramians(gradients.shared.double())  # a nearly cancelled update's cosine needs the digits
    gramian = gramians.sum(0)
    losses = gradients.losses.double()
    state = copy.deepcopy(aggregator.state_dict())
    weights = aggregator(gramian if aggregator.needs_gramian else None, losses)
    aggregator.load_state_dict(state)
    pareto = ParetoGradientModulator().to(gramian.device)(gramian, losses)
    by_name, by_pair = objective.by_name, objective.by_pair
    numbers = (losses, pareto, update_cosines(gramian, weights.double()))
    whole = [by_name(norms(gramian)), by_pair(cosines(gramian)), *map(by_name, numbers)]
    blocks = torch.cat([by_name(norms(gramians)), by_pair(cosines(gramians))], dim=-1).flatten()
    return Probe(torch.cat([*whole, blocks]).cpu(), gradients.shared, parameters.theta())


def _fixed_choice(conversations: Conversations, n: int) -> list[int]:
    order = sorted(range(len(conversations)), key=lambda b: hashlib.sha256(conversations.ids[b].encode()).digest())
    return sorted(order[:n])
