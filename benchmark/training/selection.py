"""Rules that choose a run's epoch from its validation curve, and which epochs have to be kept until one has chosen."""

import math
from collections.abc import Sequence
from statistics import median

from benchmark.experiment.spec import Selection

REACH = 2
"""A smoothed score is the median of an epoch's and those of this many on either side, fewer at the curve's ends."""


def selected_epoch(rule: Selection, scores: Sequence[float]) -> int | None:
    """The epoch, from 1, that the rule selects; the earliest of equals.

    Args:
        scores: validation weighted F1 by epoch; NaN where a logit was not finite, which no rule selects, or without
            validation data.

    Returns:
        None where there is no score.
    """
    return _first_best(curve(rule, scores))


def candidates(rule: Selection, scores: Sequence[float]) -> set[int]:
    """The epochs, from 1, that the rule can still select when others follow; the last one where it can select none.

    The smoothed score of an epoch is settled once :data:`REACH` others have followed it: of the settled ones the best
    is a candidate, and so are those that came after them.
    """
    if rule == "smoothed":
        settled = max(0, len(scores) - REACH)
        chosen = {_first_best(curve(rule, scores)[:settled])}
        chosen |= {i + 1 for i in range(settled, len(scores)) if not math.isnan(scores[i])}
    else:
        chosen = {selected_epoch(rule, scores)}
    return {epoch for epoch in chosen if epoch is not None} or {len(scores)}


def curve(rule: Selection, scores: Sequence[float]) -> list[float]:
    """What the rule takes the first maximum of, by epoch: NaN where the score is."""
    if rule == "best":
        return list(scores)
    values = range(len(scores)) if rule == "last" else [_median_around(scores, i) for i in range(len(scores))]
    return [math.nan if math.isnan(score) else value for score, value in zip(scores, values, strict=True)]


def _median_around(scores: Sequence[float], i: int) -> float:
    near = [score for score in scores[max(0, i - REACH) : i + REACH + 1] if not math.isnan(score)]
    return median(near) if near else math.nan


def _first_best(values: Sequence[float]) -> int | None:
    known = [value for value in values if not math.isnan(value)]
    return values.index(max(known)) + 1 if known else None
