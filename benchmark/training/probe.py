"""The conflict probe: how the objectives' gradients stand to each other on fixed data, outside the update."""

import copy
import hashlib

import torch

from benchmark.data.conversations import Conversations
from benchmark.training.batches import Batch, PackedData
from benchmark.training.gradients import Objectives, Parameters, cosines, objective_gradients, update_cosines
from css.interfaces import OBJECTIVES, Aggregator
from css.model import EmotionClassifier
from css.modulator import ParetoGradientModulator

PAIRS = tuple(f"{a}_{b}" for i, a in enumerate(OBJECTIVES) for b in OBJECTIVES[i + 1 :])
COLUMNS = (
    *(f"norm_{o}" for o in OBJECTIVES),
    *(f"cos_{pair}" for pair in PAIRS),
    *(f"weight_{o}" for o in OBJECTIVES),
    *(f"update_cos_{o}" for o in OBJECTIVES),
)


def probe_batch(data: PackedData, conversations: int) -> Batch:
    """A fixed set of training conversations: the first by the hash of their names, whatever the seed or method."""
    return data.batch(_fixed_choice(data.conversations, conversations))


def probe(
    model: EmotionClassifier, parameters: Parameters, aggregator: Aggregator, batch: Batch, objective: Objectives
) -> torch.Tensor:
    """One probe, float64 [len(COLUMNS)]: in evaluation mode, leaving model, aggregator and generators as they were."""
    training = model.training
    model.eval()
    gradients = objective_gradients(model, parameters, batch, objective)
    model.train(training)
    shared = gradients.shared.double()  # the cosine of a nearly cancelled update needs the digits
    gramian = shared @ shared.T
    state = copy.deepcopy(aggregator.state_dict())
    weights = aggregator(gramian if aggregator.needs_gramian else None, gradients.losses.double())
    aggregator.load_state_dict(state)
    pareto = ParetoGradientModulator().to(gramian.device)(gramian, gradients.losses)
    return torch.cat(
        [gramian.diagonal().sqrt(), cosines(gramian), pareto, update_cosines(gramian, weights.double())]
    ).cpu()


def _fixed_choice(conversations: Conversations, n: int) -> list[int]:
    order = sorted(range(len(conversations)), key=lambda b: hashlib.sha256(conversations.ids[b].encode()).digest())
    return sorted(order[:n])
