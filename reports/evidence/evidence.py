"""All that tables and figures of one comparison are made from; every file of a run is read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt16

from reports.evidence.comparisons import Comparison
from reports.measures import conflict
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
    by method and seed. An imported run has a row in `runs`, most of it NaN, and an outcome.
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
        return self._by_method.get(method, self._none)[measure]

    @cached_property
    def _by_method(self) -> Mapping[str, pd.DataFrame]:
        """The runs of every method, with seeds as their index."""
        return {str(method): rows.set_index("seed") for method, rows in self.runs.groupby("method", sort=False)}

    @cached_property
    def _none(self) -> pd.DataFrame:
        """No runs."""
        return self.runs.iloc[:0].set_index("seed")

    def counts(self, method: str, seeds: Sequence[int]) -> UInt16[np.ndarray, "seeds conversations C C"]:
        """Test counts of one method's runs at the selected epoch."""
        return np.stack([self.outcomes[method, seed].counts for seed in seeds])


def collect(comparison: Comparison) -> Evidence:
    """Read and reduce the runs of a comparison. Raises ReportError on a damaged file."""
    runs, histories, probes, weights = [], [], [], []
    blocks: list[dict[str, Any]] = []
    directions: list[dict[str, Any]] = []
    outcomes: dict[tuple[str, int], Outcome] = {}
    newer = [*measures.FINITE, *chain.from_iterable(measures.BY_MODALITY.values())]
    for method in comparison.methods:
        refits = {run.seed: run for run in method.refits}
        for run in method.runs:
            steps = run.frame("steps", measures.STEP_COLUMNS, newer=conflict.NORMS)
            history = run.frame("history", measures.HISTORY_COLUMNS, newer=newer)
            probed = run.frame("conflict", [*measures.PROBE_COLUMNS, *conflict.NORMS], newer=conflict.DISPLACEMENT)
            whose = {"method": method.label, "seed": run.seed}
            row: dict[str, Any] = whose | _measures(run, refits.get(run.seed), steps, history, probed)
            if comparison.validated:
                outcomes[method.label, run.seed] = scored = outcome(run, measures.usable(history))
                _refuse_other_labels(run, scored, next(iter(outcomes.values())))
                row |= {"optimism": scored.optimism, "regret": row["gap"] - scored.optimism}
            runs.append(row)
            blocks += [whose | block for block in conflict.conflict_by_block(steps, probed)]
            if run.holds("directions"):
                taken = run.frame("directions", measures.DIRECTION_COLUMNS)
                directions += [whose | direction for direction in conflict.direction_measures(taken)]
            histories.append(history.assign(method=method.label, seed=run.seed))
            probes.append(probed.assign(method=method.label, seed=run.seed))
            used = steps[~steps["skipped"].to_numpy(dtype=bool)]
            weights.append(
                used.groupby("epoch", as_index=False)[measures.WEIGHTS]
                .mean()
                .assign(method=method.label, seed=run.seed)
            )
    for method in comparison.imported:
        for run in method.runs:
            outcomes[method.label, run.seed] = scored = outcome(run)
            _refuse_other_labels(run, scored, next(iter(outcomes.values())))
            runs.append({"method": method.label, "seed": run.seed} | measures.imported(run))
    history, probe, weight = (pd.concat(frames, ignore_index=True) for frames in (histories, probes, weights))
    by_block, by_aggregator = map(pd.DataFrame, (blocks, directions))
    return Evidence(
        comparison=comparison,
        runs=pd.DataFrame(runs),
        history=history,
        probes=probe,
        weights=weight,
        blocks=by_block,
        directions=by_aggregator,
        outcomes=outcomes,
    )


def _refuse_other_labels(run: Run, scored: Outcome, first: Outcome) -> None:
    if not np.array_equal(scored.counts.sum(axis=-1), first.counts.sum(axis=-1)):
        raise damaged(run.folder / "predictions.parquet", "its labels are not those of the other runs on this data")


def _measures(
    run: Run, refit: Run | None, steps: pd.DataFrame, history: pd.DataFrame, probes: pd.DataFrame
) -> dict[str, float]:
    return (
        measures.accuracy(run, refit)
        | measures.training_stability(run, steps, history)
        | conflict.gradient_conflict(steps, probes, run.objectives)
        | measures.unusable_gradients(run)
        | measures.cost(run)
    )
