"""The comparisons of a report: those that were declared, each family under one joint test, and the afterthoughts."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from reports.evidence.comparisons import Comparison
from reports.evidence.evidence import Evidence
from reports.evidence.method import Method, are_paired
from reports.inference.contrast import MARGIN, Contrast, Inference
from reports.inference.plans import FailedSeeds, Plan, failed_seeds, in_force, in_words, standing
from reports.inference.scores import paired_points, points
from reports.inference.testing import Candidate, contrasts_of, followed_contrasts
from reports.reading.preregistration import Pair, Preregistration
from reports.reading.runs import FailedRun
from reports.statistics import unpaired_comparison
from reports.statistics.verdicts import ALPHA

__all__ = ["Contrast", "Inference", "infer", "reference"]

REFERENCES = ("css", "css-released")
TUNED = " [tuned]"


def infer(
    evidence: Sequence[Evidence], preregistrations: Sequence[Preregistration], failed: Iterable[FailedRun] = ()
) -> Inference:
    """Test what was declared, by family; everything else in one family with it, as exploratory.

    Per data set the earliest plan that covers its budget holds, with its margin. Without one the reference method is
    compared with each other method, as exploratory. Imports are compared with each other in a family of their own.
    `failed`: runs without a result, whose methods get no verdict.
    """
    plans = in_force(preregistrations)
    lost = failed_seeds(failed)
    held = {e.comparison.dataset: next((p for p in plans if p.covers(e.comparison.budget)), None) for e in evidence}
    planned: dict[int, list[Candidate]] = {}
    extra: list[Candidate] = []
    between: list[Candidate] = []
    for e in evidence:
        plan, budget = held[e.comparison.dataset], e.comparison.budget
        margin = MARGIN if plan is None else plan.margin
        declared = [] if plan is None else [pair for pair in plan.pairs if pair.budget == budget]
        if plan is not None:
            candidates = [_candidate(e, pair, plan, margin, lost) for pair in declared]
            planned.setdefault(plans.index(plan), []).extend(candidates)
        seen = {_sides(pair) for pair in declared}
        elsewhere = [pair for other in plans for pair in other.pairs if pair.budget == budget]
        for pair in [*elsewhere, *_default(e.comparison)]:
            if (sides := _sides(pair)) not in seen:
                seen.add(sides)
                extra.append(_candidate(e, pair, None, margin, lost))
        pairs = (pair for pair in _between_imports(e.comparison) if _sides(pair) not in seen)
        between += [_candidate(e, pair, None, margin, lost) for pair in pairs]
    alpha = min((plan.alpha for plan in held.values() if plan is not None), default=ALPHA)
    contrasts: list[Contrast] = []
    for index, candidates in planned.items():
        if plans[index].is_followed:
            contrasts += followed_contrasts(candidates)
        else:
            contrasts += contrasts_of(candidates, candidates, plans[index].alpha)
    everything = [candidate for candidates in planned.values() for candidate in candidates] + extra
    contrasts += contrasts_of(extra, everything, alpha)
    contrasts += contrasts_of(between, between, alpha)  # apart: what others bring changes nothing of ours
    order = {e.comparison.dataset: i for i, e in enumerate(evidence)}
    contrasts.sort(key=lambda contrast: order[contrast.dataset])  # stable: as declared within a data set
    words = {}
    for e in evidence:
        name = e.comparison.dataset
        remarks = {c.remark for c in contrasts if c.dataset == name and c.remark}
        words[name] = in_words(e.comparison, held[name], plans, remarks)
    return Inference(contrasts=tuple(contrasts), declarations=words, plans=held, failed=lost, alpha=alpha)


def reference(comparison: Comparison) -> Method:
    """What the other methods are compared with: css, else css-released, else the first; an import where all are."""
    return _first([m for m in comparison.methods if not m.tuned] or comparison.methods or comparison.imported)


def _first(methods: Sequence[Method]) -> Method:
    named = ((m, name) for name in REFERENCES for m in methods if m.runs[0].label.removesuffix(TUNED) == name)
    return next(named, (methods[0], ""))[0]


def _sides(pair: Pair) -> frozenset[str]:
    return frozenset((pair.a[0], pair.b[0]))


def _default(comparison: Comparison) -> list[Pair]:
    """The reference against each other method, like with like (default, tuned), and tuned against default settings.

    What was imported is compared with the reference at default settings, where there is one.
    """
    kinds = [[m for m in comparison.methods if m.tuned is tuned] for tuned in (False, True)]
    pairs = [
        (first, m) for methods in kinds if methods for first in [_first(methods)] for m in methods if m is not first
    ]
    if comparison.methods:
        pairs += [(_first(kinds[0] or kinds[1]), m) for m in comparison.imported]
    pairs += [(a, b) for a in kinds[1] for b in kinds[0] if a.runs[0].label == f"{b.runs[0].label}{TUNED}"]
    return [_pair(comparison, a, b) for a, b in pairs]


def _between_imports(comparison: Comparison) -> list[Pair]:
    """Every import against every other one."""
    return [_pair(comparison, a, b) for a, b in combinations(comparison.imported, 2)]


def _pair(comparison: Comparison, a: Method, b: Method) -> Pair:
    return Pair(comparison.dataset, comparison.budget, (a.runs[0].group, a.label), (b.runs[0].group, b.label))


def _candidate(evidence: Evidence, pair: Pair, plan: Plan | None, margin: float, failed: FailedSeeds) -> Candidate:
    by_group = {method.runs[0].group: method for method in evidence.comparison.shown}
    a, b = (by_group.get(group) for group, _ in (pair.a, pair.b))
    stands = standing((a, b), (pair.a, pair.b), plan, failed)
    comparison = unpaired = None
    if a is not None and b is not None:
        if are_paired(a, b):
            judged = None if stands.followed is None else stands.followed.seeds
            comparison = paired_points(evidence, a, b, seeds=judged)
        else:
            unpaired = unpaired_comparison(*(points(evidence, m).to_numpy(dtype=float) for m in (a, b)))
    return Candidate(
        evidence=evidence,
        pair=pair,
        a=a,
        b=b,
        standing=stands,
        margin=margin,
        comparison=comparison,
        unpaired=unpaired,
    )
