"""What choosing the epoch, or the seed, on test scores adds to a result. Scores are weighted F1, fractions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

from reports.statistics.counts import margins, pool, weighted_f1
from reports.statistics.groups import group_means, mean_interval

HALVINGS = 200


@dataclass(frozen=True)
class Selection:
    """One run: gap = peak - selected, at least 0 by construction; of it `optimism` is chance, `regret` the rest."""

    selected: float
    peak: float
    peak_epoch: int
    optimism: float

    @property
    def gap(self) -> float:
        """Peak minus selected."""
        return self.peak - self.selected

    @property
    def regret(self) -> float:
        """What a better choice of the epoch could have gained; below 0 where chance alone would have given more."""
        return self.gap - self.optimism


def selection_gap(
    counts: Shaped[np.ndarray, "epochs conversations C C"],
    selected_epoch: int,
    halvings: int = HALVINGS,
    seed: int = 0,
    usable: Bool[np.ndarray, " epochs"] | None = None,
) -> Selection:
    """Gap, optimism and regret of a run from its confusion counts of the test conversations at every epoch.

    Epochs count from 1. Optimism: over random halvings of the conversations, the F1 on one half at that half's best
    epoch minus the F1 on the other half at that epoch, averaged over both halves of every halving: how hard the halves
    are cancels, so that few halvings do. A half deceives more than the whole test set, which is twice as large: this
    optimism is too high for it, and the regret too low. The earliest of equal epochs is best. NaN optimism below two
    conversations. usable: whether an epoch may be chosen, by whatever rule; None: all may. Test the *difference* of
    gaps between methods, paired by seed: `paired_comparison`.
    """
    parts = margins(counts)
    total = parts.sum(axis=1)
    scores = weighted_f1(total)
    allowed = np.ones(len(counts), dtype=bool) if usable is None else usable
    peak = int(np.where(allowed, scores, -1.0).argmax())
    conversations = counts.shape[1]
    rng = np.random.default_rng(seed)
    if conversations < 2:
        optimism = float("nan")
    else:
        in_a = np.zeros((halvings, conversations))
        order = rng.permuted(np.tile(np.arange(conversations), (halvings, 1)), axis=1)
        np.put_along_axis(in_a, order[:, : conversations // 2], 1.0, axis=1)
        half_a = pool(in_a, parts)
        f1_a, f1_b = weighted_f1(half_a), weighted_f1(total - half_a)
        optimism = float(np.mean([_chosen_on(f1_a, f1_b, allowed), _chosen_on(f1_b, f1_a, allowed)]))
    return Selection(float(scores[selected_epoch - 1]), float(scores[peak]), peak + 1, optimism)


def _chosen_on(
    half: Float[np.ndarray, "halvings epochs"],
    other: Float[np.ndarray, "halvings epochs"],
    allowed: Bool[np.ndarray, " epochs"],
) -> float:
    """Mean F1 on a half at the best epoch that may be chosen, minus that on the other half at the same epoch."""
    best = np.where(allowed, half, -1.0).argmax(axis=1)[:, None]
    return float((np.take_along_axis(half, best, 1) - np.take_along_axis(other, best, 1)).mean())


@dataclass(frozen=True)
class Ranking:
    """An order of methods, best first, and how often it would come out otherwise with other seeds.

    `changed`: share of bootstrap resamples in which this rule ranks the methods otherwise than the mean selected score
    does in the same resample; `winner_changed`: in which it crowns another one.
    """

    rule: str
    order: tuple[int, ...]
    scores: tuple[float, ...]
    changed: float
    winner_changed: float


def rankings(
    selected: Float[np.ndarray, "methods seeds"],
    peak: Float[np.ndarray, "methods seeds"],
    groups: Sequence[int] = (),
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[Ranking, ...]:
    """Rankings by the mean selected score, the mean peak score, and the best test epoch of the best seed.

    Methods are rows, paired by seed: one resample of seeds serves all, or of `groups` of seeds that have something in
    common, which weigh the same. `order` holds indices of methods; a tie keeps the order of rows. A maximum over few
    seeds is what is practised, not what a bootstrap estimates well: its probability is a description.
    """
    methods, seeds = selected.shape
    together = np.asarray(groups) if len(groups) else np.arange(seeds)
    means = [group_means(scores.T, together).T for scores in (selected, peak)]
    best = np.stack([peak[:, together == group].max(axis=1) for group in np.unique(together)], axis=1)
    units = best.shape[1]
    rng = np.random.default_rng(seed)
    drawn = np.vstack([np.arange(units), rng.integers(0, units, size=(resamples, units))])  # first: as observed
    rules = {
        "selected": means[0][:, drawn].mean(axis=2),
        "peak": means[1][:, drawn].mean(axis=2),
        "best seed": best[:, drawn].max(axis=2),
    }
    # rounded: means that are equal on paper differ by the order of their sum
    orders = {rule: np.argsort(-values.round(12), axis=0, kind="stable") for rule, values in rules.items()}
    reference = orders["selected"][:, 1:]
    return tuple(
        Ranking(
            rule,
            tuple(int(m) for m in order[:, 0]),
            tuple(float(rules[rule][m, 0]) for m in range(methods)),
            float((order[:, 1:] != reference).any(axis=0).mean()),
            float((order[0, 1:] != reference[0]).mean()),
        )
        for rule, order in orders.items()
    )


@dataclass(frozen=True)
class BestOfSeeds:
    """What "best test epoch of the best seed" would have claimed for one method beside its mean selected score."""

    seed: int
    claimed: float
    mean_selected: float

    @property
    def excess(self) -> float:
        """Claimed minus mean selected."""
        return self.claimed - self.mean_selected


def best_of_seeds(
    seeds: Sequence[int],
    selected: Float[np.ndarray, " seeds"],
    peak: Float[np.ndarray, " seeds"],
    groups: Sequence[int] = (),
) -> BestOfSeeds:
    """The most flattering number of one method's runs; the earliest of equal seeds. `groups` weigh the same."""
    best = int(np.argmax(peak))
    return BestOfSeeds(seeds[best], float(peak[best]), mean_interval(selected, groups)[0])
