"""Two sources of chance at once: the seeds that were trained and the conversations that were tested.

Every seed meets every test conversation, so the design is crossed. Scores are weighted F1 over all conversations of a
seed, averaged over seeds; fractions in [0, 1].
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from reports.statistics.counts import margins, pool, weighted_f1
from reports.statistics.effects import Interval
from reports.statistics.sign_flips import EXACT_SEEDS, TIE, FlipTest, flips, monte_carlo_error, smallest_p

Counts = Shaped[np.ndarray, "seeds conversations C C"]
ROWS = 2_000  # resamples held at once


@dataclass(frozen=True)
class CrossedBootstrap:
    """Difference a - b of mean weighted F1, its bootstrap standard error and percentile interval (95 %)."""

    difference: float
    se: float
    interval: Interval


@dataclass(frozen=True)
class Components:
    """Variance components of a cell's pseudo-value, F1²; an estimate below 0 is shown as 0.

    The variance of the mean difference is about seed / S + conversation / V + remainder / (S V).
    """

    seed: float
    conversation: float
    remainder: float


def crossed_bootstrap(a: Counts, b: Counts, resamples: int = 2_000, seed: int = 0) -> CrossedBootstrap:
    """Resample seeds and conversations independently, both methods alike.

    a, b: confusion counts of the same seeds and conversations. The variance is not too small: the remainder enters it
    up to three times (Owen, The pigeonhole bootstrap, Ann. Appl. Statist. 1, 2007).
    """
    pair = margins(_both(a, b))
    _, seeds, conversations = pair.shape[:3]
    rng = np.random.default_rng(seed)
    drawn = []
    for start in range(0, resamples, ROWS):
        rows = min(ROWS, resamples - start)
        of_conversations = rng.multinomial(conversations, np.full(conversations, 1 / conversations), size=rows)
        of_seeds = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=rows) / seeds
        f1 = weighted_f1(pool(of_conversations.astype(float), pair))
        drawn.append(((f1[:, 0] - f1[:, 1]) * of_seeds).sum(axis=1))
    values = np.concatenate(drawn)
    low, high = np.quantile(values, [0.025, 0.975])
    observed = weighted_f1(pair.sum(axis=2)).mean(axis=1)
    return CrossedBootstrap(
        float(observed[0] - observed[1]), float(values.std(ddof=1)), Interval(float(low), float(high))
    )


def variance_components(a: Counts, b: Counts) -> Components:
    """σ² of seeds, of conversations and of the remainder in a - b, by the two-way jackknife.

    Leaving out seed s, conversation v and both gives each cell a pseudo-value; a two-way analysis of variance of these
    is exact for a mean over cells. As the score is a mean over seeds, a cell's pseudo-value is V f_s - (V - 1) f_s(-v).
    NaN below two seeds or two conversations.
    """
    pair = margins(_both(a, b))
    seeds, conversations = pair.shape[1:3]
    if min(seeds, conversations) < 2:
        return Components(*[float("nan")] * 3)
    total = pair.sum(axis=2, keepdims=True)
    pseudo = conversations * weighted_f1(total) - (conversations - 1) * weighted_f1(total - pair)
    return two_way(pseudo[0] - pseudo[1])


def two_way(cells: Float[np.ndarray, "seeds conversations"]) -> Components:
    """Variance components of a two-way table with one value a cell (random effects, method of moments)."""
    seeds, conversations = cells.shape
    by_seed, by_conversation = cells.mean(axis=1), cells.mean(axis=0)
    residual = cells - by_seed[:, None] - by_conversation + cells.mean()
    remainder = float((residual**2).sum() / ((seeds - 1) * (conversations - 1)))
    return Components(
        max(0.0, float(by_seed.var(ddof=1)) - remainder / conversations),
        max(0.0, float(by_conversation.var(ddof=1)) - remainder / seeds),
        remainder,
    )


def conversation_flip_test(a: Counts, b: Counts, resamples: int = 10_000, seed: int = 0) -> FlipTest:
    """Two-sided test that swaps the two methods' predictions for whole conversations, for all seeds alike.

    In place of McNemar's test: utterances of one conversation are not independent. It speaks of these trained models
    on other conversations, not of other seeds. Exact up to 20 conversations, else Monte Carlo with the identity added.
    """
    pair = margins(_both(a, b))
    conversations = pair.shape[2]
    half, middle = (pair[0] - pair[1]) / 2, pair.sum(axis=(0, 2)) / 2

    def differences(signs: Float[np.ndarray, "rows conversations"]) -> Float[np.ndarray, " rows"]:
        shift = pool(signs, half)
        return (weighted_f1(middle + shift) - weighted_f1(middle - shift)).mean(axis=1)

    threshold = abs(float(differences(np.ones((1, conversations)))[0])) - TIE
    exact = conversations <= EXACT_SEEDS
    rng = np.random.default_rng(seed)
    hits = total = 0
    for signs in flips(conversations, None if exact else resamples, rng, ROWS):
        hits += int((np.abs(differences(signs)) >= threshold).sum())
        total += len(signs)
    if exact:
        return FlipTest(hits / total, smallest_p(conversations), 0.0, True)
    p = (1 + hits) / (1 + total)
    return FlipTest(p, 1 / (1 + total), monte_carlo_error(p, total), False)


def _both(a: Counts, b: Counts) -> Shaped[np.ndarray, "2 seeds conversations C C"]:
    if a.shape != b.shape or not np.array_equal(a.sum(axis=-1), b.sum(axis=-1)):
        raise ValueError(f"Not the same seeds, conversations and labels: counts of shape {a.shape} and {b.shape}.")
    return np.stack([a, b])
