"""The claim that a method's scores vary less over runs than another's."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.evidence.evidence import Evidence
from reports.inference.claims.claim import Part
from reports.inference.claims.subject import score_of, settings
from reports.inference.contrast import Inference
from reports.inference.scores import REFITTED, points
from reports.inference.soundness import obstacle, sound
from reports.statistics import compare_variances, judge_variances


def check_variance(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    """A part a rival."""
    parts = []
    for setting in settings(entry, evidence):
        method, e = setting.method, setting.evidence
        if method is None or setting.lack:
            parts.append(setting.missing(entry["run"]))
            continue
        measure, suffix = score_of(e.comparison)
        for rival in setting.rivals:
            label = f"sd of {method.label} / sd of {rival.label}, weighted F1{suffix}"
            spread = compare_variances(
                points(e, method, measure), points(e, rival, measure), sessions=e.comparison.sessions
            )
            standing = inference.standing(e, method, rival, decisive=False)
            against = obstacle(e, method, rival, standing, refit=measure == REFITTED)
            judgement = sound(judge_variances(spread, label=label, alpha=inference.alpha), label, against)
            parts.append(Part(dataset=setting.dataset, label=label, judgement=judgement, standing=standing))
    return parts
