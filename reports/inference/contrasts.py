"""The comparisons of a report: those that were declared, each family under one joint test, and the afterthoughts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from reports.evidence.comparisons import Comparison
from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.imported import fair
from reports.reading.preregistration import Pair, Preregistration
from reports.statistics import (
    FamilyTest,
    Judgement,
    PairedComparison,
    UnpairedComparison,
    VarianceComparison,
    adjust_family,
    compare_variances,
    holm,
    judge,
    judge_unpaired,
    judge_variances,
    not_testable,
    paired_comparison,
    unpaired_comparison,
)
from reports.statistics.verdicts import ALPHA

MARGIN = 0.5
REFERENCES = ("css", "css-released")
TUNED = " [tuned]"
UNIT = "F1"
AFTERTHOUGHT = "not declared before the runs"


@dataclass(frozen=True, eq=False)
class Contrast:
    """a - b in weighted F1 at the selected epoch, in points; `missing` says why there is no `comparison`.

    `unpaired` in its place where the seeds of one, imported, are not those of the other.

    `remark`: why it is exploratory, empty where it was declared before its runs. `level`: of a single t test that is
    as strict as the family; `members`: how many comparisons were adjusted for.
    """

    dataset: str
    a: str
    b: str
    remark: str
    missing: str
    margin: float
    comparison: PairedComparison | None
    unpaired: UnpairedComparison | None
    p_adjusted: float
    p_holm: float
    mc_se: float
    level: float
    members: int
    judgement: Judgement
    spread: VarianceComparison | None
    spread_judgement: Judgement

    @property
    def label(self) -> str:
        """How a sentence calls it."""
        return f"{self.a} − {self.b}"

    @property
    def verdict(self) -> str:
        """The verdict as tables show it."""
        return self.judgement.verdict.value + (" (exploratory)" if self.remark else "")


@dataclass(frozen=True)
class Inference:
    """All contrasts of a report, and in words what was declared, by data set."""

    contrasts: tuple[Contrast, ...]
    declarations: dict[str, str]
    margin: float
    alpha: float

    def of(self, dataset: str) -> list[Contrast]:
        """The contrasts of one data set."""
        return [contrast for contrast in self.contrasts if contrast.dataset == dataset]


@dataclass(frozen=True, eq=False)
class _Candidate:
    evidence: Evidence
    pair: Pair
    a: Method | None
    b: Method | None
    remark: str
    comparison: PairedComparison | None
    unpaired: UnpairedComparison | None = None


def infer(evidence: Sequence[Evidence], preregistrations: Sequence[Preregistration]) -> Inference:
    """Test what was declared, by family; everything else in one family with it, as exploratory.

    Per data set the earliest family that covers its budget holds. Without one the reference method is compared with
    each other method, as exploratory.
    """
    held = {
        e.comparison.dataset: next((f for f in preregistrations if f.covers([e.comparison.budget])), None)
        for e in evidence
    }
    planned: dict[int, list[_Candidate]] = {}
    extra: list[_Candidate] = []
    for e in evidence:
        plan = held[e.comparison.dataset]
        own = [] if plan is None else [p for p in plan.pairs if p.budget == e.comparison.budget]
        if plan is not None:
            planned.setdefault(preregistrations.index(plan), []).extend(_candidate(e, pair, plan) for pair in own)
        seen = {frozenset((pair.a[0], pair.b[0])) for pair in own}
        for pair in [p for f in preregistrations for p in f.pairs if p.budget == e.comparison.budget] + _default(
            e.comparison
        ):
            if (sides := frozenset((pair.a[0], pair.b[0]))) not in seen:
                seen.add(sides)
                extra.append(_candidate(e, pair, None))
    first = next((plan for plan in held.values() if plan is not None), None)
    margin, alpha = (MARGIN, ALPHA) if first is None else (first.margin, first.alpha)
    contrasts = [
        contrast
        for index, candidates in planned.items()
        for contrast in _tested(candidates, candidates, preregistrations[index].margin, preregistrations[index].alpha)
    ]
    everything = [candidate for candidates in planned.values() for candidate in candidates] + extra
    contrasts += _tested(extra, everything, margin, alpha)
    order = {e.comparison.dataset: i for i, e in enumerate(evidence)}
    contrasts.sort(key=lambda contrast: order[contrast.dataset])  # stable: as declared within a data set
    words = {
        e.comparison.dataset: _declaration(e.comparison, held[e.comparison.dataset], preregistrations, contrasts)
        for e in evidence
    }
    return Inference(tuple(contrasts), words, margin, alpha)


def points(evidence: Evidence, method: Method, measure: str = "selected_weighted_f1") -> pd.Series:
    """A score of one method by seed, in points; of an imported one the score that it has, whatever its epoch."""
    if method.imported:
        measure = f"imported_{measure.partition('_')[2]}"
    return 100 * evidence.values(method.label, measure)


def reference(comparison: Comparison) -> Method:
    """What the other methods are compared with: css, else css-released, else the first."""
    return _first([m for m in comparison.methods if not m.tuned] or comparison.methods)


def _first(methods: Sequence[Method]) -> Method:
    found = ((m, name) for name in REFERENCES for m in methods if m.runs[0].label.removesuffix(TUNED) == name)
    return next(found, (methods[0], ""))[0]


def joint_test(comparisons: Sequence[PairedComparison | None], alpha: float) -> tuple[FamilyTest | None, list[int]]:
    """The joint test of those comparisons that exist, and their positions."""
    there = [i for i, comparison in enumerate(comparisons) if comparison is not None and comparison.n]
    known = [comparison for comparison in comparisons if comparison is not None and comparison.n]
    return (adjust_family(known, alpha=alpha) if known else None), there


def strictness(test: FamilyTest | None, alpha: float) -> float:
    """Level of a t test as strict as the family; Bonferroni's where the seeds allow no rejection at all."""
    if test is None:
        return alpha
    return test.level or alpha / len(test.n)


def _default(comparison: Comparison) -> list[Pair]:
    """The reference against each other method, like with like (default, tuned), and tuned against default settings.

    What was imported is compared with the reference at default settings, where there is one.
    """
    kinds = [[m for m in comparison.methods if m.tuned is tuned] for tuned in (False, True)]
    pairs = [
        (first, m) for methods in kinds if methods for first in [_first(methods)] for m in methods if m is not first
    ]
    pairs += [(_first(kinds[0] or kinds[1]), m) for m in comparison.imported]
    pairs += [(a, b) for a in kinds[1] for b in kinds[0] if a.runs[0].label == f"{b.runs[0].label}{TUNED}"]
    return [
        Pair(comparison.dataset, comparison.budget, (a.runs[0].group, a.label), (b.runs[0].group, b.label))
        for a, b in pairs
    ]


def _candidate(evidence: Evidence, pair: Pair, plan: Preregistration | None) -> _Candidate:
    shown = (*evidence.comparison.methods, *evidence.comparison.imported)
    by_group = {method.runs[0].group: method for method in shown}
    a, b = by_group.get(pair.a[0]), by_group.get(pair.b[0])
    if a is None or b is None:
        return _Candidate(evidence, pair, a, b, AFTERTHOUGHT if plan is None else "", None)
    remark = AFTERTHOUGHT if plan is None else _afterthought((a, b), plan)
    of_a, of_b = points(evidence, a), points(evidence, b)
    if a.paired and b.paired:
        return _Candidate(evidence, pair, a, b, remark, paired_comparison(of_a, of_b))
    return _Candidate(
        evidence, pair, a, b, remark, None, unpaired_comparison(of_a.to_numpy(dtype=float), of_b.to_numpy(dtype=float))
    )


def _afterthought(methods: Iterable[Method], plan: Preregistration) -> str:
    """Why a declared comparison is none; empty where it was declared before its runs, with their seeds.

    Imported runs were made elsewhere: when, and with how many seeds, was not to be planned here.
    """
    runs = [run for method in methods if not method.imported for run in method.runs]
    before = sum(run.created < plan.declared for run in runs)
    if before:
        return f"declared after {before} of its {len(runs)} runs were begun"
    added = sorted({run.seed for run in runs} - plan.seeds)
    return f"seeds {_listed(added)} were added after the declaration" if added else ""


def _tested(
    candidates: Sequence[_Candidate], members: Sequence[_Candidate], margin: float, alpha: float
) -> list[Contrast]:
    test, there = joint_test([member.comparison for member in members], alpha)
    position = {id(members[i]): k for k, i in enumerate(there)}
    apart = [member for member in members if member.unpaired is not None]  # a family of their own
    p = holm(np.array([member.unpaired.p for member in apart if member.unpaired is not None]))
    adjusted = {id(member): float(value) for member, value in zip(apart, p, strict=True)}
    return [
        _contrast(c, test, position.get(id(c)), margin, alpha)
        if c.unpaired is None
        else _unpaired_contrast(c, c.unpaired, adjusted[id(c)], len(apart), margin, alpha)
        for c in candidates
    ]


def _contrast(
    candidate: _Candidate, test: FamilyTest | None, position: int | None, margin: float, alpha: float
) -> Contrast:
    a, b = (m.label if m else side[1] for m, side in ((candidate.a, candidate.pair.a), (candidate.b, candidate.pair.b)))
    label, comparison, spread = f"{a} − {b}", candidate.comparison, None
    missing = " and ".join(
        side[1] for m, side in ((candidate.a, candidate.pair.a), (candidate.b, candidate.pair.b)) if m is None
    )
    if comparison is None or candidate.a is None or candidate.b is None:
        missing = f"no finished run of {missing}: cssbench run --methods {a},{b}"
    elif not comparison.n:
        missing = "no seed that both have"
    adjusted = holms = error = float("nan")
    if test is not None and position is not None:
        adjusted, holms, error = (float(v[position]) for v in (test.adjusted, test.holm, test.mc_se))
    if missing or comparison is None or candidate.a is None or candidate.b is None:
        judgement = spread_judgement = not_testable(label, missing)
    else:
        level = test.level if test is not None else alpha
        judgement = judge(comparison, adjusted, label=label, margin=margin, unit=UNIT, alpha=alpha, level=level)
        judgement = fair(judgement, candidate.a, candidate.b)
        spread = compare_variances(points(candidate.evidence, candidate.a), points(candidate.evidence, candidate.b))
        spread_judgement = judge_variances(spread, label=f"sd of {a} / sd of {b}", alpha=alpha)
    return Contrast(
        candidate.evidence.comparison.dataset, a, b, candidate.remark, missing, margin, comparison, None, adjusted,
        holms, error, strictness(test, alpha), len(test.n) if test is not None else 0, judgement, spread,
        spread_judgement,
    )  # fmt: skip


def _unpaired_contrast(
    candidate: _Candidate, unpaired: UnpairedComparison, adjusted: float, members: int, margin: float, alpha: float
) -> Contrast:
    assert candidate.a is not None
    assert candidate.b is not None
    a, b = candidate.a.label, candidate.b.label
    judgement = judge_unpaired(unpaired, adjusted, label=f"{a} − {b}", margin=margin, unit=UNIT, alpha=alpha)
    return Contrast(
        candidate.evidence.comparison.dataset, a, b, candidate.remark, "", margin, None, unpaired, adjusted, adjusted,
        0.0, alpha, members, fair(judgement, candidate.a, candidate.b), None,
        not_testable(f"sd of {a} / sd of {b}", "their runs are not paired"),
    )  # fmt: skip


def _declaration(
    comparison: Comparison,
    plan: Preregistration | None,
    preregistrations: Sequence[Preregistration],
    contrasts: Sequence[Contrast],
) -> str:
    """What was declared for a data set, when, and what of it still counts as declared."""
    if plan is None:
        return (
            "No family of comparisons was declared before these runs, so every comparison here is exploratory. "
            "cssbench run declares one before it starts."
        )
    pairs = [pair for pair in plan.pairs if pair.budget == comparison.budget]
    sets = len({pair.dataset for pair in plan.pairs})
    text = (
        f"Declared on {_when(plan.declared)}: {len(pairs)} "
        f"{'comparison' if len(pairs) == 1 else 'comparisons'} here, {len(plan.pairs)} over {sets} data "
        f"{'set' if sets == 1 else 'sets'}, seeds {_listed(sorted(plan.seeds))}, margin {plan.margin:g} points."
    )
    remarks = {c.remark for c in contrasts if c.dataset == comparison.dataset and c.remark}
    if remarks:
        text += f" Exploratory: {'; '.join(sorted(remarks))}."
    later = [f for f in preregistrations if f is not plan and f.covers([comparison.budget])]
    other = [f for f in later if f.margin != plan.margin]
    if other:
        text += f" A later declaration with margin {other[0].margin:g} ({_when(other[0].declared)}) is not used."
    return text


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _listed(seeds: Sequence[int]) -> str:
    """`0–4, 7`."""
    spans: list[list[int]] = []
    for seed in seeds:
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in spans)
