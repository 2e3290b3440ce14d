"""Sessions held out in turn: the runs of a seed's folds, pooled into one whose test set is every utterance, once."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from reports.evidence.omitted import Omitted
from reports.measures.calibration import expected_error
from reports.measures.classes import class_scores
from reports.measures.outcomes import fold_outcome
from reports.reading.runs import SESSIONS, Run
from reports.statistics.counts import margins, weighted_f1

_NUMBERS = ("three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, eq=False)
class PooledRun(Run):
    """A seed's complete set of folds as one run: its scores are of all their test predictions together.

    `result` has the scores at three epochs of every fold: the one that it selected, the last, its best on the test set;
    epochs and validation scores are means over folds, times sums.
    """

    folds: tuple[Run, ...]

    @property
    def parts(self) -> tuple[Run, ...]:
        """The runs of the folds, by test session."""
        return self.folds


def pool(runs: Iterable[Run]) -> tuple[tuple[PooledRun, ...], tuple[Omitted, ...]]:
    """The pooled runs of all complete sets of folds, and the runs of sets that are not, with what these lack.

    Other runs are left out. Raises ReportError where a run's files of predictions are damaged.
    """
    by_set: dict[tuple[str, int], list[Run]] = {}
    for run in sorted((run for run in runs if run.protocol == SESSIONS), key=lambda r: (r.group, r.seed, r.fold)):
        by_set.setdefault((run.group, run.seed), []).append(run)
    complete = [folds for folds in by_set.values() if not _missing(folds)]
    incomplete = sorted((folds for folds in by_set.values() if _missing(folds)), key=lambda folds: _place(folds[0]))
    omitted = [_omitted(list(sets)) for _, sets in groupby(incomplete, key=lambda folds: _place(folds[0])[:2])]
    return tuple(_pooled(folds) for folds in complete), tuple(omitted)


def setting(run: Run) -> str:
    """What pages call the data set of a fold, so that it is never taken for the one with the published split."""
    count = len(run.sessions)
    number = _NUMBERS[count - 3] if count < 3 + len(_NUMBERS) else str(count)
    return f"{run.dataset}, {number} sessions held out in turn"


def _missing(folds: Sequence[Run]) -> list[str]:
    """The sessions that no finished run of the set has as its test set."""
    return [session for session in folds[0].sessions if session not in {run.fold for run in folds}]


def _place(run: Run) -> tuple[str, str, str, int]:
    return setting(run), run.budget, run.label, run.seed


def _omitted(sets: Sequence[Sequence[Run]]) -> Omitted:
    """The sets of folds of one budget that lack some."""
    first = sets[0][0]
    return Omitted(
        setting(first),
        first.budget,
        sum(map(len, sets)),
        tuple(dict.fromkeys(folds[0].label for folds in sets)),
        tuple(
            f"{folds[0].label}, seed {folds[0].seed}: no finished run with {' or '.join(_missing(folds))} as the test "
            "session, and an incomplete set of folds has no pooled score; the same command makes what is missing"
            for folds in sets
        ),
    )


def _pooled(folds: Sequence[Run]) -> PooledRun:
    first, data = folds[0], dict(folds[0].manifest["data"])
    for what in ("conversations", "utterances"):
        data[what] = {"test": sum(run.manifest["data"].get(what, {}).get("test", 0) for run in folds)}
    return PooledRun(
        first.folder,
        {**first.spec, "dataset": setting(first)},
        {**first.manifest, "created": min(folds, key=lambda run: run.created).manifest["created"], "data": data},
        _result(folds),
        tuple(folds),
    )


def _result(folds: Sequence[Run]) -> dict[str, Any]:
    classes = len(folds[0].manifest["data"]["classes"])
    outcomes = [fold_outcome(run, classes) for run in folds]
    where = ("selected", "last", "peak_test")
    result: dict[str, Any] = {
        name: scores(np.sum([outcome.confusions[name] for outcome in outcomes], axis=0))
        | {"epoch": _mean(folds, name, "epoch")}
        for name in where
    }
    utterances = np.array([outcome.confusions["selected"].sum() for outcome in outcomes])
    result["selected"] |= {
        score: float(np.average([run.number("selected", score) for run in folds], weights=utterances))
        for score in ("nll", "brier")
    } | {"ece": expected_error(np.sum([outcome.reliability for outcome in outcomes], axis=0))}
    result["validation"] = {name: _mean(folds, "validation", name) for name in ("epoch", "weighted_f1")}
    digests = [run.weights_digest for run in folds]
    return result | {
        "diverged": any(run.result["diverged"] for run in folds),
        "timings": _sums([run.result["timings"] for run in folds]),
        "digests": {"weights": None if None in digests else hashlib.sha256(repr(digests).encode()).hexdigest()},
    }


def scores(confusion: np.ndarray) -> dict[str, Any]:
    """Scores of counts [C, C] (rows: label, columns: predicted), named and defined as those in result.json."""
    f1 = class_scores(confusion).f1 / 100
    return {
        "accuracy": float(np.trace(confusion) / confusion.sum()),
        "weighted_f1": float(weighted_f1(margins(confusion))),
        "macro_f1": float(np.nanmean(f1)),
        "per_class_f1": [None if np.isnan(value) else float(value) for value in f1],
        "confusion": confusion.tolist(),
    }


def _mean(folds: Sequence[Run], *names: str) -> float:
    return float(np.mean([run.number(*names) for run in folds]))


def _sums(objects: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(each.get(name, 0.0) for each in objects) for name in objects[0]}
