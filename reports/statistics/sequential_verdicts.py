"""From a comparison that was followed until it was decided to a verdict; the numbers of its last look decide."""

import math

from scipy import special

from reports.statistics.effects import Interval, t_interval
from reports.statistics.paired import PairedComparison
from reports.statistics.power import TARGET, power, sd_limit
from reports.statistics.sequential import Decision, Design, Standing
from reports.statistics.verdicts import NOTHING_TO_COMPARE, Judgement, Verdict, shown_interval, signed


def judge_followed(
    comparison: PairedComparison, standing: Standing, design: Design, *, label: str, unit: str = "F1", claim: int = 1
) -> Judgement:
    """The verdict on "a - b is positive" (claim 1) or "is negative" (claim -1).

    comparison: of the seeds that the standing rests on; it may be the other way round. Its sentence quotes the repeated
    confidence interval, since the interval of a fixed number of seeds is too narrow after a look that decided. Futility
    and an open end are `underpowered`, unless the power at the margin is enough. Raises ValueError for a claim other
    than ±1, and for other seeds than the standing's.
    """
    if claim not in (1, -1) or comparison.n != standing.seeds:
        raise ValueError(f"A claim is 1 or -1, and a look judges its seeds: got {claim}, {comparison.n} seeds.")
    look = design.looks.index(standing.seeds) + 1
    repeated = repeated_interval(comparison, standing)
    inside = equality_interval(comparison, design, look)
    level = strictness_of(standing, design)
    spread = sd_limit(comparison.spread, comparison.degrees + 1)
    attained = power(design.margin, spread, comparison.n, level, comparison.degrees)
    verdict = _verdict(standing, design, look, mean=comparison.mean * claim, inside=inside, attained=attained)
    numbers = {
        "n": float(comparison.n),
        "mean": comparison.mean,
        "low": repeated.low if math.isfinite(repeated.low) else math.nan,
        "high": repeated.high if math.isfinite(repeated.high) else math.nan,
        "alpha": design.alpha,
        "margin": design.margin,
        "sd_limit": spread,
        "power": attained,
    }
    if not comparison.varies:
        verdict = Verdict.NOT_TESTABLE
        sentence = f"{label}: {signed(0.0)} {unit}, n = {comparison.n}; {NOTHING_TO_COMPARE}: {verdict.value}."
        return Judgement(verdict, verdict, sentence, numbers)
    lead = _lead(
        f"{label}: {signed(comparison.mean)} {unit}", repeated, standing, f"look {look} of {len(design.looks)}"
    )
    within = (
        f"the {_percent(1 - 2 * design.share(look))} % interval {shown_interval(inside)} lies within ±{design.margin:g}"
    )
    reasons = {Verdict.WITHIN_MARGIN: within, Verdict.SHOWN_EQUAL: within}
    if verdict is Verdict.UNDERPOWERED and standing.decision is Decision.FUTILE:
        reasons[verdict] = (
            f"stopped, for the power to see {design.margin:g} {unit} with all {design.looks[-1]} seeds would be "
            f"{standing.conditional_power:.2f}"
        )
    elif verdict in (Verdict.UNDERPOWERED, Verdict.NO_DIFFERENCE_SHOWN):
        reasons[verdict] = (
            f"after the last look the power to see {design.margin:g} {unit} is {attained:.2f} (80 % upper limit of the "
            f"sd: {spread:.2f})"
        )
    sentence = "; ".join(filter(None, (lead, reasons.get(verdict, ""))))
    return Judgement(verdict, verdict, f"{sentence}: {verdict.value}.", numbers)


def repeated_interval(comparison: PairedComparison, standing: Standing) -> Interval:
    """The repeated confidence interval of the comparison: mean ± boundary × standard error; infinite without one."""
    half = standing.boundary * comparison.se if math.isfinite(standing.boundary) else math.inf
    return Interval(comparison.mean - half, comparison.mean + half)


def equality_interval(comparison: PairedComparison, design: Design, look: int) -> Interval:
    """Student's interval at 1 - 2 α_k, which has to lie within the margin for equality to be shown at this look."""
    return t_interval(comparison.mean, comparison.se, comparison.degrees, 1 - 2 * design.share(look))


def strictness_of(standing: Standing, design: Design) -> float:
    """Two-sided level of a single t test that is as strict as the boundary; before there is one, what may be spent."""
    if not math.isfinite(standing.boundary):
        return design.alpha
    return float(2 * special.stdtr(standing.degrees, -standing.boundary))


def _verdict(
    standing: Standing, design: Design, look: int, *, mean: float, inside: Interval, attained: float
) -> Verdict:
    if standing.decision is Decision.REJECTED:
        if inside.inside(design.margin):
            return Verdict.WITHIN_MARGIN
        return Verdict.SUPPORTED if mean > 0 else Verdict.CONTRADICTED
    if standing.decision is Decision.SHOWN_EQUAL:
        return Verdict.SHOWN_EQUAL
    if standing.decision is Decision.FUTILE:
        return Verdict.UNDERPOWERED
    if standing.decision is Decision.WITHDRAWN:
        return Verdict.NOT_TESTABLE
    if look < len(design.looks):
        return Verdict.NOT_TESTABLE_YET
    return Verdict.UNDERPOWERED if attained < TARGET else Verdict.NO_DIFFERENCE_SHOWN


def _lead(estimate: str, repeated: Interval, standing: Standing, look: str) -> str:
    """The estimate, its repeated interval, and t against the boundary, where there is one."""
    where = f"{look}, n = {standing.seeds}"
    if not math.isfinite(standing.boundary):
        return f"{estimate} at {where}, which is too early to reject anything"
    size = "∞" if math.isinf(standing.t) else f"{abs(standing.t):.2f}"
    return (
        f"{estimate} {shown_interval(repeated)} over all looks, |t| = {size} against {standing.boundary:.2f} at {where}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.4g}"
