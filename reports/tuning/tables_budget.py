"""The table of budgets: what searches spent, and what methods under the same search got for it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reports.statistics import summarize
from reports.tables.model import Table, listing
from reports.text import MISSING, number
from reports.tuning.budgets import FairComparison, MethodCurves, course, interval
from reports.tuning.studies import Study
from reports.tuning.subjects import Cost, Subject, cost_of

SPENT_NOTE = (
    "Every trial counts, pruned and failed ones too; a setting that was drawn twice was run once. Time is training "
    "time, summed over runs, and depends on how many shared the machine."
)
FAIR_NOTE = (
    "Weighted F1 in %, mean [95 % CI] over independent studies by Student's t. Best of k: expected score of the trial "
    "with the best validation among k drawn without replacement, in closed form. Epochs and time: k times a drawn "
    "trial's mean. The studies share the tuning seeds and the data, so an interval covers the luck of the draws "
    "alone. Test scores were not used by the search."
)


def budgets(subjects: Sequence[Subject]) -> Table:
    """What every study spent; in the CSV file, trial by trial, with the best so far."""
    studies = [(subject, study) for subject in subjects for study in subject.studies]
    header = ("study", "method", "sampler", "pruner", "trials", *_STATES, "runs", "epochs", "time, h")
    return Table(
        name="tuning_budget",
        title="What was spent",
        note=SPENT_NOTE,
        data="; ".join(dict.fromkeys(subject.data for subject in subjects)),
        dataset="All studies",
        sentences=(),
        listings=(listing("", header, [_spent_row(study) for _, study in studies]),),
        frame=pd.DataFrame([row for subject, study in studies for row in _course_rows(subject, study)]),
    )


_STATES = ("complete", "pruned", "failed", "running")


def _spent_row(study: Study) -> tuple[str, ...]:
    total = cost_of(study.trials)
    states = (str(sum(t.state == state for t in study.trials)) for state in _STATES)
    return (
        study.name, study.label, study.sampler, study.pruner or MISSING, str(total.trials), *states, str(total.runs),
        *_cost(total),
    )  # fmt: skip


def _cost(total: Cost) -> tuple[str, str]:
    return number(total.epochs, 0), number(total.seconds / 3600, 2, tiny=True)


def _course_rows(subject: Subject, study: Study) -> list[dict[str, Any]]:
    head = {"dataset": subject.first.dataset, "study": study.name, "method": study.label, "kind": "so far"}
    return [
        head
        | {"trial": step.number, "k": step.spent.trials, "epochs": step.spent.epochs, "seconds": step.spent.seconds}
        | {"studies": 1, "validation": step.validation, "test": step.test}
        for step in course(subject, study)
    ]


def scores_by_budget(t: FairComparison, remarks: Sequence[str]) -> Table:
    """Scores by method and number of trials, default settings first; every k in the CSV file."""
    first = t.methods[0].label
    header = ("method", "settings", "epochs", "time, h", "validation", "test (not used)", f"test: {first} minus it")
    rows = [row for curves in t.methods for row in _offer_rows(t, curves)]
    subject = t.group.subjects[0]
    return Table(
        name="tuning_budget",
        title="Scores by budget",
        note=FAIR_NOTE,
        data=subject.data,
        dataset=t.group.name,
        sentences=tuple(remarks),
        listings=(listing("", header, rows),),
        frame=pd.DataFrame([row for curves in t.methods for row in _expected_rows(t, curves)]),
    )


def _offer_rows(t: FairComparison, curves: MethodCurves) -> list[tuple[str, ...]]:
    epochs, seconds = curves.per_trial
    plain, test = curves.default
    ahead = t.methods[0].default[1] - test
    default = curves.subject.default
    cost = (MISSING, MISSING) if default is None else _cost(cost_of([default]))
    itself = curves is t.methods[0]
    rows: list[tuple[str, ...]] = [
        (
            curves.label, "default", *cost, number(100 * plain, 1), number(100 * test, 1),
            MISSING if itself else number(100 * ahead, 2),
        )
    ]  # fmt: skip
    for k in _milestones(t.n):
        scores = [summarize(getattr(curves, where)[:, k - 1]) for where in ("validation", "test")]
        difference = MISSING if itself else interval(t.difference(curves, k, "test"), 2)
        spent_on = (number(k * epochs, 0), number(k * seconds / 3600, 2, tiny=True))
        rows.append((curves.label, f"best of {k}", *spent_on, *(interval(s, 1, 100) for s in scores), difference))
    return rows


def _expected_rows(t: FairComparison, curves: MethodCurves) -> list[dict[str, Any]]:
    epochs, seconds = curves.per_trial
    rows = []
    for k in range(1, t.n + 1):
        row: dict[str, Any] = {
            "dataset": curves.subject.first.dataset,
            "study": curves.subject.name,
            "method": curves.label,
            "kind": "expected best of k",
            "k": k,
            "epochs": k * epochs,
            "seconds": k * seconds,
            "studies": len(curves.validation),
        }
        for where in ("validation", "test"):
            summary = summarize(getattr(curves, where)[:, k - 1])
            row |= {where: summary.mean, f"{where}_low": summary.low, f"{where}_high": summary.high}
        rows.append(row)
    return rows


def _milestones(n: int) -> list[int]:
    """1, 2, 5, 10, 20, 50, … and n."""
    steps = [digit * 10**power for power in range(len(str(n))) for digit in (1, 2, 5)]
    return sorted({*(k for k in steps if k <= n), n})
