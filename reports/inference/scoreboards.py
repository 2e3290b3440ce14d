"""The scoreboard of every data set with verdicts, from its numbers."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.evidence.summaries import summary
from reports.inference.answer import OPEN, Answer, outcome_of
from reports.inference.contrasts import Inference, reference
from reports.inference.findings import TEST_SEEDS
from reports.inference.scores import measure_of
from reports.scoreboard import Score, Scoreboard


def scoreboards(
    evidence: Sequence[Evidence], inference: Inference, answers: Iterable[Answer]
) -> tuple[Scoreboard, ...]:
    """A scoreboard a data set, in the order of the report."""
    in_words = {answer.dataset: answer.in_words for answer in answers}
    return tuple(_scoreboard(e, inference, in_words.get(e.comparison.dataset, "")) for e in evidence)


def _scoreboard(evidence: Evidence, inference: Inference, answer: str) -> Scoreboard:
    comparison = evidence.comparison
    scores = (_score(evidence, inference, method) for method in comparison.shown)
    times = [np.mean([run.number("timings", "total") for run in method.runs]) for method in comparison.methods]
    return Scoreboard(
        dataset=comparison.dataset,
        data=comparison.data_origin.short,
        answer=answer,
        reference=reference(comparison).label,
        scores=tuple(sorted(scores, key=lambda score: -math.inf if score.mean is None else score.mean, reverse=True)),
        seeds=min(len(method.runs) for method in comparison.methods or comparison.imported),
        needed=TEST_SEEDS,
        undecided=any(outcome_of(contrast) == OPEN for contrast in inference.of(comparison.dataset)),
        seconds_a_seed=float(np.sum(times)),
    )


def _score(evidence: Evidence, inference: Inference, method: Method) -> Score:
    comparison, first = evidence.comparison, reference(evidence.comparison).label
    over_seeds = summary(evidence, method.label, measure_of(method))
    contrast = None if method.label == first else inference.find(comparison.dataset, first, method.label)
    known = contrast is not None and not contrast.missing and contrast.a == first
    interval = contrast.interval if contrast is not None and known else (math.nan, math.nan)
    return Score(
        method=method.label,
        n=over_seeds.n,
        mean=_known(100 * over_seeds.mean),
        sd=_known(100 * over_seeds.sd),
        difference=_known(contrast.estimate.mean) if contrast is not None and known else None,
        low=_known(interval[0]),
        high=_known(interval[1]),
        verdict=f"{contrast.judgement.verdict.icon} {contrast.verdict}" if contrast is not None and known else "",
        diverged=int(evidence.values(method.label, "diverged").sum()),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
