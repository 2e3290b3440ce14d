"""Differences that a claim rests on, and their verdicts: adjusted for each other and for what was declared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.claims.claim import Part
from reports.inference.claims.metrics import Metric
from reports.inference.contrast import Inference
from reports.inference.plans import Standing
from reports.inference.scores import SELECTED, paired_points
from reports.inference.soundness import obstacle, sound
from reports.inference.testing import joint_test
from reports.statistics import Judgement, PairedComparison, RateComparison, judge, judge_rates
from reports.statistics.sequential_verdicts import judge_followed


@dataclass(frozen=True, eq=False, kw_only=True)
class Asked:
    """What a difference is of: two methods on one data set, in one metric."""

    evidence: Evidence
    a: Method
    b: Method
    label: str
    metric: Metric
    margin: float

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return self.evidence.comparison.dataset


@dataclass(frozen=True, eq=False, kw_only=True)
class Question(Asked):
    """A difference by seed that is to be judged.

    declared_family: whether the claim is one of the comparisons that are declared: p adjusted for these decides.
    whole: whether it is the difference of the methods' scores, as declared, and not a contrast within them.
    """

    comparison: PairedComparison | RateComparison
    declared_family: bool = False
    whole: bool = True

    @property
    def difference(self) -> PairedComparison:
        """What enters the joint test."""
        return self.comparison.difference if isinstance(self.comparison, RateComparison) else self.comparison


def judged(questions: Sequence[Question], inference: Inference) -> list[Part]:
    """Verdicts on differences, p adjusted within these questions, and never below what the report's contrasts have."""
    test, positions = joint_test([question.difference for question in questions], inference.alpha)
    position = {i: k for k, i in enumerate(positions)}
    parts = []
    for i, question in enumerate(questions):
        adjusted, level = math.nan, inference.alpha
        if test is not None and i in position:
            adjusted, level = float(test.adjusted[position[i]]), test.level
        adjusted, level = _stricter(question, inference, adjusted, level)
        decisive = _as_declared(question)
        standing = inference.standing(question.evidence, question.a, question.b, decisive=decisive)
        against = obstacle(
            question.evidence, question.a, question.b, standing,
            refit=question.metric.of_refits, learned=question.metric.of_learners,
        )  # fmt: skip
        judgement = _followed(question, standing) if decisive and standing.followed is not None else None
        judgement = judgement or _judgement(question, adjusted, level, inference.alpha)
        judgement = sound(judgement, question.label, against)
        parts.append(Part(dataset=question.dataset, label=question.label, judgement=judgement, standing=standing))
    return parts


def _as_declared(question: Question) -> bool:
    """Whether it is what is declared: the difference of the selected weighted F1."""
    return question.whole and question.metric.measure == SELECTED


def _followed(question: Question, standing: Standing) -> Judgement | None:
    """What the looks have decided; None before the first."""
    followed = standing.followed
    assert followed is not None
    comparison = paired_points(question.evidence, question.a, question.b, seeds=followed.seeds)
    if comparison.n != followed.last.seeds:
        return None
    return judge_followed(
        comparison, followed.last, followed.design, label=question.label, unit=question.metric.unit,
        claim=question.metric.better,
    )  # fmt: skip


def _stricter(question: Question, inference: Inference, adjusted: float, level: float) -> tuple[float, float]:
    """P and level: of the declared family where this is one of its comparisons, else the stricter of both adjustments.

    Without that a claim that nobody has declared would be judged by its own small family, more leniently than a
    declared one. It makes no difference which of the two methods comes first in the contrast.
    """
    if not _as_declared(question):
        return adjusted, level
    contrast = inference.find(question.dataset, question.a.label, question.b.label)
    if contrast is None or math.isnan(contrast.p_adjusted) or math.isnan(adjusted):
        return adjusted, level
    if question.declared_family and not contrast.remark:
        return contrast.p_adjusted, contrast.level
    return max(adjusted, contrast.p_adjusted), min(level, contrast.level)


def _judgement(question: Question, adjusted: float, level: float, alpha: float) -> Judgement:
    if isinstance(question.comparison, RateComparison):
        return judge_rates(
            question.comparison, adjusted, label=question.label, margin=question.margin, claim=question.metric.better,
            alpha=alpha, level=level,
        )  # fmt: skip
    return judge(
        question.comparison, adjusted, label=question.label, margin=question.margin, unit=question.metric.unit,
        claim=question.metric.better, alpha=alpha, level=level,
    )  # fmt: skip
