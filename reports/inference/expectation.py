"""How many seeds a family that is followed is going to take, from the spread of runs that are there."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from reports.inference.looks import groups_of
from reports.reading.preregistration import Pair, preregistration_of
from reports.reading.runs import Run, read_validated
from reports.statistics.sequential import follow

FAMILIES = 60
RESAMPLES = 499
CORRELATION = 0.5
"""Between the differences of one method and its rivals: half of the variance is the method's own."""
LEAST = 3
"""The fewest seeds whose sd is worth anything here."""


def expected_seeds(store: Path, declared: Mapping[str, Any]) -> dict[str, float] | None:
    """The mean number of seeds of every method's group, if every true difference were the margin.

    Families of normal differences are simulated and followed. Their sd is that of runs on the same data set under the
    same labels, whatever their settings; None where a comparison has fewer than three such seeds. declared: what a
    preregistration says.
    """
    plan = preregistration_of(declared, store / "preregistrations" / "planned.json")
    assert plan.design is not None
    runs = read_validated(store)[0]
    scores = _scores(runs)
    sds = [_sd(scores, pair) for pair in plan.pairs]
    if any(sd is None for sd in sds):
        return None
    seeds, comparisons = plan.design.looks[-1], len(plan.pairs)
    groups = np.stack([groups_of(pair, plan.order[:seeds], runs) for pair in plan.pairs], axis=1)
    rng = np.random.default_rng(0)
    counts: dict[str, list[int]] = {}
    for _ in range(FAMILIES):
        alone, common = rng.standard_normal((seeds, comparisons)), rng.standard_normal((seeds, 1))
        unit = np.sqrt(CORRELATION) * common + np.sqrt(1 - CORRELATION) * alone
        differences = unit * np.array(sds, dtype=float) + plan.margin
        ends = follow(differences, plan.design, rng, RESAMPLES, groups=groups)[-1].comparisons
        needed: dict[str, int] = {}
        for pair, end in zip(plan.pairs, ends, strict=True):
            for group, _ in (pair.a, pair.b):
                needed[group] = max(needed.get(group, 0), end.seeds)
        for group, number in needed.items():
            counts.setdefault(group, []).append(number)
    return {group: float(np.mean(numbers)) for group, numbers in counts.items()}


def _scores(stored: Iterable[Run]) -> dict[tuple[str, str], dict[int, float]]:
    """Points of weighted F1 by data set and label, then by seed: of the group with the most seeds."""
    runs = sorted(stored, key=_name)
    scores: dict[tuple[str, str], dict[int, float]] = {}
    for (dataset, label, _), members in groupby(runs, key=_name):
        by_seed = {run.seed: 100 * run.number("selected", "weighted_f1") for run in members}
        if len(by_seed) > len(scores.get((dataset, label), ())):
            scores[dataset, label] = by_seed
    return scores


def _name(run: Run) -> tuple[str, str, str]:
    return run.dataset, run.label, run.group


def _sd(scores: Mapping[tuple[str, str], Mapping[int, float]], pair: Pair) -> float | None:
    a, b = (scores.get((pair.dataset, label), {}) for _, label in (pair.a, pair.b))
    differences: Sequence[float] = [a[seed] - b[seed] for seed in a.keys() & b.keys()]
    return float(np.std(differences, ddof=1)) if len(differences) >= LEAST else None
