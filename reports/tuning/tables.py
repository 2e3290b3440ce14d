"""The tables of tuning: the best settings with what is known of them, and what was spent for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.statistics import Summary, summarize
from reports.tables.model import Listing, Table, listing
from reports.text import MISSING, counted, number
from reports.tuning.budgets import interval
from reports.tuning.scales import in_words
from reports.tuning.studies import Trial
from reports.tuning.subjects import SELECTED, FinalRuns, Subject, cost_of, mean_of, score, validation

BEST = 10
NOTE = (
    "Weighted F1 in %, mean [95 % CI] over the tuning seeds by Student's t. Settings were ranked by validation alone. "
    "The interval of a setting that was chosen for being high is optimistic: it is the best of many on these very "
    "seeds (winner's curse), and no interval here allows for that. Test: the same runs' score on test data, not used "
    "by the search; it is no result either, since a reader could choose by it. Final runs, on seeds that no search "
    "saw, are in the comparisons too; their difference is paired by seed."
)


def best_settings(subject: Subject) -> Table:
    """The ten best complete trials and the default one (or the Pareto front); every trial in the CSV file."""
    several = len(subject.goals) > 1
    ranked = subject.front if several else sorted(subject.complete, key=score, reverse=True)[:BEST]
    rows = list(ranked)
    if subject.default is not None and not any(subject.default is trial for trial in rows):
        rows.append(subject.default)
    names = [p.name for p in subject.searched]
    more = [o.name for o in subject.goals[1:]]
    header = ("trial", "", *names, "n", "validation", *more, "test (not used)")
    title = "Pareto front, the highest validation score first" if several else f"Best of {len(subject.complete)} trials"
    listings = [listing(title, header, [_row(subject, trial, names) for trial in rows])] if rows else []
    if subject.final:
        listings.append(_final(subject))
    return Table(
        name="tuning",
        title="Settings",
        note=NOTE,
        data=subject.data,
        dataset=subject.name,
        sentences=tuple(findings(subject)),
        listings=tuple(listings),
        frame=pd.DataFrame([_record(subject, trial) for study in subject.studies for trial in study.trials]),
    )


def findings(subject: Subject) -> list[str]:
    """What was searched, what came of it, and what is left of it on other seeds, in sentences."""
    counts = {state: sum(t.state == state for t in subject.trials) for state in ("pruned", "failed", "running")}
    told = "".join(f", {count} {state}" for state, count in counts.items() if count)
    aside = " Pruned trials are in no mean." if counts["pruned"] else ""
    sentences = [f"{counted(len(subject.trials), 'trial')}: {len(subject.complete)} complete{told}.{aside}"]
    best, default = subject.best, subject.default
    if default is None and subject.complete:
        sentences.append(f"The {subject.default_name} is not among the complete trials.")
    if best is not None and best is default:
        sentences.append(f"The search found nothing better on validation than the {subject.default_name}.")
    elif best is not None:
        gain = (
            "" if default is None else f", {number(100 * (score(best) - score(default)), 1)} points above the default"
        )
        sentences.append(
            f"Chosen: trial {subject.called(best)}, {interval(validation(best), 1, 100)} % on validation{gain}: "
            f"optimistic, as the best of {len(subject.complete)} on the seeds that chose it."
        )
    if missing := sum(run.key not in subject.runs for trial in subject.complete for run in trial.runs):
        count = counted(missing, "run of a complete trial is", "runs of complete trials are")
        sentences.append(f"{count} no longer in the store: test scores lack {'it' if missing == 1 else 'them'}.")
    for study, final in subject.final:
        d = final.difference
        where = f" ({study.name})" if len(subject.studies) > 1 else ""
        if d.n:
            spread = f" [{number(d.interval.low, 2)}, {number(d.interval.high, 2)}]" if d.n > 1 else ""
            sentences.append(
                f"On seeds that the search did not see{where}: tuned minus default is {number(d.mean, 2)}{spread} "
                f"points of test F1 over {counted(d.n, 'common seed')}. This is the figure to quote."
            )
        else:
            sentences.append(
                f"On seeds that the search did not see{where} there are tuned runs, but no default ones beside them."
            )
    if not subject.final and best is not default:
        sentences.append("What it chose has not been run on other seeds yet, so there is no figure to quote.")
    return sentences


def _row(subject: Subject, trial: Trial, names: Sequence[str]) -> tuple[str, ...]:
    seen = validation(trial)
    assert trial.values is not None
    return (
        subject.called(trial),
        ", ".join(_marks(subject, trial)),
        *(in_words(trial.params[name]) if name in trial.params else MISSING for name in names),
        str(seen.n),
        interval(seen, 1, 100),
        *(number(value, 3 if abs(value) < 10 else 1) for value in trial.values[1:]),
        interval(subject.test(trial), 1, 100),
    )


def _marks(subject: Subject, trial: Trial) -> list[str]:
    return [
        *(["chosen"] if trial is subject.best else []),
        *(["front"] if any(trial is t for t in subject.front) else []),
        *(["default"] if trial is subject.default else []),
    ]


def _final(subject: Subject) -> Listing:
    several = len(subject.final) > 1
    rows = []
    for study, final in subject.final:
        difference = final.difference
        for name, runs in (("tuned", final.tuned), ("default", final.default)):
            if not runs:
                continue
            test = summarize(np.array([run.number(*SELECTED) for run in runs]))
            rows.append(
                (
                    f"{study.name}, {name}" if several else name,
                    runs[0].label,
                    str(test.n),
                    number(100 * mean_of(runs, "validation", "weighted_f1"), 1),
                    interval(test, 1, 100),
                    _difference(final) if name == "tuned" and difference.n else MISSING,
                )
            )
    header = ("settings", "method", "n", "validation", "test", "tuned − default, points")
    return listing("Final runs, on seeds that no search saw", header, rows)


def _difference(final: FinalRuns) -> str:
    d = final.difference
    return number(d.mean, 2) + (f" [{number(d.interval.low, 2)}, {number(d.interval.high, 2)}]" if d.n > 1 else "")


def _record(subject: Subject, trial: Trial) -> dict[str, Any]:
    """A trial in the CSV file: fractions and seconds; means only where it is complete."""
    cost, test = cost_of([trial]), subject.test(trial)
    row: dict[str, Any] = {
        "dataset": subject.first.dataset,
        "data": subject.data_origin.kind if subject.data_origin else subject.first.data["kind"],
        "study": trial.study,
        "method": subject.first.label,
        "trial": trial.number,
        "state": trial.state,
        "chosen": trial is subject.best,
        "front": any(trial is t for t in subject.front),
        "default": dict(trial.params) == dict(subject.first.default),
        "runs": cost.runs,
        "epochs": cost.epochs,
        "seconds": cost.seconds,
    }
    if trial.complete:
        assert trial.values is not None
        row |= {f"validation_{part}": value for part, value in _parts(validation(trial)).items()}
        row |= {f"test_{part}": value for part, value in _parts(test).items()}
        row |= {f"goal_{o.name}": v for o, v in zip(subject.goals[1:], trial.values[1:], strict=True)}
    return row | {f"param_{name}": value for name, value in trial.params.items()}


def _parts(summary: Summary) -> dict[str, float]:
    return {part: getattr(summary, part) for part in ("n", "mean", "sd", "low", "high")}
