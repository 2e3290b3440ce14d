"""From declared pairs of methods to contrasts: one joint test of those that are adjusted for each other."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.contrast import Contrast
from reports.inference.imported import fair
from reports.inference.plans import Standing
from reports.inference.scores import points
from reports.inference.soundness import obstacle, sound
from reports.reading.preregistration import Pair
from reports.statistics import (
    FamilyTest,
    Judgement,
    PairedComparison,
    UnpairedComparison,
    adjust_family,
    compare_variances,
    holm,
    judge,
    judge_unpaired,
    judge_variances,
    not_testable,
)
from reports.statistics.sequential_verdicts import judge_followed, strictness_of

UNIT = "F1"
NAN = float("nan")


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidate:
    """A pair that is to be tested; `a` or `b` is None where the method has no finished run."""

    evidence: Evidence
    pair: Pair
    a: Method | None
    b: Method | None
    standing: Standing
    margin: float
    comparison: PairedComparison | None = None
    unpaired: UnpairedComparison | None = None

    @property
    def labels(self) -> tuple[str, str]:
        """What the two are called: as on the page, or as they were declared."""
        a, b = ((m.label if m else side[1]) for m, side in ((self.a, self.pair.a), (self.b, self.pair.b)))
        return a, b

    @property
    def missing(self) -> str:
        """Why there is nothing to test; empty where there is something."""
        absent = [side[1] for m, side in ((self.a, self.pair.a), (self.b, self.pair.b)) if m is None]
        if absent:
            lost = f" ({self.standing.failures} failed)" if self.standing.failures else ""
            methods = shlex.quote(",".join(self.labels))
            return f"no finished run of {' and '.join(absent)}{lost}: cssbench run --methods {methods}"
        if self.unpaired is None and (self.comparison is None or not self.comparison.n):
            return "no seed that both have"
        return ""


def contrasts_of(candidates: Sequence[Candidate], members: Sequence[Candidate], alpha: float) -> list[Contrast]:
    """The contrasts of the candidates, adjusted for all members, which they are among."""
    test, positions = joint_test([member.comparison for member in members], alpha)
    position = {id(members[i]): k for k, i in enumerate(positions)}
    apart = [member for member in members if member.unpaired is not None]  # a family of their own
    p = holm(np.array([member.unpaired.p for member in apart if member.unpaired is not None]))
    adjusted = {id(member): float(value) for member, value in zip(apart, p, strict=True)}
    alike = [NAN if m.comparison is None else m.comparison.p_equal(m.margin) for m in members]
    equal = dict(zip(map(id, members), zip(alike, holm(np.array(alike)).tolist(), strict=True), strict=True))
    contrasts = []
    for candidate in candidates:
        shared = _known(candidate, *equal[id(candidate)])
        if candidate.unpaired is None:
            contrasts.append(_paired(candidate, test, position.get(id(candidate)), alpha, shared))
        else:
            contrasts.append(_unpaired(candidate, adjusted[id(candidate)], len(apart), alpha, shared))
    return contrasts


def followed_contrasts(candidates: Sequence[Candidate]) -> list[Contrast]:
    """The contrasts of a family that is followed until it is decided: its looks decide, no p is adjusted."""
    alike = [NAN if c.comparison is None else c.comparison.p_equal(c.margin) for c in candidates]
    adjusted = holm(np.array(alike)).tolist()
    return [
        _followed(candidate, len(candidates), _known(candidate, *equal))
        for candidate, *equal in zip(candidates, alike, adjusted, strict=True)
    ]


def joint_test(comparisons: Sequence[PairedComparison | None], alpha: float) -> tuple[FamilyTest | None, list[int]]:
    """The joint test of those comparisons that exist, and their positions."""
    positions = [i for i, comparison in enumerate(comparisons) if comparison is not None and comparison.n]
    known = [comparison for comparison in comparisons if comparison is not None and comparison.n]
    return (adjust_family(known, alpha=alpha) if known else None), positions


def strictness(test: FamilyTest | None, alpha: float) -> float:
    """Level of a t test as strict as the family; Bonferroni's where the seeds allow no rejection at all."""
    if test is None:
        return alpha
    return test.level or alpha / len(test.n)


def _paired(
    candidate: Candidate, test: FamilyTest | None, position: int | None, alpha: float, shared: dict[str, Any]
) -> Contrast:
    adjusted = holms = error = NAN
    if test is not None and position is not None:
        adjusted, holms, error = (float(v[position]) for v in (test.adjusted, test.holm, test.mc_se))

    def judged(comparison: PairedComparison, a: Method, b: Method, label: str) -> Judgement:
        level = test.level if test is not None else alpha
        judgement = judge(
            comparison, adjusted, label=label, margin=candidate.margin, unit=UNIT, alpha=alpha, level=level
        )
        return fair(judgement, a, b)

    return _of_pairs(
        candidate,
        judged,
        alpha,
        shared
        | {
            "p_adjusted": adjusted,
            "p_holm": holms,
            "mc_se": error,
            "level": strictness(test, alpha),
            "members": len(test.n) if test is not None else 0,
        },
    )


def _followed(candidate: Candidate, members: int, shared: dict[str, Any]) -> Contrast:
    followed, comparison = candidate.standing.followed, candidate.comparison
    assert followed is not None
    last, design = followed.last, followed.design
    taken = comparison is not None and last.seeds > 0 and comparison.n == last.seeds

    def judged(comparison: PairedComparison, a: Method, b: Method, label: str) -> Judgement:
        if not taken:
            return not_testable(label, "no look has judged it")
        return judge_followed(comparison, last, design, label=label, unit=UNIT)

    level = strictness_of(last, design) if taken else design.alpha
    more = {"p_adjusted": NAN, "p_holm": NAN, "mc_se": NAN, "level": level, "members": members}
    return _of_pairs(candidate, judged, design.alpha, shared | more)


def _of_pairs(
    candidate: Candidate,
    judged: Callable[[PairedComparison, Method, Method, str], Judgement],
    alpha: float,
    fields: dict[str, Any],
) -> Contrast:
    """The contrast of two methods that are paired by seed, whatever test has judged it."""
    a, b = candidate.labels
    label, comparison, spread = f"{a} − {b}", candidate.comparison, None
    if candidate.missing or comparison is None or candidate.a is None or candidate.b is None:
        judgement = spread_judgement = not_testable(label, candidate.missing)
    else:
        judgement = judged(comparison, candidate.a, candidate.b, label)
        spread = compare_variances(
            points(candidate.evidence, candidate.a),
            points(candidate.evidence, candidate.b),
            sessions=candidate.evidence.comparison.sessions_of(candidate.a, candidate.b),
        )
        of_spread = f"sd of {a} / sd of {b}"
        spread_judgement = judge_variances(spread, label=of_spread, alpha=alpha)
        against = obstacle(candidate.evidence, candidate.a, candidate.b, candidate.standing)
        judgement, spread_judgement = sound(judgement, label, against), sound(spread_judgement, of_spread, against)
    return Contrast(
        **fields,
        comparison=comparison,
        unpaired=None,
        judgement=judgement,
        spread=spread,
        spread_judgement=spread_judgement,
    )


def _unpaired(candidate: Candidate, adjusted: float, members: int, alpha: float, shared: dict[str, Any]) -> Contrast:
    assert candidate.a is not None
    assert candidate.b is not None
    assert candidate.unpaired is not None
    a, b = candidate.labels
    label = f"{a} − {b}"
    judgement = judge_unpaired(
        candidate.unpaired, adjusted, label=label, margin=candidate.margin, unit=UNIT, alpha=alpha
    )
    against = obstacle(candidate.evidence, candidate.a, candidate.b, candidate.standing)
    return Contrast(
        **shared,
        comparison=None,
        unpaired=candidate.unpaired,
        p_adjusted=adjusted,
        p_holm=adjusted,
        mc_se=0.0,
        level=alpha,
        members=members,
        judgement=sound(fair(judgement, candidate.a, candidate.b), label, against),
        spread=None,
        spread_judgement=not_testable(f"sd of {a} / sd of {b}", "their runs are not paired"),
    )


def _known(candidate: Candidate, p_equal: float, p_equal_holm: float) -> dict[str, Any]:
    """The fields of a contrast that are the same with and without pairs."""
    a, b = candidate.labels
    return {
        "dataset": candidate.evidence.comparison.dataset,
        "a": a,
        "b": b,
        "standing": candidate.standing,
        "missing": candidate.missing,
        "margin": candidate.margin,
        "p_equal": p_equal,
        "p_equal_holm": p_equal_holm,
    }
