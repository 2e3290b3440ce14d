"""The claim that CSS beats published baselines: against what was imported on the same data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reports.evidence.evidence import Evidence
from reports.inference.claims.claim import Part
from reports.inference.claims.metrics import METRICS
from reports.inference.claims.question import Asked, Question, judged
from reports.inference.claims.subject import OTHER_SPLIT, missing_part, speaks_of_the_paper, subject
from reports.inference.contrast import Inference
from reports.inference.imported import fair
from reports.inference.scores import paired_points, points
from reports.inference.soundness import obstacle, sound
from reports.statistics import UnpairedComparison, holm, judge_unpaired, unpaired_comparison


@dataclass(frozen=True, eq=False, kw_only=True)
class _Unpaired(Asked):
    """A difference from an import whose seeds are not ours."""

    comparison: UnpairedComparison


def check_published(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    """A part an import and metric, but for what is called CSS itself."""
    missing: list[Part] = []
    paired: list[Question] = []
    unpaired: list[_Unpaired] = []
    for e in evidence:
        method = subject(e.comparison)
        rivals = [m for m in e.comparison.imported if not m.label.lower().startswith("css")]
        if e.comparison.folds:
            missing.append(missing_part(e, "CSS − published baselines", OTHER_SPLIT))
            continue
        if method is None or not rivals:
            lack = f"it needs {entry['run']}" if not rivals else "no finished run of CSS: cssbench run --methods css"
            missing.append(missing_part(e, "CSS − published baselines", lack))
            continue
        for rival in rivals:
            for name, margin in zip(entry["metrics"], entry["margin"], strict=True):
                metric = METRICS[name].after_refit() if speaks_of_the_paper(e.comparison) else METRICS[name]
                shared: dict[str, Any] = {
                    "evidence": e,
                    "a": method,
                    "b": rival,
                    "label": f"{method.label} − {rival.label}, {metric.title}",
                    "metric": metric,
                    "margin": inference.margin(e.comparison.dataset) if margin == "family" else margin,
                }
                if rival.paired:
                    paired.append(Question(**shared, comparison=paired_points(e, method, rival, metric.measure)))
                else:
                    values = (points(e, m, metric.measure).to_numpy(dtype=float) for m in (method, rival))
                    unpaired.append(_Unpaired(**shared, comparison=unpaired_comparison(*values)))
    parts = [
        replace(part, judgement=fair(part.judgement, question.a, question.b))
        for part, question in zip(judged(paired, inference), paired, strict=True)
    ]
    return missing + parts + _judged_unpaired(unpaired, inference)


def _judged_unpaired(questions: Sequence[_Unpaired], inference: Inference) -> list[Part]:
    parts = []
    adjusted = holm(np.array([question.comparison.p for question in questions], dtype=float))
    for question, p in zip(questions, adjusted, strict=True):
        judgement = judge_unpaired(
            question.comparison, float(p), label=question.label, margin=question.margin, unit=question.metric.unit,
            claim=question.metric.better, alpha=inference.alpha,
        )  # fmt: skip
        standing = inference.standing(question.evidence, question.a, question.b)
        against = obstacle(question.evidence, question.a, question.b, standing, refit=question.metric.of_refits)
        judgement = sound(fair(judgement, question.a, question.b), question.label, against)
        parts.append(Part(dataset=question.dataset, label=question.label, judgement=judgement, standing=standing))
    return parts
