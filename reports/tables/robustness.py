"""The table of missing modalities: what a method loses where one is zeroed or shuffled in the test set."""

from typing import Any

import numpy as np
import pandas as pd

from reports.evidence.comparisons import Comparison
from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.statistics import PairedComparison, Summary, paired_comparison, summarize
from reports.tables.model import Table, listing
from reports.tables.selection import difference_cell
from reports.text import counted, number

NOTE = (
    "Weighted F1 on the test set, in %, of the models at the selected epoch, trained on all their modalities: with the "
    "test set as it is, and with one modality zeroed (the model is given zeros, which after standardisation is its "
    "mean over the training data) or shuffled (its vectors change places over all test utterances, the same for all "
    "methods). Drop: the first minus the second, in points, paired by seed, with its 95 % interval. Intervals hold one "
    "at a time, and none is a verdict. A modality that a method does not see has no row."
)
HEADER = ("method", "modality", "how", "n", "as it is", "missing", "drop")


def robustness(evidence: Evidence) -> Table | None:
    """A row a method, modality and way to be missing; None where no run was evaluated so (`cssbench robustness`)."""
    comparison = evidence.comparison
    drops = [(method, *drop) for method in comparison.methods for drop in _drops(comparison, method)]
    if not drops:
        return None
    origin = {"dataset": comparison.dataset, "data": comparison.data_origin.kind}
    lacking = sum(run.robustness is None for run in comparison.runs)
    sentences = [f"{counted(lacking, 'run')} not evaluated: cssbench robustness does so."] if lacking else []
    return Table(
        name="robustness",
        title="Missing modalities",
        note=NOTE,
        data=comparison.data_origin.short,
        dataset=comparison.dataset,
        sentences=tuple(sentences),
        listings=(listing("", HEADER, [_cells(*drop) for drop in drops]),),
        frame=pd.DataFrame([origin | _row(*drop) for drop in drops]),
    )


Drop = tuple[str, str, PairedComparison, Summary, Summary]
"""A modality, how it is missing, the drop in points, and the scores (fractions) with and without it over runs."""


def _drops(comparison: Comparison, method: Method) -> list[Drop]:
    runs = {run.seed: run.robustness for run in method.runs if run.robustness is not None}
    intact = {seed: float(content["intact"]["weighted_f1"]) for seed, content in runs.items()}
    missing: dict[tuple[str, str], dict[int, float]] = {}
    for seed, content in runs.items():
        for condition in content["conditions"]:
            scores = missing.setdefault((condition["modality"], condition["how"]), {})
            scores[seed] = float(condition["weighted_f1"])
    drops = []
    for (modality, how), scores in missing.items():
        whole = {seed: 100 * intact[seed] for seed in scores}
        sessions, groups = comparison.sessions_of(method, method), comparison.groups_of(method, scores)
        drop = paired_comparison(whole, {seed: 100 * score for seed, score in scores.items()}, sessions=sessions)
        with_it, without = (
            summarize(np.array([by_seed[seed] for seed in scores]), groups) for by_seed in (intact, scores)
        )
        drops.append((modality, how, drop, with_it, without))
    return drops


def _cells(
    method: Method, modality: str, how: str, drop: PairedComparison, intact: Summary, missing: Summary
) -> tuple[str, ...]:
    means = (number(100 * scores.mean, 1) for scores in (intact, missing))
    return method.label, modality, how, str(intact.n), *means, difference_cell(drop)


def _row(
    method: Method, modality: str, how: str, drop: PairedComparison, intact: Summary, missing: Summary
) -> dict[str, Any]:
    """Scores as fractions, as in the table of accuracy; the drop in points."""
    row: dict[str, Any] = {"method": method.label, "modality": modality, "how": how, "n": intact.n}
    for name, scores in (("intact", intact), ("missing", missing)):
        row |= {f"{name}_weighted_f1_{part}": getattr(scores, part) for part in ("mean", "sd", "low", "high")}
    return row | {"drop": drop.mean, "drop_low": drop.interval.low, "drop_high": drop.interval.high}
