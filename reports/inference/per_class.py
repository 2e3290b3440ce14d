"""F1 by class: means over seeds, and what the reference method gains on every other one."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Int

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method, are_paired
from reports.inference.contrasts import reference
from reports.measures.classes import class_scores
from reports.statistics import Summary, summarize
from reports.statistics.effects import Interval
from reports.statistics.groups import mean_interval


@dataclass(frozen=True, eq=False)
class MethodClasses:
    """One method.

    Attributes:
        label: the method. n: its runs.
        f1: by class in %, over seeds; a class without a test utterance has no finite value.
        never: by class, in how many runs it is never predicted.
        gains: by class what the reference has more, in points, over common seeds: the mean and its 95 % interval. None
            of the reference itself, and where seeds are not paired.
    """

    label: str
    n: int
    f1: tuple[Summary, ...]
    never: Int[np.ndarray, " C"]
    gains: tuple[tuple[float, Interval], ...] | None


@dataclass(frozen=True, eq=False)
class PerClass:
    """The classes of one data set, their test utterances, the `reference`, and the methods with an outcome."""

    classes: tuple[str, ...]
    utterances: Int[np.ndarray, " C"]
    reference: str
    methods: tuple[MethodClasses, ...]


@lru_cache(maxsize=4)  # a table and a figure ask
def per_class(evidence: Evidence) -> PerClass:
    """Scores by class at the selected epoch. Differences hold one at a time: they are in no verdict."""
    comparison, first = evidence.comparison, reference(evidence.comparison)
    members = comparison.shown
    seeds = {m.label: np.array([run.seed for run in m.runs]) for m in members}
    scores = {m.label: class_scores(evidence.counts(m.label, [*seeds[m.label]]).sum(axis=1)) for m in members}

    def gains(method: Method) -> tuple[tuple[float, Interval], ...]:
        common, ours, theirs = np.intersect1d(seeds[first.label], seeds[method.label], return_indices=True)
        differences = scores[first.label].f1[ours] - scores[method.label].f1[theirs]
        sessions = comparison.sessions_of(first, method)
        groups = common % sessions if sessions else ()
        return tuple(mean_interval(of_class, groups) for of_class in differences.T)

    methods = tuple(
        MethodClasses(
            label=m.label,
            n=len(m.runs),
            f1=tuple(summarize(values, comparison.groups_of(m, seeds[m.label])) for values in scores[m.label].f1.T),
            never=(scores[m.label].predicted == 0).sum(axis=0),
            gains=gains(m) if are_paired(first, m) and m.label != first.label else None,
        )
        for m in members
    )
    utterances = scores[first.label].utterances[0].astype(int)
    return PerClass(tuple(comparison.classes), utterances, first.label, methods)
