"""What forbids a verdict on two methods, whatever their numbers: runs that are the same, failed, or learned nothing."""

from collections.abc import Sequence

import numpy as np

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.plans import Standing
from reports.reading.runs import Run
from reports.statistics import Judgement, Verdict, overruled

Obstacle = tuple[Verdict, str]
"""The verdict that takes the place of any other, and why."""


def sound(judgement: Judgement, label: str, obstacle: Obstacle | None) -> Judgement:
    """The judgement itself, or what takes its place."""
    return judgement if obstacle is None else overruled(judgement, label, *obstacle)


def obstacle(
    evidence: Evidence, a: Method, b: Method, standing: Standing, *, refit: bool = False, learned: bool = True
) -> Obstacle | None:
    """The first thing that forbids a verdict on a and b; None where nothing does.

    refit: whether their refits are compared. learned: whether runs that learned nothing forbid it, as everywhere but in
    claims about divergence itself.
    """
    if seeds := same_runs(a, b):
        where = "the seed that both have" if seeds == 1 else f"all {seeds} seeds that both have"
        equal = "have equal predictions" if a.imported else "end with equal weights"
        why = f"these are the same runs: {a.label} and {b.label} {equal} in {where}"
        return Verdict.NOT_TESTABLE, why
    if standing.obstacle is not None:
        return standing.obstacle
    if learned and (counts := _learned_nothing(evidence, (a, b), refit)):
        why = (
            f"{' and '.join(counts)} learned nothing (diverged, not finite, or no better than the most frequent class)"
        )
        return Verdict.NOT_TESTABLE, why
    return None


def same_runs(a: Method, b: Method) -> int:
    """The number of common seeds, if the two have the same weights to the bit in all of them; else 0.

    Of two imports, the same predictions; an import and a run of this suite have nothing that could be compared.
    """
    first, second = ({run.seed: _digest(run) for run in method.runs} for method in (a, b))
    shared = first.keys() & second.keys()
    same = all(first[seed] is not None and first[seed] == second[seed] for seed in shared)
    return len(shared) if same else 0


def _digest(run: Run) -> str | None:
    return str(run.spec["imported"]["predictions"]) if run.protocol == "imported" else run.weights_digest


def _learned_nothing(evidence: Evidence, methods: Sequence[Method], refit: bool) -> list[str]:
    """`6 of 8 runs of concat`, for every method with such runs."""
    counts = []
    for method in methods:
        values = evidence.values(method.label, "refit_learned" if refit and not method.imported else "learned")
        count = int((values == 0).sum())
        if count:
            known = int(np.isfinite(values.to_numpy(dtype=float)).sum())
            counts.append(f"{count} of {known} {'refits' if refit else 'runs'} of {method.label}")
    return counts
