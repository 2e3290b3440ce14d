"""Claims that one method beats others: each rival and each metric is a part, and all have to hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.evidence.evidence import Evidence
from reports.inference.claims.claim import Part
from reports.inference.claims.metrics import METRICS
from reports.inference.claims.question import Question, judged
from reports.inference.claims.subject import settings, speaks_of_the_paper
from reports.inference.contrast import Inference


def check_contrasts(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    """A part a rival and metric; a part for what has not been run."""
    missing, questions = [], []
    for setting in settings(entry, evidence):
        if setting.lack:
            missing.append(setting.missing(entry["run"]))
        method, e = setting.method, setting.evidence
        if method is None:
            continue
        for rival in setting.rivals:
            for name, margin in zip(entry["metrics"], entry["margin"], strict=True):
                metric = METRICS[name].after_refit() if speaks_of_the_paper(e.comparison) else METRICS[name]
                questions.append(
                    Question(
                        evidence=e,
                        a=method,
                        b=rival,
                        label=f"{method.label} − {rival.label}, {metric.title}",
                        metric=metric,
                        margin=inference.margin(setting.dataset) if margin == "family" else margin,
                        comparison=metric.compared(e, method.label, rival.label),
                        declared_family=entry["family"] == "declared",
                    )
                )
    return judged(questions, inference) + missing
