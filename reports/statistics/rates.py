"""Shares of runs to which something happens (divergence, a spike), paired by seed: exact where a t interval is not.

No event on either side says little: with 0 of 8 the true share may still be 31 % (Clopper & Pearson, Biometrika 26,
1934). The interval [0, 0] of a t test would say that it cannot.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from reports.statistics.effects import UNKNOWN, Interval
from reports.statistics.paired import PairedComparison, from_differences
from reports.statistics.pairing import Values, align
from reports.statistics.power import TARGET, power, seeds_for_spreads
from reports.statistics.verdicts import (
    ALPHA,
    Judgement,
    Verdict,
    by_rules,
    needed_words,
    seeds_to_test,
    shown_interval,
    signed,
)
from reports.text import counted


@dataclass(frozen=True, eq=False)
class RateComparison:
    """Two shares over the same seeds.

    `difference` in percentage points: its p is the exact McNemar test's (sign flips of -1, 0, 1), and its intervals are
    exact too. `only_a`, `only_b`: seeds with an event on one side alone.
    """

    difference: PairedComparison
    events_a: int
    events_b: int
    only_a: int
    only_b: int

    @property
    def n(self) -> int:
        """Number of paired seeds."""
        return self.difference.n


def rate_comparison(a: Values, b: Values) -> RateComparison:
    """Compare two methods by whether something happened in a run (any value but 0), by seed as `paired_comparison`."""
    aligned = align(a, b)
    x, y = aligned.values != 0
    difference = from_differences(aligned.seeds, 100.0 * x - 100.0 * y, aligned.dropped)
    only_a, only_b = int((x & ~y).sum()), int((y & ~x).sum())
    n = len(x)
    exact = replace(
        difference,
        interval=difference_interval(only_a, only_b, n, 0.95),
        interval_90=difference_interval(only_a, only_b, n, 0.90),
    )
    return RateComparison(exact, int(x.sum()), int(y.sum()), only_a, only_b)


def difference_interval(only_a: int, only_b: int, n: int, confidence: float) -> Interval:
    """Exact interval of the difference of two paired shares, in points; unknown without a pair.

    The difference is P(a alone) - P(b alone). Each has Clopper & Pearson's limits at half the error, so the interval
    misses at most as often as it says, whatever the correlation (Bonferroni).
    """
    if n == 0:
        return UNKNOWN
    limits = [
        stats.binomtest(k, n).proportion_ci(confidence_level=(1 + confidence) / 2, method="exact")
        for k in (only_a, only_b)
    ]
    return Interval(100 * (limits[0].low - limits[1].high), 100 * (limits[0].high - limits[1].low))


def upper_bound(events: int, n: int, confidence: float = 0.95) -> float:
    """One-sided exact upper limit of a share (Clopper & Pearson); without events 1 - (1 - confidence)^(1/n)."""
    limits = stats.binomtest(events, n, alternative="less").proportion_ci(confidence_level=confidence, method="exact")
    return float(limits.high)


def judge_rates(
    comparison: RateComparison,
    p_adjusted: float,
    *,
    label: str,
    margin: float,
    claim: int = -1,
    alpha: float = ALPHA,
    level: float | None = None,
) -> Judgement:
    """The verdict on "fewer runs of a than of b" (claim -1) or "more" (claim 1); arguments as for `judge`.

    Without an event on either side there are too few events for a verdict, equality included. Power is that of a t test
    with the upper 80 % limit of the share of seeds in which the two differ.
    """
    d, n = comparison.difference, comparison.n
    level = alpha if level is None else level
    spreads = _spreads(comparison.only_a + comparison.only_b, n)
    attained = power(margin, spreads[-1], n, level)
    verdict, alone = (by_rules(d, p, attained, margin=margin, claim=claim, alpha=alpha) for p in (p_adjusted, d.p))
    known = verdict not in (Verdict.NOT_TESTABLE, Verdict.TOO_FEW_SEEDS)
    if known and comparison.events_a + comparison.events_b == 0:
        verdict = alone = Verdict.TOO_FEW_EVENTS
    numbers = {
        "n": float(n), "mean": d.mean, "low": d.interval.low, "high": d.interval.high, "low_90": d.interval_90.low,
        "high_90": d.interval_90.high, "p": d.p, "p_adjusted": p_adjusted, "alpha": alpha, "margin": margin,
        "power": attained, "events_a": float(comparison.events_a), "events_b": float(comparison.events_b),
    }  # fmt: skip
    counts = f"{label}: {comparison.events_a} of {n} against {comparison.events_b} of {n}"
    lead = f"{counts}, {signed(d.mean)} points {shown_interval(d.interval)} (exact), p_adj = {p_adjusted:.3g}"
    within = f"{lead}; the 90 % interval {shown_interval(d.interval_90)} lies within ±{margin:g}"
    reasons = {
        Verdict.NOT_TESTABLE: f"{label}: no seed that both have, or no p",
        Verdict.TOO_FEW_SEEDS: f"{counts}; a test needs {seeds_to_test(alpha)} seeds",
        Verdict.TOO_FEW_EVENTS: counts + (f"; without an event in {counted(n, 'run')} the true share may be up to "
        f"{100 * upper_bound(0, n):.0f} % (exact, one-sided 95 %)" if n else ""),
        Verdict.WITHIN_MARGIN: within,
        Verdict.SHOWN_EQUAL: within,
        Verdict.UNDERPOWERED: f"{lead}; power to see {margin:g} points is {attained:.2f}; "
        f"{needed_words(seeds_for_spreads(margin, spreads, level), alpha)} are needed",
        Verdict.NO_DIFFERENCE_SHOWN: f"{lead}; power to see {margin:g} points is {attained:.2f}",
    }  # fmt: skip
    return Judgement(verdict, alone, f"{reasons.get(verdict, lead)}: {verdict.value}.", numbers)


def _spreads(discordant: int, n: int) -> tuple[float, float, float]:
    """The sd of a difference in points, √(share of discordant seeds): lower 80 % limit, observed, upper limit."""
    if n == 0:
        return (float("nan"),) * 3
    lower = stats.binomtest(discordant, n, alternative="greater").proportion_ci(TARGET, method="exact").low
    shares = (float(lower), discordant / n, upper_bound(discordant, n, TARGET))
    low, observed, high = (100 * float(np.sqrt(share)) for share in shares)
    return low, observed, high
