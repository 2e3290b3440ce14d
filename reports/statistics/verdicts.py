"""From the numbers of a comparison to a verdict, with the numbers that led there."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from reports.statistics.effects import Interval
from reports.statistics.paired import PairedComparison
from reports.statistics.power import TARGET, SeedsNeeded, power, sd_limit, seeds_for_difference
from reports.statistics.unpaired import UnpairedComparison

MIN_SEEDS = 8
ALPHA = 0.05


class Verdict(Enum):
    """What may be said of a claim. The value is how tables show it."""

    NOT_TESTABLE = "not testable"
    NOT_TESTABLE_YET = "not testable yet"
    TOO_FEW_SEEDS = "too few seeds"
    TOO_FEW_EVENTS = "too few events"
    WITHIN_MARGIN = "different, but within the margin"
    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    SHOWN_EQUAL = "shown equal"
    UNDERPOWERED = "underpowered"
    NO_DIFFERENCE_SHOWN = "no difference shown"
    NOT_SUPPORTED = "not supported"
    """One of several things that a claim says at once is shown not to hold."""

    @property
    def icon(self) -> str:
        """A sign that stands before its words: ▲ and ▼ shown, = and ≈ too small to matter, ? open, – not testable."""
        return _ICONS.get(self, "?")


_ICONS = {
    Verdict.SUPPORTED: "▲",
    Verdict.CONTRADICTED: "▼",
    Verdict.NOT_SUPPORTED: "×",
    Verdict.SHOWN_EQUAL: "=",
    Verdict.WITHIN_MARGIN: "≈",
    Verdict.NOT_TESTABLE: "–",
}
NOTHING_TO_COMPARE = "the two score the same in every seed, so there is nothing to compare"


@dataclass(frozen=True)
class Judgement:
    """A verdict, the sentence that says it, and the `numbers` it was taken from.

    `alone` is the verdict by the raw p: what it would be were this the only comparison. `points`: what the estimate
    points to, where there are too few seeds for a test (see `pointing`); empty elsewhere.
    """

    verdict: Verdict
    alone: Verdict
    sentence: str
    numbers: Mapping[str, float]
    points: str = ""

    @property
    def shown(self) -> str:
        """The verdict as people read it; where it is that there are too few seeds, what the estimate points to."""
        return self.points or self.verdict.value


def judge(
    comparison: PairedComparison,
    p_adjusted: float,
    *,
    label: str,
    margin: float,
    unit: str = "F1",
    claim: int = 1,
    alpha: float = ALPHA,
    level: float | None = None,
) -> Judgement:
    """The verdict on "a - b is positive" (claim 1) or "is negative" (claim -1).

    label: such as "css − adam". margin: δ, in the unit of the values, like everything in the sentence. p_adjusted: of
    the family declared before the run, or the raw p of a family of one. level: `FamilyTest.level`, at which power is
    computed; alpha where there is no family. Differences that are all 0 are not testable, from two seeds on. Raises
    ValueError for a claim other than ±1 or a margin that is not positive.
    """
    _check(claim, margin)
    level = alpha if level is None else level
    degrees = comparison.degrees
    spread = sd_limit(comparison.spread, degrees + 1)
    attained = power(margin, spread, comparison.n, level, degrees)
    verdict, alone = (
        by_rules(comparison, p, attained, margin=margin, claim=claim, alpha=alpha) for p in (p_adjusted, comparison.p)
    )
    numbers = {
        "n": float(comparison.n),
        "mean": comparison.mean,
        "low": comparison.interval.low,
        "high": comparison.interval.high,
        "low_90": comparison.interval_90.low,
        "high_90": comparison.interval_90.high,
        "p": comparison.p,
        "p_adjusted": p_adjusted,
        "alpha": alpha,
        "margin": margin,
        "sd_limit": spread,
        "power": attained,
    }
    if comparison.n > 1 and not comparison.varies:
        verdict = Verdict.NOT_TESTABLE
        sentence = f"{label}: {signed(0.0)} {unit}, n = {comparison.n}; {NOTHING_TO_COMPARE}: {verdict.value}."
        return Judgement(verdict, verdict, sentence, numbers)
    lead = (
        f"{label}: {signed(comparison.mean)} {unit} {shown_interval(comparison.interval)}, p_adj = {p_adjusted:.3g}, "
        f"n = {comparison.n}"
    )
    within = f"the 90 % interval {shown_interval(comparison.interval_90)} lies within ±{margin:g}"
    able = f"power to see {margin:g} {unit} is {attained:.2f} (80 % upper limit of the sd: {spread:.2f})"
    reasons = {
        Verdict.NOT_TESTABLE: f"{label}: no seed that both have, or no p",
        Verdict.TOO_FEW_SEEDS: _estimated(label, comparison, unit, margin, f"n = {comparison.n}"),
        Verdict.WITHIN_MARGIN: f"{lead}; {within}",
        Verdict.SHOWN_EQUAL: f"{lead}; {within}",
        Verdict.UNDERPOWERED: f"{lead}; {able}",
        Verdict.NO_DIFFERENCE_SHOWN: f"{lead}; {able}",
    }
    sentence = reasons.get(verdict, lead)
    if verdict is Verdict.UNDERPOWERED:
        needed = seeds_for_difference(margin, comparison.spread, comparison.n, level, comparison.group_degrees)
        sentence += f"; {'at least ' if comparison.groups else ''}{needed_words(needed, alpha)} are needed"
    return Judgement(verdict, alone, f"{sentence}: {verdict.value}.", numbers, _points(verdict, comparison, margin))


def judge_unpaired(
    comparison: UnpairedComparison,
    p_adjusted: float,
    *,
    label: str,
    margin: float,
    unit: str = "F1",
    claim: int = 1,
    alpha: float = ALPHA,
) -> Judgement:
    """The same verdict on methods whose runs are not paired; both need the number of runs that a paired test needs.

    Power is that of Welch's t at the margin, with the upper 80 % limit of the standard error. p_adjusted: of the
    unpaired comparisons that are judged together, or the raw p of a single one. Raises ValueError like `judge`.
    """
    _check(claim, margin)
    c, attained = comparison, float("nan")
    if c.n > 1:
        values = c.degrees + 1  # so many values of this sd have a mean with this standard error
        attained = power(margin, sd_limit(c.se * math.sqrt(values), values), values, alpha)
    verdict, alone = (by_rules(c, p, attained, margin=margin, claim=claim, alpha=alpha) for p in (p_adjusted, c.p))
    numbers = {
        "n": float(c.n), "n_a": float(c.n_a), "n_b": float(c.n_b), "mean": c.mean, "low": c.interval.low,
        "high": c.interval.high, "low_90": c.interval_90.low, "high_90": c.interval_90.high, "p": c.p,
        "p_adjusted": p_adjusted, "alpha": alpha, "margin": margin, "power": attained,
    }  # fmt: skip
    runs = f"{c.n_a} and {c.n_b} runs, not paired"
    if c.n > 1 and c.mean == c.se == 0:
        verdict = Verdict.NOT_TESTABLE
        return Judgement(verdict, verdict, f"{label}: {runs}; {NOTHING_TO_COMPARE}: {verdict.value}.", numbers)
    lead = f"{label}: {signed(c.mean)} {unit} {shown_interval(c.interval)}, p_adj = {p_adjusted:.3g}, {runs}"
    within = f"the 90 % interval {shown_interval(c.interval_90)} lies within ±{margin:g}"
    able = f"power to see {margin:g} {unit} is {attained:.2f} (80 % upper limit of the standard error)"
    reasons = {
        Verdict.NOT_TESTABLE: f"{label}: a method has no finite score, or there is no p",
        Verdict.TOO_FEW_SEEDS: _estimated(
            label, c, unit, margin, f"{runs}; a test needs {seeds_to_test(alpha)} of each"
        ),
        Verdict.WITHIN_MARGIN: f"{lead}; {within}",
        Verdict.SHOWN_EQUAL: f"{lead}; {within}",
        Verdict.UNDERPOWERED: f"{lead}; {able}",
        Verdict.NO_DIFFERENCE_SHOWN: f"{lead}; {able}",
    }
    sentence = f"{reasons.get(verdict, lead)}: {verdict.value}."
    return Judgement(verdict, alone, sentence, numbers, _points(verdict, c, margin))


def pointing(interval: Interval, margin: float) -> str:
    """What an estimate points to, by its 95 % interval: inside the margin, all on one side of 0, or neither."""
    if not math.isfinite(interval.low):
        return "one seed, no interval"
    if interval.inside(margin):
        return "points to a difference within the margin"
    if interval.low > 0 or interval.high < 0:
        return f"points to a {'positive' if interval.low > 0 else 'negative'} difference"
    return "open: the interval holds 0"


def _points(verdict: Verdict, comparison: PairedComparison | UnpairedComparison, margin: float) -> str:
    return pointing(comparison.interval, margin) if verdict is Verdict.TOO_FEW_SEEDS else ""


def _estimated(
    label: str, comparison: PairedComparison | UnpairedComparison, unit: str, margin: float, count: str
) -> str:
    """The estimate with its interval, and what it points to."""
    known = f" {shown_interval(comparison.interval)}" if math.isfinite(comparison.interval.low) else ""
    return f"{label}: {signed(comparison.mean)} {unit}{known}, {count}; {pointing(comparison.interval, margin)}"


def not_testable(label: str, missing: str) -> Judgement:
    """The verdict on a claim for which something is missing; `missing` names it."""
    sentence = f"{label}: {missing}: {Verdict.NOT_TESTABLE.value}."
    return Judgement(Verdict.NOT_TESTABLE, Verdict.NOT_TESTABLE, sentence, {})


def overruled(judgement: Judgement, label: str, verdict: Verdict, why: str) -> Judgement:
    """The judgement where something forbids its verdict: the numbers stay, the sentence says why."""
    return Judgement(verdict, verdict, f"{label}: {why}: {verdict.value}.", judgement.numbers)


def seeds_to_test(alpha: float = ALPHA) -> int:
    """Smallest number of seeds with which the sign-flip test can reject at this level; at least 8."""
    return max(MIN_SEEDS, math.ceil(1 - math.log2(alpha) - 1e-9))


def by_rules(
    comparison: PairedComparison | UnpairedComparison,
    p: float,
    attained: float,
    *,
    margin: float,
    claim: int,
    alpha: float,
) -> Verdict:
    """The rules that lead from n, p, the 90 % interval and the power (`attained`) to a verdict."""
    if comparison.n == 0 or (comparison.n > 1 and math.isnan(p)):
        return Verdict.NOT_TESTABLE
    if comparison.n < seeds_to_test(alpha):
        return Verdict.TOO_FEW_SEEDS
    within = comparison.interval_90.inside(margin)
    if p <= alpha:
        if within:
            return Verdict.WITHIN_MARGIN
        return Verdict.SUPPORTED if comparison.mean * claim > 0 else Verdict.CONTRADICTED
    if within:
        return Verdict.SHOWN_EQUAL
    return Verdict.UNDERPOWERED if attained < TARGET else Verdict.NO_DIFFERENCE_SHOWN


def _check(claim: int, margin: float) -> None:
    if claim not in (1, -1) or not margin > 0:
        raise ValueError(f"A claim is 1 or -1 and a margin positive: got {claim} and {margin}.")


def signed(value: float) -> str:
    """The number with its sign, to two digits."""
    return f"{value:+.2f}".replace("-", "−")


def shown_interval(interval: Interval) -> str:
    """The limits, to two digits."""
    return f"[{interval.low:.2f}, {interval.high:.2f}]".replace("-", "−")


def needed_words(seeds: SeedsNeeded, alpha: float) -> str:
    """`14 to 28 seeds`."""
    low, high = ("over 10,000" if n is None else str(max(n, seeds_to_test(alpha))) for n in (seeds.low, seeds.high))
    return f"{low} seeds" if low == high else f"{low} to {high} seeds"
