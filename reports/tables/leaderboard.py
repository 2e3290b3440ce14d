"""The leaderboard: every method's score with all that a rank should be read with, and the references beside it."""

import math
from typing import Any

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.evidence.summaries import summary
from reports.inference.contrasts import Contrast, Inference, reference
from reports.inference.scores import measure_of
from reports.inference.selection import selection_effects
from reports.inference.single_streams import stream_words
from reports.statistics import Summary
from reports.statistics.ranks import Rank
from reports.statistics.verdicts import shown_interval, signed
from reports.tables.model import Heading, Listing, Table
from reports.text import MISSING, UNAVAILABLE, number

NOTE = (
    "Weighted F1 on the test set at the epoch chosen on validation, in %, highest mean first. Ranks and the chance to "
    "be best by a bootstrap over the seeds that all methods have, or over sessions where seeds share the held-out ones "
    "(10,000 draws): below ten of them a rough guide. "
    "Difference: the reference method minus this one, where they were compared, in points. References see "
    "one utterance at a time and have no seed; the ceiling, of simulated data, is what the best rule that knows how "
    "they are made reaches on this test set. Neither is in a test."
)
HEADER = (
    Heading("method", "name"),
    Heading("weighted F1", "number"),
    Heading("difference", "number"),
    Heading("verdict on it", "prose"),
    Heading("n", "number"),
    Heading("95 % CI", "number"),
    Heading("rank", "number"),
    Heading("ranks, 95 %", "number"),
    Heading("chance to be best", "number"),
    Heading("training, s", "number"),
)


def leaderboard(evidence: Evidence, inference: Inference) -> Table:
    """A row a method, the best first; then the references and the ceiling."""
    comparison, effects = evidence.comparison, selection_effects(evidence)
    ranks = dict(zip(effects.ranked, effects.ranks, strict=True))
    first = reference(comparison).label
    scored = sorted(
        ((method, summary(evidence, method.label, measure_of(method))) for method in comparison.shown),
        key=lambda pair: -pair[1].mean if math.isfinite(pair[1].mean) else math.inf,
    )
    rows, frame = [], []
    for method, score in scored:
        contrast = inference.find(comparison.dataset, first, method.label)
        seconds = summary(evidence, method.label, "train_seconds").mean
        rank = ranks.get(method.label)
        rows.append(_cells(method, score, rank, contrast, seconds))
        origin = {"dataset": comparison.dataset, "data": comparison.data_origin.kind, "method": method.label}
        frame.append(origin | _numbers(score, rank, contrast, seconds))
    beside = tuple((name, number(value, 1), *[MISSING] * 8) for name, value in _beside(evidence).items())
    return Table(
        name="leaderboard",
        title="Methods, best mean first",
        note=NOTE,
        data=comparison.data_origin.short,
        dataset=comparison.name,
        sentences=tuple(stream_words(comparison)),
        listings=(Listing("", HEADER, (*rows, *beside)),),
        frame=pd.DataFrame(frame),
    )


def _cells(
    method: Method, score: Summary, rank: Rank | None, contrast: Contrast | None, seconds: float
) -> tuple[str, ...]:
    unranked = (UNAVAILABLE if method.imported else MISSING,) * 3
    return (
        method.label,
        score_cell(score),
        *difference_cells(method, contrast),
        str(score.n),
        MISSING if score.n < 2 else f"[{number(100 * score.low, 1)}, {number(100 * score.high, 1)}]",
        *(
            unranked
            if rank is None
            else (
                f"{rank.rank:g}",
                f"[{rank.interval.low:g}, {rank.interval.high:g}]",
                f"{number(100 * rank.best, 0)} %",
            )
        ),
        UNAVAILABLE if method.imported else number(seconds, 1),
    )


def score_cell(score: Summary) -> str:
    """A mean score in % and its sd, where there is one."""
    mean = number(100 * score.mean, 1)
    return mean if score.n < 2 else f"{mean} ± {number(100 * score.sd, 1)}"


def difference_cells(method: Method, contrast: Contrast | None) -> tuple[str, str]:
    """The reference method minus this one, and the verdict on it; the other way round, it says so."""
    if contrast is None or contrast.missing:
        return (MISSING, MISSING)
    interval = contrast.interval
    numbers = signed(contrast.estimate.mean)
    if math.isfinite(interval.low):
        numbers += f" {shown_interval(interval)}"
    if contrast.a == method.label:  # the reference comes second
        numbers = f"{contrast.label}: {numbers}"
    return numbers, f"{contrast.judgement.verdict.icon} {contrast.verdict}"


def _numbers(score: Summary, rank: Rank | None, contrast: Contrast | None, seconds: float) -> dict[str, Any]:
    row: dict[str, Any] = {"n": score.n} | {
        f"weighted_f1_{part}": 100 * getattr(score, part) for part in ("mean", "sd", "low", "high")
    }
    unknown = math.nan
    row |= (
        dict.fromkeys(("rank", "rank_low", "rank_high", "chance_to_be_best"), unknown)
        if rank is None
        else {
            "rank": rank.rank,
            "rank_low": rank.interval.low,
            "rank_high": rank.interval.high,
            "chance_to_be_best": 100 * rank.best,
        }
    )
    compared = contrast is not None and not contrast.missing
    row |= {
        "difference": contrast.estimate.mean if contrast is not None and compared else unknown,
        "verdict": contrast.judgement.verdict.value if contrast is not None and compared else "",
    }
    return row | {"train_seconds": seconds}


def _beside(evidence: Evidence) -> dict[str, float]:
    """The ceiling and the references, in %, where they are known."""
    run = evidence.comparison.first
    known = {} if run.ceiling is None else {"(ceiling)": 100 * float(run.ceiling["test_weighted_f1"])}
    for each in run.references:
        if each["name"] != "logistic" or each is run.logistic:
            known[f"({each['name']})"] = 100 * float(each["weighted_f1"])
    return known
