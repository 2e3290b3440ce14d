"""Reads the studies of a store: format 1 of docs/run-format.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, log
from pathlib import Path
from typing import Any

from reports.errors import ReportError
from reports.reading.documents import check, document
from reports.reading.runs import FORMAT

STATES = ("complete", "pruned", "failed", "running")
KINDS = ("int", "float", "categorical")
_STUDY = {
    **dict.fromkeys(("name", "dataset", "preset", "budget", "method", "label", "sampler"), str),
    **{"data": dict, "seeds": list, "objectives": list, "space": dict, "default": dict, "trials": list},
}
_TRIAL = {"number": int, "state": str, "params": dict, "runs": list}
_RUN = {"seed": int, "key": str}
_FAIR = {"group": str, "index": int, "of": int}


@dataclass(frozen=True)
class Parameter:
    """A searched setting: a range from `low` to `high` (both included), or `choices`."""

    name: str
    kind: str
    low: float
    high: float
    log: bool
    step: float | None
    choices: tuple[Any, ...]

    @property
    def continuous(self) -> bool:
        """A number with so many values that two trials seldom share one."""
        return self.kind == "float" or (self.kind == "int" and self.high - self.low >= 16)

    def holds(self, value: Any) -> bool:
        """Whether a trial of the search could have had this value; a default given beforehand may lie outside."""
        return value in self.choices if self.kind == "categorical" else self.low <= value <= self.high

    def position(self, value: Any) -> float:
        """Where the value lies between the ends of the range, 0 to 1 (for log ranges by logarithm)."""
        if self.kind == "categorical":
            return self.choices.index(value) / max(1, len(self.choices) - 1)
        low, high, at = (log(v) if self.log else v for v in (self.low, self.high, value))
        return (at - low) / (high - low) if high > low else 0.5


@dataclass(frozen=True)
class Goal:
    """What was optimised: `weighted_f1` (validation, mean over seeds), `volatility` or `seconds`."""

    name: str
    maximize: bool


@dataclass(frozen=True)
class TrialRun:
    """One run of a trial; a number that is not known is NaN. validation: weighted F1, a fraction."""

    seed: int
    key: str
    validation: float
    seconds: float
    epochs: float


@dataclass(frozen=True, eq=False)
class Trial:
    """One setting that was tried, of the study named; `values` (one a goal) only where it is complete."""

    study: str
    number: int
    state: str
    params: Mapping[str, Any]
    values: tuple[float, ...] | None
    runs: tuple[TrialRun, ...]

    @property
    def complete(self) -> bool:
        """Whether all its seeds were run and it has values that may be compared."""
        return self.values is not None


@dataclass(frozen=True)
class Fair:
    """A study's place in a comparison of methods that were given the same search."""

    group: str
    index: int
    planned: int


@dataclass(frozen=True, eq=False)
class Study:
    """One search."""

    name: str
    dataset: str
    preset: str
    budget: str
    data: Mapping[str, Any]
    label: str
    seeds: tuple[int, ...]
    sampler: str
    pruner: str | None
    goals: tuple[Goal, ...]
    space: Mapping[str, Parameter]
    default: Mapping[str, Any]
    fair: Fair | None
    trials: tuple[Trial, ...]
    best: int | None
    front: tuple[int, ...]

    @property
    def drawn(self) -> tuple[Trial, ...]:
        """The trials that the sampler drew: all but the first where that is the default setting."""
        return tuple(t for t in self.trials if t.number or dict(t.params) != dict(self.default))


def read_studies(store: Path) -> tuple[Study, ...]:
    """The studies of a store, by name. Raises ReportError on a damaged file or another format."""
    studies = [_read(path) for path in sorted((store / "studies").glob("*.json"))]
    return tuple(sorted(studies, key=lambda study: study.name))


def damaged(path: Path, cause: str) -> ReportError:
    """The error that names a study's file, what is wrong with it, and the remedy."""
    return ReportError(
        f"cannot use {path}: {cause}; delete it and call the same cssbench tune again, which keeps finished trials"
    )


def _read(path: Path) -> Study:
    content = document(path, {"format": int}, damaged)
    if content["format"] != FORMAT:
        raise ReportError(
            f"{path} has format {content['format']}, this version reads {FORMAT}: use the css-bench version that wrote "
            "it, or delete the file"
        )
    check(content, _STUDY, path, refuse=damaged)
    try:
        return _study(content, path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path, repr(error)) from error


def _study(content: Mapping[str, Any], path: Path) -> Study:
    fair = content["fair"]
    if fair is not None:
        check(fair, _FAIR, path, "fair.", damaged)
    goals = tuple(Goal(o["name"], o["direction"] == "maximize") for o in content["objectives"])
    if not goals or goals[0] != Goal("weighted_f1", True):
        raise damaged(path, "its first objective is not to maximise weighted_f1")
    if content["data"]["kind"] not in ("real", "simulated"):
        raise damaged(path, f"data.kind is {content['data']['kind']!r}")
    trials = [_trial(t, content["name"], len(goals), path) for t in content["trials"]]
    return Study(
        name=content["name"],
        dataset=content["dataset"],
        preset=content["preset"],
        budget=content["budget"],
        data=content["data"],
        label=content["label"],
        seeds=tuple(content["seeds"]),
        sampler=content["sampler"],
        pruner=content["pruner"],
        goals=goals,
        space={name: _parameter(name, p, path) for name, p in content["space"].items()},
        default=content["default"],
        fair=None if fair is None else Fair(fair["group"], fair["index"], fair["of"]),
        trials=tuple(sorted(trials, key=lambda t: t.number)),
        best=content["best"],
        front=tuple(content["front"] or ()),
    )


def _parameter(name: str, fields: Mapping[str, Any], path: Path) -> Parameter:
    if fields["kind"] not in KINDS:
        raise damaged(path, f"space.{name}.kind is {fields['kind']!r}")
    low, high = (0.0, 0.0) if fields["kind"] == "categorical" else (fields["low"], fields["high"])
    choices = tuple(fields.get("choices") or ())
    return Parameter(
        name=name,
        kind=fields["kind"],
        low=low,
        high=high,
        log=bool(fields.get("log")),
        step=fields.get("step"),
        choices=choices,
    )


def _trial(fields: Mapping[str, Any], study: str, goals: int, path: Path) -> Trial:
    check(fields, _TRIAL, path, "trials.", damaged)
    number, state, values = fields["number"], fields["state"], fields["values"]
    if state not in STATES:
        raise damaged(path, f"trial {number} has state {state!r}")
    if state == "complete":
        if not isinstance(values, list) or len(values) != goals or not all(isfinite(v) for v in values):
            raise damaged(path, f"trial {number} is complete and has values {values!r}")
        values = tuple(map(float, values))
    else:
        values = None
    runs = []
    for run in fields["runs"]:
        check(run, _RUN, path, f"trial {number}, run ", damaged)
        runs.append(TrialRun(run["seed"], run["key"], *(_number(run[n]) for n in ("validation", "seconds", "epochs"))))
    return Trial(study, number, state, fields["params"], values, tuple(runs))


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
