"""What the page of tuning is about: one study, or the studies of one method in a fair comparison, joined with runs."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from reports.evidence.data_origin import DataOrigin, data_origin
from reports.reading.folders import run_folders
from reports.reading.runs import Run, StoredRuns, read_runs
from reports.statistics import PairedComparison, Summary, mean_known, paired_comparison, summarize
from reports.tuning.studies import Goal, Parameter, Study, Trial, read_studies

SELECTED = ("selected", "weighted_f1")


@dataclass(frozen=True)
class Cost:
    """What trials cost, in training seconds too; a run counts once, since what is drawn again is not run again."""

    trials: int
    runs: int
    epochs: float
    seconds: float


@dataclass(frozen=True, eq=False)
class FinalRuns:
    """A study's best settings on seeds that no search saw, beside the default ones; runs of one group each."""

    tuned: tuple[Run, ...]
    default: tuple[Run, ...]

    @cached_property
    def difference(self) -> PairedComparison:
        """Tuned minus default in test weighted F1, in points, paired by seed."""
        return paired_comparison(*(_by_seed(runs, *SELECTED) for runs in (self.tuned, self.default)))


@dataclass(frozen=True, eq=False)
class Subject:
    """The studies of one method that are shown together, equal in all but their draws; `runs`: the trials' by key."""

    studies: tuple[Study, ...]
    runs: Mapping[str, Run]
    final: tuple[tuple[Study, FinalRuns], ...]

    @property
    def first(self) -> Study:
        """Method, data, space and goals are the same in all of them."""
        return self.studies[0]

    @property
    def by_index(self) -> dict[int, Study]:
        """The studies by their place in a fair comparison: those of one place share their draws."""
        return {study.fair.index: study for study in self.studies if study.fair is not None}

    @property
    def name(self) -> str:
        """What the page calls it."""
        if len(self.studies) == 1:
            return self.first.name
        return f"{self.first.dataset}/{self.first.label}/{self.first.preset}, {len(self.studies)} fair studies"

    @property
    def slug(self) -> str:
        """The subject's part of a file's name, and its id; no two subjects share it."""
        whose = hashlib.sha256("\n".join(study.name for study in self.studies).encode()).hexdigest()[:6]
        return re.sub(r"[^\w.-]+", "-", self.name).strip("-") + f"-{whose}"

    @cached_property
    def data_origin(self) -> DataOrigin | None:
        """Origin of the data; None where no run is left to tell it."""
        run = next((self.runs[run.key] for trial in self.trials for run in trial.runs if run.key in self.runs), None)
        return data_origin(run) if run is not None else None

    @property
    def data(self) -> str:
        """A clause for captions and figure titles."""
        if self.data_origin is not None:
            return self.data_origin.short
        kind = "SIMULATED DATA" if self.first.data["kind"] == "simulated" else "Real conversations"
        return f"{kind} ({self.first.dataset})"

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """All trials; the default setting, with which every study begins, once."""
        return (*self.first.trials, *(trial for study in self.studies[1:] for trial in study.drawn))

    @property
    def complete(self) -> tuple[Trial, ...]:
        """The trials that have values."""
        return tuple(trial for trial in self.trials if trial.complete)

    @property
    def searched(self) -> tuple[Parameter, ...]:
        """The parameters of the space."""
        return tuple(self.first.space.values())

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The validation score first."""
        return self.first.goals

    @property
    def default(self) -> Trial | None:
        """The complete trial of the default setting."""
        return next((t for t in self.complete if dict(t.params) == dict(self.first.default)), None)

    @property
    def default_name(self) -> str:
        """What the default setting is."""
        return "published setting" if self.first.preset == "paper" else f"default setting (preset {self.first.preset})"

    @cached_property
    def best(self) -> Trial | None:
        """What the search chose, on validation alone; the earliest of equals. None with several goals."""
        chosen = [t for study in self.studies for t in study.trials if t.number == study.best and t.complete]
        return max(chosen, key=score) if chosen else None

    @cached_property
    def front(self) -> tuple[Trial, ...]:
        """Trials that no other one beats in all goals, the best score first."""
        trials = [t for study in self.studies for t in study.trials if t.number in study.front and t.complete]
        return tuple(sorted(trials, key=score, reverse=True))

    def called(self, trial: Trial) -> str:
        """A trial's number, with its study where there are several."""
        index = [study.name for study in self.studies].index(trial.study)
        return f"{trial.number}" if len(self.studies) == 1 else f"{index}:{trial.number}"

    def test(self, trial: Trial) -> Summary:
        """Test weighted F1 over the trial's seeds: known to the report alone, not to the search."""
        scores = [self.runs[run.key].number(*SELECTED) for run in trial.runs if run.key in self.runs]
        return summarize(np.array(scores, dtype=float))


@dataclass(frozen=True, eq=False)
class Group:
    """Methods that were given the same search: the reference first."""

    id: str
    subjects: tuple[Subject, ...]

    @property
    def name(self) -> str:
        """What the page calls it."""
        study = self.subjects[0].first
        return f"Fair comparison on {study.dataset}, preset {study.preset}"

    @property
    def slug(self) -> str:
        """The comparison's part of a file's name, and its id."""
        return "fair-" + re.sub(r"[^\w.-]+", "-", self.id)


def score(trial: Trial) -> float:
    """The trial's validation score, mean over its seeds. Of a complete trial."""
    assert trial.values is not None
    return trial.values[0]


def validation(trial: Trial) -> Summary:
    """Validation weighted F1 over the seeds that were run."""
    return summarize(np.array([run.validation for run in trial.runs], dtype=float))


def cost_of(trials: Sequence[Trial]) -> Cost:
    """What trials cost, pruned and failed ones too."""
    runs = {run.key: run for trial in trials for run in trial.runs}.values()
    epochs, seconds = ([getattr(run, name) for run in runs] for name in ("epochs", "seconds"))
    return Cost(len(trials), len(runs), float(np.nansum(epochs)), float(np.nansum(seconds)))


def mean_test(subject: Subject, trials: Sequence[Trial]) -> np.ndarray:
    """Mean test score of each trial; NaN where no run of it is left."""
    return np.array([subject.test(trial).mean for trial in trials], dtype=float)


def mean_of(runs: Sequence[Run], *names: str) -> float:
    """Mean of a number over runs."""
    return mean_known(np.array([run.number(*names) for run in runs], dtype=float))


def collect(
    store: Path, records: StoredRuns, keys: Collection[str] | None
) -> tuple[tuple[Group, ...], tuple[Subject, ...]]:
    """Fair comparisons, and all subjects: of the whole store, or those that the runs of `keys` belong to."""
    studies = read_studies(store)
    if keys is not None:
        named = {run.tuned["study"] for run in records.runs if run.tuned}
        studies = tuple(s for s in studies if s.name in named or not _keys(s).isdisjoint(keys))
    runs = {run.key: run for run in (*records.runs, *records.tuning)}
    wanted = set().union(*map(_keys, studies)) - set(runs)
    beside, _ = read_runs(f for f in run_folders(store, wanted) if (f / "result.json").is_file())
    runs |= {run.key: run for run in beside}
    members: dict[tuple[str, str, str], list[Study]] = {}
    for study in studies:
        fair = ("", study.name, "") if study.fair is None else (study.fair.group, study.dataset, study.label)
        members.setdefault(fair, []).append(study)
    subjects: list[Subject] = []
    groups: dict[tuple[str, str], list[Subject]] = {}
    for key, searches in members.items():
        searches.sort(key=lambda study: study.fair.index if study.fair else 0)
        finals = [(study, final) for study in searches if (final := _final(study, records.runs)) is not None]
        subject = Subject(tuple(searches), runs, tuple(finals))
        subjects.append(subject)
        if key[0]:
            groups.setdefault((key[0], key[1]), []).append(subject)
    return tuple(
        Group(f"{group}-{dataset}", tuple(sorted(compared, key=lambda s: (s.first.label != "css", s.first.label))))
        for (group, dataset), compared in groups.items()
    ), tuple(subjects)


def _keys(study: Study) -> set[str]:
    return {run.key for trial in study.trials for run in trial.runs}


def _final(study: Study, runs: Sequence[Run]) -> FinalRuns | None:
    """The newest group of validated runs with this study's settings, and the default's under the same budget."""
    validated = [run for run in runs if run.dataset == study.dataset and run.protocol == "validated"]
    tuned = [run for run in validated if run.tuned and run.tuned["study"] == study.name]
    if not tuned:
        return None
    newest = max(tuned, key=lambda run: run.created)
    return FinalRuns(
        tuple(run for run in tuned if run.group == newest.group),
        tuple(r for r in validated if not r.tuned and r.label == study.label and r.budget == newest.budget),
    )


def _by_seed(runs: Sequence[Run], *names: str) -> Any:
    import pandas as pd

    return pd.Series({run.seed: 100 * run.number(*names) for run in runs}, dtype=float)
