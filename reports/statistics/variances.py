"""Whether one method's scores vary less over seeds than another's, paired by seed."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from reports.statistics.effects import UNKNOWN, Interval
from reports.statistics.pairing import Values, align
from reports.statistics.sign_flips import FlipTest, group_flip_test, sign_flip_test
from reports.statistics.verdicts import ALPHA, Judgement, Verdict, seeds_to_test

ENOUGH_SEEDS = 50  # below, a difference worth having (an sd 30 % smaller) is missed too often to conclude from it
WORTH_HAVING = 0.7
PITMAN_MORGAN_LABEL = "assumes normality"


@dataclass(frozen=True, eq=False)
class VarianceComparison:
    """Two sds over seeds and what is known of their ratio; NaN where a number cannot be computed.

    `sessions`: how many the seeds share; 0 where each is on its own.

    `flip`: the primary test. `log_ratio`: log(variance a / variance b), negative where a is calmer, with its 95 %
    `interval`. `p_pitman_morgan` assumes normality.
    """

    seeds: tuple[int, ...]
    dropped: tuple[int, ...]
    sessions: int
    sd_a: float
    sd_b: float
    log_ratio: float
    interval: Interval
    flip: FlipTest
    p_pitman_morgan: float

    @property
    def n(self) -> int:
        """Number of paired seeds."""
        return len(self.seeds)

    @property
    def p(self) -> float:
        """Two-sided p of the permutation test."""
        return self.flip.p


def compare_variances(a: Values, b: Values, *, sessions: int = 0, seed: int = 0) -> VarianceComparison:
    """Compare the spread of two methods; values and `sessions` as for `paired_comparison`.

    Primary: the two methods' distances |x - median| are swapped within seeds (Brown & Forsythe's distances in a
    paired permutation test), exactly up to 20 seeds; of seeds in sessions what is compared is t of the session means.
    Below two seeds nothing is known.
    """
    aligned = align(a, b)
    x, y = aligned.values
    n = len(x)
    sd_a, sd_b = (float(v.std(ddof=1)) if n > 1 else float("nan") for v in (x, y))
    groups = np.array(aligned.seeds) % sessions if sessions > 1 else np.arange(n)
    distances = [np.abs(v - np.median(v)) if n > 1 else np.array([]) for v in (x, y)]
    return VarianceComparison(
        seeds=aligned.seeds,
        dropped=aligned.dropped,
        sessions=sessions if sessions > 1 else 0,
        sd_a=sd_a,
        sd_b=sd_b,
        log_ratio=2 * math.log(sd_a / sd_b) if min(sd_a, sd_b) > 0 else float("nan"),
        interval=log_ratio_interval(x, y, groups),
        flip=group_flip_test(distances[0] - distances[1], groups, seed=seed)
        if sessions > 1 and n > 1
        else sign_flip_test(distances[0] - distances[1], seed=seed),
        p_pitman_morgan=pitman_morgan(x, y),
    )


def log_ratio_interval(
    a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"], groups: Int[np.ndarray, " n"], confidence: float = 0.95
) -> Interval:
    """Jackknife interval of log(variance a / variance b): leave a group of seeds out of both, t of the pseudo-values.

    Leaving out pairs keeps whatever correlation there is; no normality is assumed (Miller, Ann. Math. Statist. 39,
    1968; groups of any size: Busing, Meijer & Van der Leeden, Statist. Comput. 9, 1999). Unknown below three groups, or
    if a variance vanishes with all seeds or without a group.
    """
    numbers, sizes = np.unique(groups, return_counts=True)
    if len(numbers) < 3:
        return UNKNOWN
    totals = np.array([a.var(), b.var()])
    left = [groups != number for number in numbers]
    without = np.array([[a[kept].var(ddof=1), b[kept].var(ddof=1)] for kept in left])
    if (totals == 0).any() or not (without > 1e-12 * totals).all():
        return UNKNOWN
    full, partial = math.log(totals[0] / totals[1]), np.log(without[:, 0] / without[:, 1])
    shares = len(a) / sizes
    pseudo = shares * full - (shares - 1) * partial
    mean = float((pseudo / shares).sum())
    error = float(((pseudo - mean) ** 2 / (shares - 1)).mean()) ** 0.5
    half = float(stats.t.ppf(0.5 + confidence / 2, len(numbers) - 1)) * error
    return Interval(mean - half, mean + half)


def pitman_morgan(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> float:
    """Two-sided p that sum and difference are uncorrelated, as they are for equal variances; assumes normality.

    Source: Pitman and Morgan, Biometrika 31, 1939. NaN below three seeds or where sum or difference is constant.
    """
    total, difference = a + b, a - b
    if len(a) < 3 or min(total.std(), difference.std()) <= 1e-12 * max(1.0, float(np.abs(total).max())):
        return float("nan")
    return float(stats.pearsonr(total, difference).pvalue)


def seeds_for_sd_ratio(ratio: float = WORTH_HAVING, alpha: float = 0.05, power: float = 0.8) -> int:
    """Seeds to see an sd that is `ratio` times the other, for uncorrelated normal scores.

    Var log(variance ratio) ≈ 4 / (n - 1), so n - 1 = (z + z')² / log² ratio. Heavy tails need more.
    """
    z = float(stats.norm.isf(alpha / 2) + stats.norm.ppf(power))
    return math.ceil(1 + (z / math.log(ratio)) ** 2)


def judge_variances(comparison: VarianceComparison, *, label: str, claim: int = -1, alpha: float = ALPHA) -> Judgement:
    """The verdict on "a varies less than b" (claim -1) or "more" (claim 1).

    A difference needs p ≤ alpha and, below 50 seeds, an interval that excludes 0 besides; without one, below 50 seeds
    the verdict is underpowered. Both are asked for because on log-normal scores neither alone keeps the level with few
    seeds, and together they do (docs/calibration.md). Seeds that share sessions are never 50 that are independent.
    """
    p, n, interval = comparison.p, comparison.n, comparison.interval
    numbers = {
        "n": float(n),
        "log_ratio": comparison.log_ratio,
        "low": interval.low,
        "high": interval.high,
        "p": p,
        "alpha": alpha,
    }
    enough = n >= ENOUGH_SEEDS and not comparison.sessions
    shown = p <= alpha and (enough or interval.excludes(0.0))
    if n == 0 or math.isnan(comparison.log_ratio):
        verdict = Verdict.NOT_TESTABLE if n != 1 else Verdict.TOO_FEW_SEEDS
    elif n < seeds_to_test(alpha):
        verdict = Verdict.TOO_FEW_SEEDS
    elif shown:
        verdict = Verdict.SUPPORTED if comparison.log_ratio * claim > 0 else Verdict.CONTRADICTED
    else:
        verdict = Verdict.NO_DIFFERENCE_SHOWN if enough else Verdict.UNDERPOWERED
    ratio, low, high = (math.exp(value / 2) for value in (comparison.log_ratio, *interval))
    known = "" if math.isnan(ratio) else f"sd ratio {ratio:.2f}, "
    known += "" if math.isnan(low) else f"95 % CI [{low:.2f}, {high:.2f}], "
    known += "" if math.isnan(p) else f"p = {p:.3g}, "
    sentence = f"{label}: {known}n = {n}"
    if verdict is Verdict.UNDERPOWERED:
        smaller = f"{100 * (1 - WORTH_HAVING):.0f} % smaller sd"
        sentence += f"; to see a {smaller} takes about {seeds_for_sd_ratio(alpha=alpha)} seeds"
    return Judgement(verdict, verdict, f"{sentence}: {verdict.value}.", numbers)
