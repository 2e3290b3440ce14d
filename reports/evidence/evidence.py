"""All that tables and figures of one comparison are made from; every file of a run is read once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt16

from reports.evidence.comparisons import Comparison
from reports.evidence.method import Method
from reports.evidence.reduction import reduce_run
from reports.measures import runs as measures
from reports.measures.outcomes import Outcome, outcome
from reports.reading.documents import damaged
from reports.reading.runs import Run


@dataclass(frozen=True, eq=False)
class Evidence:
    """Frames of one comparison; each has the columns `method` and `seed`, methods in the comparison's order.

    `runs`: a row a run, a column a measure. `history`: a row an epoch. `probes`: a row a probe. `weights`: a row an
    epoch, the mean of the applied weights over its steps. `blocks`: a row a run and block of θ, a column a measure.
    `directions`: a row a run on the common trajectory and aggregator. `outcomes`: of every run with a selected epoch,
    by method and seed. An imported run has a row in `runs`, most of it NaN, an outcome, and where it came whole its
    validation scores in `history`; where imports are alone, the other frames have no rows. Of a seed whose folds are
    pooled, scores are of all folds' predictions, and everything else is the mean over folds.
    """

    comparison: Comparison
    runs: pd.DataFrame
    history: pd.DataFrame
    probes: pd.DataFrame
    weights: pd.DataFrame
    blocks: pd.DataFrame
    directions: pd.DataFrame
    outcomes: Mapping[tuple[str, int], Outcome]

    def values(self, method: str, measure: str) -> pd.Series:
        """A measure of one method, by seed."""
        runs = self._by_method.get(method, self._none)
        if measure not in runs and not self.comparison.methods:  # what only runs of this suite have
            return pd.Series(np.nan, index=runs.index, name=measure)
        return runs[measure]

    @cached_property
    def _by_method(self) -> Mapping[str, pd.DataFrame]:
        """The runs of every method, with seeds as their index."""
        return {str(method): rows.set_index("seed") for method, rows in self.runs.groupby("method", sort=False)}

    @cached_property
    def _none(self) -> pd.DataFrame:
        """No runs."""
        return self.runs.iloc[:0].set_index("seed")

    def groups(self, method: str, seeds: Iterable[int]) -> tuple[int, ...]:
        """The session that every seed of a method holds out; empty where seeds are on their own."""
        return self.comparison.groups_of(self._methods[method], seeds)

    @cached_property
    def _methods(self) -> Mapping[str, Method]:
        return {method.label: method for method in self.comparison.shown}

    def history_of(self, method: str) -> pd.DataFrame:
        """The epochs of one method's runs; none of a method without a history."""
        return self._histories.get(method, self.history.iloc[:0])

    @cached_property
    def _histories(self) -> Mapping[str, pd.DataFrame]:
        return {str(method): rows for method, rows in self.history.groupby("method", sort=False)}

    def counts(self, method: str, seeds: Sequence[int]) -> UInt16[np.ndarray, "seeds conversations C C"]:
        """Test counts of one method's runs at the selected epoch."""
        return np.stack([self.outcomes[method, seed].counts for seed in seeds])


class _Stacked:
    """Frames of runs on their way to one frame, which says of every row the method and the seed, once and for all."""

    def __init__(self) -> None:
        self._frames: list[pd.DataFrame] = []
        self._methods: list[str] = []
        self._seeds: list[int] = []

    def append(self, frame: pd.DataFrame, method: str, seed: int) -> None:
        self._frames.append(frame)
        self._methods.append(method)
        self._seeds.append(seed)

    def frame(self, columns: Sequence[str]) -> pd.DataFrame:
        """The frames one below the other, with these columns at least."""
        if not self._frames:
            return pd.DataFrame(columns=[*columns, "method", "seed"])
        rows = [len(frame) for frame in self._frames]
        methods = pd.Series(self._methods, dtype="str").repeat(rows).reset_index(drop=True)
        joined = pd.concat(self._frames, ignore_index=True)
        lacking = dict.fromkeys((name for name in columns if name not in joined), np.nan)
        return joined.assign(**lacking, method=methods, seed=np.repeat(self._seeds, rows))


def collect(comparison: Comparison) -> Evidence:
    """Read and reduce the runs of a comparison. Raises ReportError on a damaged file."""
    runs: list[dict[str, Any]] = []
    history, probes, weights = _Stacked(), _Stacked(), _Stacked()
    blocks: list[dict[str, Any]] = []
    directions: list[dict[str, Any]] = []
    outcomes: dict[tuple[str, int], Outcome] = {}
    for method in comparison.methods:
        refits = {run.seed: run for run in method.refits}
        for run in method.runs:
            whose = {"method": method.label, "seed": run.seed}
            reduced = reduce_run(run, refits.get(run.seed), validated=comparison.validated)
            if reduced.outcome is not None:
                outcomes[method.label, run.seed] = reduced.outcome
                _refuse_other_labels(run, reduced.outcome, next(iter(outcomes.values())))
            runs.append({**whose, **reduced.row})
            blocks += [{**whose, **block} for block in reduced.blocks]
            directions += [{**whose, **direction} for direction in reduced.directions]
            history.append(reduced.history, method.label, run.seed)
            probes.append(reduced.probes, method.label, run.seed)
            weights.append(reduced.weights, method.label, run.seed)
    for method in comparison.imported:
        for run in method.runs:
            row = {"method": method.label, "seed": run.seed} | (scores := measures.imported(run))
            if method.by_epoch:
                epochs = run.frame("history", measures.IMPORTED_HISTORY, newer=measures.FINITE)
                history.append(epochs, method.label, run.seed)
                scored = outcome(run, measures.usable(measures.columns(epochs)))
                row |= {"optimism": scored.optimism, "regret": scores["gap"] - scored.optimism}
            else:
                scored = outcome(run)
            outcomes[method.label, run.seed] = scored
            _refuse_other_labels(run, scored, next(iter(outcomes.values())))
            runs.append(row)
    by_block, by_aggregator = map(pd.DataFrame, (blocks, directions))
    return Evidence(
        comparison=comparison,
        runs=pd.DataFrame(runs),
        history=history.frame(measures.HISTORY_COLUMNS),
        probes=probes.frame(measures.PROBE_COLUMNS),
        weights=weights.frame(["epoch", *measures.WEIGHTS]),
        blocks=by_block,
        directions=by_aggregator,
        outcomes=outcomes,
    )


def _refuse_other_labels(run: Run, scored: Outcome, first: Outcome) -> None:
    if not np.array_equal(scored.counts.sum(axis=-1), first.counts.sum(axis=-1)):
        raise damaged(run.folder / "predictions.parquet", "its labels are not those of the other runs on this data")
