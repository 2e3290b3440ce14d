"""The claim that a gain is larger on some classes than on the others."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.claims.claim import Part
from reports.inference.claims.metrics import METRICS
from reports.inference.claims.question import Question, judged
from reports.inference.claims.subject import missing_part, settings, speaks_of_the_paper
from reports.inference.contrast import Inference
from reports.measures.classes import class_scores
from reports.statistics import align, from_differences


def check_classes(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    """A part a rival: mean gain on the named classes minus mean gain on the others, by seed."""
    missing, questions = [], []
    for setting in settings(entry, evidence):
        method, e = setting.method, setting.evidence
        if method is None or setting.lack:
            missing.append(setting.missing(entry["run"]))
            continue
        named = np.isin(e.comparison.classes, entry["classes"])
        if lack := _absent(e, entry["classes"]):
            missing.append(missing_part(e, f"gain of {method.label} by class", lack))
            continue
        refit = speaks_of_the_paper(e.comparison)
        metric = METRICS["weighted_f1"].after_refit() if refit else METRICS["weighted_f1"]
        for rival in setting.rivals:
            paired = align(*(metric.values(e, m.label) for m in (method, rival)))
            gain = _class_f1(e, method, paired.seeds, refit) - _class_f1(e, rival, paired.seeds, refit)
            difference = gain[:, named].mean(axis=1) - gain[:, ~named].mean(axis=1)
            classes = f"{' and '.join(entry['classes'])} minus the other classes"
            questions.append(
                Question(
                    evidence=e,
                    a=method,
                    b=rival,
                    label=f"gain of {method.label} on {rival.label}{' after a refit' if refit else ''}, {classes}",
                    metric=metric,
                    margin=inference.margin(setting.dataset),
                    comparison=from_differences(
                        paired.seeds, difference, paired.dropped, sessions=e.comparison.sessions
                    ),
                    whole=False,
                )
            )
    return judged(questions, inference) + missing


def absent_classes(evidence: Evidence) -> list[str]:
    """Classes of the data set without a single test utterance."""
    labels = next(iter(evidence.outcomes.values())).counts.sum(axis=(0, 2))
    return [name for name, count in zip(evidence.comparison.classes, labels, strict=True) if not count]


def _absent(evidence: Evidence, named: Sequence[str]) -> str:
    """Which class there is no F1 of; empty where there is one of each."""
    unknown = [name for name in named if name not in evidence.comparison.classes]
    if unknown:
        return f"{evidence.comparison.dataset} has no class {' or '.join(unknown)}"
    if absent := absent_classes(evidence):
        return f"the test set has no utterance of {' or '.join(absent)}, so F1 of that class is not defined"
    return ""


def _class_f1(evidence: Evidence, method: Method, seeds: Sequence[int], refit: bool) -> np.ndarray:
    """F1 in points, [seeds, C]."""
    if not seeds:
        return np.zeros((0, len(evidence.comparison.classes)))
    if refit:
        by_seed = {run.seed: run.confusion("last") for run in method.refits}
        counts = np.stack([matrix for seed in seeds if (matrix := by_seed[seed]) is not None])
    else:
        counts = evidence.counts(method.label, seeds).sum(axis=1)
    return class_scores(counts).f1
