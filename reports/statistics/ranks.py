"""Ranks of methods with their uncertainty over seeds."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from reports.statistics.effects import Interval


@dataclass(frozen=True)
class Rank:
    """One method: rank of its mean score (1 is best), its bootstrap mean and 95 % interval, chance to be `best`."""

    rank: float
    mean: float
    interval: Interval
    best: float


def rank_methods(
    scores: Float[np.ndarray, "methods seeds"], resamples: int = 10_000, seed: int = 0
) -> tuple[Rank, ...]:
    """Rank methods by their mean over seeds, larger better; seeds are resampled for all methods at once.

    Methods that tie share their mean rank, and the chance to be best. Scores must be finite: leave out seeds that a
    method lacks (`align`). The bootstrap knows no better than its few seeds: below ten it is a rough guide.
    """
    methods, seeds = scores.shape
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
    weights = np.vstack([np.full(seeds, 1 / seeds), weights])
    means = np.round(weights @ scores.T, 12)  # equal on paper is equal
    drawn = stats.rankdata(-means, axis=1)
    top = means == means.max(axis=1, keepdims=True)
    chance = (top / top.sum(axis=1, keepdims=True))[1:].mean(axis=0)
    low, high = np.quantile(drawn[1:], [0.025, 0.975], axis=0)
    return tuple(
        Rank(
            float(drawn[0, m]),
            float(drawn[1:, m].mean()),
            Interval(float(low[m]), float(high[m])),
            float(chance[m]),
        )
        for m in range(methods)
    )
