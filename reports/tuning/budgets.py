"""What was spent and what it bought: curves of one search, and of methods that were given the same search."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from reports.statistics import Summary, expected_best_of, summarize
from reports.text import counted, number
from reports.tuning.studies import Study, Trial
from reports.tuning.subjects import Cost, Group, Subject, cost_of, mean_test, score

ENOUGH = 3  # independent studies a method, below which there is no spread worth an interval


@dataclass(frozen=True)
class Step:
    """After one trial of a study: what has been spent so far, and the best validation score with its test score."""

    number: int
    spent: Cost
    validation: float
    test: float


def course(subject: Subject, study: Study) -> list[Step]:
    """The study trial by trial, those that are still running left out; NaN before the first complete one."""
    steps: list[Step] = []
    best: Trial | None = None
    ended = [t for t in study.trials if t.state != "running"]
    for count, trial in enumerate(ended, start=1):
        if trial.complete and (best is None or score(trial) > score(best)):
            best = trial
        reached = (float("nan"), float("nan")) if best is None else (score(best), subject.test(best).mean)
        steps.append(Step(trial.number, cost_of(ended[:count]), *reached))
    return steps


@dataclass(frozen=True, eq=False)
class MethodCurves:
    """One method in a fair comparison: expected best of k drawn trials, a row a study, a column k = 1 … n.

    `validation` is the score that chooses; `test` the one of the chosen trial, NaN where a run is no longer there.
    """

    subject: Subject
    validation: Float[np.ndarray, "studies n"]
    test: Float[np.ndarray, "studies n"]

    @property
    def label(self) -> str:
        """The method."""
        return self.subject.first.label

    @property
    def default(self) -> tuple[float, float]:
        """Validation and test score of the default setting, over the tuning seeds."""
        trial = self.subject.default
        return (float("nan"), float("nan")) if trial is None else (score(trial), self.subject.test(trial).mean)

    @property
    def drawn(self) -> list[Trial]:
        """All that were drawn, complete or not."""
        return [trial for study in self.subject.studies for trial in study.drawn]

    @property
    def per_trial(self) -> tuple[float, float]:
        """Epochs and seconds that a drawn trial took on average."""
        total = cost_of(self.drawn)
        return total.epochs / max(1, total.trials), total.seconds / max(1, total.trials)


@dataclass(frozen=True, eq=False)
class FairComparison:
    """A fair comparison: the reference first. `n`: trials that every study of every method has at least."""

    group: Group
    methods: tuple[MethodCurves, ...]

    @property
    def n(self) -> int:
        """The largest k that all have."""
        return min(curves.validation.shape[1] for curves in self.methods)

    @cached_property
    def remarks(self) -> list[str]:
        """Whether it is as fair as it says: the same seeds, counts, ranges and draws, and nothing left out."""
        return _remarks(self.group.subjects)

    def difference(self, other: MethodCurves, k: int, where: str) -> Summary:
        """The reference minus another method in points after k trials, paired by study (which share their draws)."""
        left, right = (
            dict(zip(curves.subject.by_index, getattr(curves, where)[:, k - 1], strict=True))
            for curves in (self.methods[0], other)
        )
        return summarize(100 * np.array([left[i] - right[i] for i in left if i in right], dtype=float))


def fair_comparison(group: Group) -> FairComparison | None:
    """Curves of a group; None where a study has no complete drawn trial yet."""
    methods = []
    for subject in group.subjects:
        drawn = [[t for t in study.drawn if t.complete] for study in subject.studies]
        n = min(map(len, drawn))
        if not n:
            return None
        curves = []
        for trials in drawn:
            scores, tests = np.array([score(t) for t in trials]), mean_test(subject, trials)
            known = bool(np.isfinite(tests).all())
            curves.append(
                (
                    expected_best_of(scores)[:n],
                    expected_best_of(scores, tests)[:n] if known else np.full(n, np.nan),
                )
            )
        methods.append(MethodCurves(subject, *(np.array(rows) for rows in zip(*curves, strict=True))))
    return FairComparison(group, tuple(methods))


def _remarks(subjects: Sequence[Subject]) -> list[str]:
    studies = [study for subject in subjects for study in subject.studies]
    counts = {len(study.drawn) for study in studies}
    unfair = []
    if len({study.seeds for study in studies}) > 1:
        unfair.append("the seeds")
    if len(counts) > 1:
        unfair.append(f"the number of trials ({min(counts)} to {max(counts)})")
    shared = set.intersection(*(set(s.first.space) for s in subjects))
    ranges = [name for name in sorted(shared) if len({s.first.space[name] for s in subjects}) > 1]
    draws = [name for name in sorted(shared) if name not in ranges and not _same_draws(subjects, name)]
    unfair += [f"the range of {name}" for name in ranges] + [f"the draws of {name}" for name in draws]
    fewest, asked = min(len(s.studies) for s in subjects), max(study.fair.planned for study in studies if study.fair)
    names = ", ".join(sorted(shared)) or "no parameter"
    remarks = [
        f"NOT the same in all methods: {'; '.join(unfair)}."
        if unfair
        else f"The same in all methods: {', '.join(map(str, studies[0].seeds))} as seeds, "
        f"{counted(min(counts), 'drawn trial')} a study, and the ranges and draws of the shared parameters ({names})."
    ]
    if len({len(s.studies) for s in subjects}) > 1 or fewest < asked:
        remarks.append(f"Unfinished: a method has {fewest} of {asked} studies.")
    if fewest < ENOUGH:
        remarks.append(
            f"Fewer than {ENOUGH} independent studies a method: what follows is one outcome, not an estimate."
        )
    if lost := sum(t.state in ("pruned", "failed") for study in studies for t in study.drawn):
        what = "trial is" if lost == 1 else "trials are"
        remarks.append(
            f"{lost} drawn {what} pruned or failed and in no curve, which flatters the method that lost them."
        )
    return remarks


def _same_draws(subjects: Sequence[Subject], name: str) -> bool:
    """Whether study i of every method tried the same values of a parameter in the same trials."""
    for index in {index for subject in subjects for index in subject.by_index}:
        studies = [subject.by_index[index] for subject in subjects if index in subject.by_index]
        draws = [{t.number: t.params.get(name) for t in study.drawn} for study in studies]
        if any(draw[n] != draws[0][n] for draw in draws[1:] for n in set(draw) & set(draws[0])):
            return False
    return True


def verdicts(t: FairComparison) -> list[str]:
    """Say whether a gain is only more tuning: the reference against the others, untuned and at (un)equal budgets."""
    sentences = []
    first = t.methods[0]
    for other in t.methods[1:]:
        plain = 100 * (first.default[1] - other.default[1])
        tuned = t.difference(other, t.n, "test")
        pair = f"{first.label} − {other.label}"
        sentences.append(
            f"{pair} in test F1: {number(plain, 2)} points with default settings, {interval(tuned, 2)} with the best "
            f"of {t.n} drawn trials each (mean over {tuned.n} {'study' if tuned.n == 1 else 'studies'})."
        )
        curve, aim = other.validation.mean(axis=0), first.default[0]
        if np.isfinite(aim):
            reached = np.flatnonzero(curve > aim)
            sentences.append(
                f"{other.label} is expected to pass the validation score of {first.label} at default settings "
                + (
                    f"with the best of {reached[0] + 1}: by so much tuning alone."
                    if len(reached)
                    else f"with no number of trials up to {len(curve)}."
                )
            )
    return sentences


def interval(summary: Summary, digits: int, scale: float = 1.0) -> str:
    """`0.4 [−0.1, 0.9]`, the mean alone where there is no interval."""
    mean = number(scale * summary.mean, digits)
    if summary.n < 2:
        return mean
    return f"{mean} [{number(scale * summary.low, digits)}, {number(scale * summary.high, digits)}]"
