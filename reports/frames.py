"""The numbers of a report as data frames, for notebooks."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from reports.analysis import Analysis, analyse
from reports.columns import COLUMNS
from reports.columns.units import in_percent
from reports.evidence.evidence import Evidence
from reports.measures.classes import class_scores
from reports.tables.accuracy import accuracy
from reports.tables.claims import claims_table
from reports.tables.comparisons import comparisons
from reports.tables.conflict import conflict
from reports.tables.every_run import every_run
from reports.tables.looks import looks
from reports.tables.model import Table
from reports.tables.stability import stability


@dataclass(frozen=True, eq=False)
class Frames:
    """The numbers of a report. Scores, shares and differences are in per cent (points) in every frame; losses in nats.

    Attributes:
        accuracy, stability, conflict: a row a method on a data set. runs: a row a run.
        comparisons: a row a comparison of two methods on a data set.
        looks: a row a comparison and look, of families that were followed until they were decided.
        claims: a row a part of a claim on a data set.
        per_class: a row a class of a run. history: a row an epoch of a run. probes: a row a gradient probe of a run.

    `Frames.describe("accuracy")` says what every column of a frame means.
    """

    accuracy: pd.DataFrame
    stability: pd.DataFrame
    conflict: pd.DataFrame
    runs: pd.DataFrame
    comparisons: pd.DataFrame
    looks: pd.DataFrame
    claims: pd.DataFrame
    per_class: pd.DataFrame
    history: pd.DataFrame
    probes: pd.DataFrame

    @staticmethod
    def describe(frame: str) -> "pd.Series[str]":
        """What every column of a frame means, a sentence each. Raises KeyError for a frame that there is not."""
        return pd.Series(dict(COLUMNS[frame]), name=frame)


def load(store: Path | str, keys: Collection[str] | None = None) -> Frames:
    """Read a store's runs, or those of `keys`, and return the numbers of their report.

    The report's functions make them, once, so that a frame and the report's CSV file hold the same numbers in
    the same unit. A frame that has no rows has its columns. Raises ReportError as `build` does.
    """
    analysis = analyse(Path(store), keys)
    claims = claims_table(analysis.validated, analysis.claims)
    return Frames(
        accuracy=_summary("accuracy", analysis, accuracy),
        stability=_summary("stability", analysis, stability),
        conflict=_summary("conflict", analysis, conflict),
        runs=_frame("runs", [every_run(analysis.evidence).frame]),
        comparisons=_frame("comparisons", (comparisons(e, analysis.inference).frame for e in analysis.validated)),
        looks=_frame("looks", (looks(e, analysis.inference).frame for e in analysis.validated)),
        claims=_frame("claims", [claims.frame]),
        per_class=_frame("per_class", map(_per_class, analysis.evidence)),
        history=_frame("history", (_of_runs(e, e.history) for e in analysis.evidence)),
        probes=_frame("probes", (_of_runs(e, e.probes) for e in analysis.evidence)),
    )


def _summary(name: str, analysis: Analysis, table: Callable[[Evidence], Table]) -> pd.DataFrame:
    return _frame(name, (table(e).frame for e in analysis.evidence))


def _frame(name: str, parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The parts as one frame in per cent, with the columns that are documented, all of them and in that order."""
    return in_percent(name, _joined(parts).reindex(columns=list(COLUMNS[name])))


def _joined(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    frames = list(parts)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _of_runs(evidence: Evidence, frame: pd.DataFrame) -> pd.DataFrame:
    comparison = evidence.comparison
    return frame.assign(
        dataset=comparison.dataset, data=comparison.data_origin.kind, protocol=comparison.first.protocol
    )


def _per_class(evidence: Evidence) -> pd.DataFrame:
    """F1, precision and recall of every class at the selected epoch of every run that has one."""
    comparison = evidence.comparison
    protocols = {method.label: method.runs[0].protocol for method in comparison.shown}
    parts = []
    for (method, seed), outcome in evidence.outcomes.items():
        scores = class_scores(outcome.counts.sum(axis=0))
        part = pd.DataFrame({"f1": scores.f1, "precision": scores.precision, "recall": scores.recall})
        parts.append(
            part.assign(**{"class": comparison.classes}, utterances=scores.utterances.astype(int), method=method,
                        seed=seed, protocol=protocols[method])
        )  # fmt: skip
    return _joined(parts).assign(dataset=comparison.dataset, data=comparison.data_origin.kind)
