"""Ranks of methods with their uncertainty over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from reports.statistics.effects import Interval
from reports.statistics.groups import group_means


@dataclass(frozen=True)
class Rank:
    """One method: rank of its mean score (1 is best), its bootstrap mean and 95 % interval, chance to be `best`."""

    rank: float
    mean: float
    interval: Interval
    best: float


def rank_methods(
    scores: Float[np.ndarray, "methods seeds"],
    groups: Sequence[int] = (),
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[Rank, ...]:
    """Rank methods by their mean over seeds, larger better; seeds are resampled for all methods at once.

    Methods that tie share their mean rank, and the chance to be best. Scores must be finite: leave out seeds that a
    method lacks (`align`). `groups`: of each seed, where those of a group have something in common; then groups are
    resampled, which weigh the same. The bootstrap knows no better than the few that it draws: below ten it is a rough
    guide.
    """
    drawn_from = scores if not len(groups) else group_means(scores.T, np.asarray(groups)).T
    methods, units = drawn_from.shape
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(units, np.full(units, 1 / units), size=resamples) / units
    weights = np.vstack([np.full(units, 1 / units), weights])
    means = np.round(weights @ drawn_from.T, 12)  # equal on paper is equal
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
