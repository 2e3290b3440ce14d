"""Shares of runs to which something happens (divergence, a spike), paired by seed: exact where a t interval is not.

No event on either side says little: with 0 of 8 the true share may still be 31 % (Clopper & Pearson, Biometrika 26,
1934). The interval [0, 0] of a t test would say that it cannot.

Seeds that share a held-out session count for as many independent ones as the spread of the sessions' shares says, fewer
still because so few sessions say it badly (Korn & Graubard, Survey Methodology 24, 1998). Where all seeds or none have
the event, that spread says nothing, and the seeds of a session count for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool
from scipy import stats

from reports.statistics.effects import UNKNOWN, Interval
from reports.statistics.groups import group_means, mean_of
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

    `difference` in percentage points: its p is the exact McNemar test's (sign flips of -1, 0, 1; of seeds in sessions
    those of t of the session means), and its intervals are exact too. `only_a`, `only_b`, `discordant`: the seeds with
    an event on one side alone, that or either.
    """

    difference: PairedComparison
    events_a: int
    events_b: int
    only_a: "Share"
    only_b: "Share"
    discordant: "Share"

    @property
    def n(self) -> int:
        """Number of paired seeds."""
        return self.difference.n

    @property
    def independent(self) -> int:
        """How many runs have nothing in common for certain: one of each session, or all."""
        return len(set(self.difference.groups)) or self.n


@dataclass(frozen=True)
class Share:
    """A share of seeds, `events` of `runs` as so many independent ones would have it; these need not be whole."""

    events: float
    runs: float

    def limits(self, confidence: float) -> Interval:
        """Clopper & Pearson's two-sided limits."""
        tail = (1 - confidence) / 2
        return Interval(self._low(tail), self._high(tail))

    def upper(self, confidence: float) -> float:
        """The one-sided upper limit; without events 1 - (1 - confidence)^(1 / runs)."""
        return self._high(1 - confidence)

    def lower(self, confidence: float) -> float:
        """The one-sided lower limit."""
        return self._low(1 - confidence)

    def _low(self, tail: float) -> float:
        rest = self.runs - self.events
        return float(stats.beta.ppf(tail, self.events, rest + 1)) if self.events > 0 else 0.0

    def _high(self, tail: float) -> float:
        rest = self.runs - self.events
        return float(stats.beta.ppf(1 - tail, self.events + 1, rest)) if rest > 0 else 1.0


def rate_comparison(a: Values, b: Values, *, sessions: int = 0) -> RateComparison:
    """Compare two methods by whether something happened in a run (any value but 0), by seed as `paired_comparison`."""
    aligned = align(a, b)
    x, y = aligned.values != 0
    difference = from_differences(aligned.seeds, 100.0 * x - 100.0 * y, aligned.dropped, sessions=sessions)
    only_a, only_b, discordant = (share_of(events, difference.groups) for events in (x & ~y, y & ~x, x != y))
    exact = replace(
        difference,
        interval=difference_interval(only_a, only_b, 0.95),
        interval_90=difference_interval(only_a, only_b, 0.90),
    )
    return RateComparison(exact, int(x.sum()), int(y.sum()), only_a, only_b, discordant)


def share_of(events: Bool[np.ndarray, " n"], groups: Sequence[int] = ()) -> Share:
    """The share of these seeds, all groups weighing the same, as of so many independent seeds; see the module's text.

    Of n seeds in k groups with the mean share p of variance v: min(n, p (1 - p) / v) (t of n - 1 / t of k - 1)² runs.
    """
    n = len(events)
    if not groups or n < 2:
        return Share(float(events.sum()), n)
    means = group_means(events.astype(float), np.array(groups))
    k, share = len(means), float(means.mean())
    if k < 2 or share in (0.0, 1.0):
        return Share(share * k, k)
    variance = mean_of(means).se ** 2
    fewer = (stats.t.ppf(0.975, n - 1) / stats.t.ppf(0.975, k - 1)) ** 2
    runs = fewer * (min(n, share * (1 - share) / variance) if variance > 0 else n)
    return Share(share * runs, float(runs))


def difference_interval(only_a: Share, only_b: Share, confidence: float) -> Interval:
    """Exact interval of the difference of two paired shares, in points; unknown without a pair.

    The difference is P(a alone) - P(b alone). Each has Clopper & Pearson's limits at half the error, so the interval
    misses at most as often as it says, whatever the correlation (Bonferroni).
    """
    if only_a.runs == 0:
        return UNKNOWN
    a, b = (share.limits((1 + confidence) / 2) for share in (only_a, only_b))
    return Interval(100 * (a.low - b.high), 100 * (a.high - b.low))


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
    spreads, degrees = _spreads(comparison), d.group_degrees
    attained = power(margin, spreads[-1], n, level, degrees)
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
    runs = counted(n, "run") + (f" of {counted(comparison.independent, 'held-out session')}" if d.groups else "")
    how = "by session" if d.groups else "exact"
    lead = f"{counts}, {signed(d.mean)} points {shown_interval(d.interval)} ({how}), p_adj = {p_adjusted:.3g}"
    within = f"{lead}; the 90 % interval {shown_interval(d.interval_90)} lies within ±{margin:g}"
    reasons = {
        Verdict.NOT_TESTABLE: f"{label}: no seed that both have, or no p",
        Verdict.TOO_FEW_SEEDS: f"{counts}; a test needs {seeds_to_test(alpha)} seeds",
        Verdict.TOO_FEW_EVENTS: counts + (f"; without an event in {runs} the true share may be up to "
        f"{100 * Share(0, comparison.independent).upper(0.95):.0f} % (exact, one-sided 95 %)" if n else ""),
        Verdict.WITHIN_MARGIN: within,
        Verdict.SHOWN_EQUAL: within,
        Verdict.UNDERPOWERED: f"{lead}; power to see {margin:g} points is {attained:.2f}; "
        f"{needed_words(seeds_for_spreads(margin, spreads, level, degrees), alpha)} are needed",
        Verdict.NO_DIFFERENCE_SHOWN: f"{lead}; power to see {margin:g} points is {attained:.2f}",
    }  # fmt: skip
    return Judgement(verdict, alone, f"{reasons.get(verdict, lead)}: {verdict.value}.", numbers)


def _spreads(comparison: RateComparison) -> tuple[float, float, float]:
    """The sd of a difference in points, √(share of discordant seeds): lower 80 % limit, observed, upper limit.

    Of seeds in sessions as independent ones would have it that had this standard error.
    """
    n, share = comparison.n, comparison.discordant
    if n == 0:
        return (float("nan"),) * 3
    shares = (share.lower(TARGET), share.events / share.runs, share.upper(TARGET))
    low, observed, high = (100 * float(np.sqrt(value * n / share.runs)) for value in shares)
    return low, observed, high
