"""Every aggregator's update on one trajectory that none of them steers: SPF under equal weights (``adam``)."""

from collections.abc import Mapping
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from benchmark.methods.entries import Entry
from benchmark.methods.parts import Method
from benchmark.methods.plugins import PluginEntry
from benchmark.methods.registry import AGGREGATORS
from benchmark.training.building import objective_names
from benchmark.training.gradients import update_cosines
from benchmark.training.probe import COSINES, NORMS
from benchmark.training.seeding import derive
from css.interfaces import OBJECTIVES, Aggregator

COLUMNS = (*(f"weight_{o}" for o in OBJECTIVES), *(f"update_cos_{o}" for o in OBJECTIVES), "mean_cos")


def is_common(method: Method) -> bool:
    """Whether the method's trajectory is the common one."""
    parts = method.fusion.name, method.aggregator.name
    return parts == ("spf", "equal") and objective_names(method) == OBJECTIVES


def directions(probes: Mapping[str, npt.NDArray[np.float64]], seed: int) -> dict[str, npt.NDArray[np.generic]]:
    """What each built-in aggregator, with its default options, makes of the gradients over θ at each probe.

    Each starts afresh and goes from probe to probe, so that what it remembers is of probes, each of them an epoch; one
    that draws has a seed of its own. Those whose optional packages are not installed are left out.

    Args:
        probes: a run's probes by column, in order.
        seed: of the run.

    Returns:
        ``probe`` (its number), ``aggregator``, and :data:`COLUMNS`: γ, cos(d, g_i) of d = Σ γ_i g_i, and its cosine
        with the mean gradient.
    """
    gramians = _gramians(probes)
    losses = torch.from_numpy(np.stack([probes[f"loss_{o}"] for o in OBJECTIVES], axis=1))
    usable = {name: entry for name, entry in AGGREGATORS.items() if _usable(entry)}
    traces = {name: _trace(name, entry, gramians, losses, seed) for name, entry in usable.items()}
    rows = torch.cat(list(traces.values())).numpy()
    return {
        "probe": np.tile(np.arange(len(gramians)), len(traces)),
        "aggregator": np.repeat(list(traces), len(gramians)),
        **dict(zip(COLUMNS, rows.T, strict=True)),
    }


def _gramians(probes: Mapping[str, npt.NDArray[np.float64]]) -> Float[Tensor, "T K K"]:
    """The Gramians that norms and cosines were taken from; an objective without gradient has zeros."""
    norm = torch.from_numpy(np.stack([probes[name] for name in NORMS], axis=1))
    cosine = torch.eye(len(OBJECTIVES), dtype=norm.dtype).repeat(len(norm), 1, 1)
    i, j = torch.triu_indices(len(OBJECTIVES), len(OBJECTIVES), 1)
    cosine[:, i, j] = cosine[:, j, i] = torch.from_numpy(np.stack([probes[name] for name in COSINES], axis=1))
    scale = norm[:, :, None] * norm[:, None]
    return torch.where(scale == 0, 0, scale * cosine)


def _trace(
    name: str, entry: Entry, gramians: Float[Tensor, "T K K"], losses: Float[Tensor, "T K"], seed: int
) -> Float[Tensor, "T columns"]:
    aggregator: Aggregator = entry.load()()
    if (generator := getattr(aggregator, "generator", None)) is not None:
        generator.manual_seed(derive(seed, "directions", name))
    rows = []
    for gramian, loss in zip(gramians, losses, strict=True):
        weights = aggregator(gramian if aggregator.needs_gramian else None, loss).double()
        aggregator.end_epoch()
        mean = gramian.mean(1)  # inner products with the mean gradient
        mean_cos = weights @ mean / ((weights @ gramian @ weights).sqrt() * mean.mean().sqrt())
        rows.append(torch.cat([weights, update_cosines(gramian, weights), mean_cos[None]]))
    return torch.stack(rows)


def _usable(entry: Entry) -> bool:
    return not isinstance(entry, PluginEntry) and all(find_spec(package) for package in entry.packages)
