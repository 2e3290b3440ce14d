"""All that tables and figures of one comparison are made from; every file of a run is read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt16

from reports import measures
from reports.comparisons import Comparison
from reports.outcomes import Outcome, outcome
from reports.records import Run, damaged


@dataclass(frozen=True, eq=False)
class Evidence:
    """Frames of one comparison; each has the columns `method` and `seed`, methods in the comparison's order.

    `runs`: a row a run, a column a measure. `history`: a row an epoch. `probes`: a row a probe. `weights`: a row an
    epoch, the mean of the applied weights over its steps. `outcomes`: of every run by method and seed.
    """

    comparison: Comparison
    runs: pd.DataFrame
    history: pd.DataFrame
    probes: pd.DataFrame
    weights: pd.DataFrame
    outcomes: Mapping[tuple[str, int], Outcome]

    def values(self, method: str, measure: str) -> pd.Series:
        """A measure of one method, by seed."""
        rows = self.runs[self.runs["method"] == method]
        return rows.set_index("seed")[measure]

    def counts(self, method: str, seeds: Sequence[int]) -> UInt16[np.ndarray, "seeds conversations C C"]:
        """Test counts of one method's runs at the selected epoch."""
        return np.stack([self.outcomes[method, seed].counts for seed in seeds])


def collect(comparison: Comparison) -> Evidence:
    """Read and reduce the runs of a comparison. Raises ReportError on a damaged file."""
    runs, histories, probes, weights = [], [], [], []
    outcomes: dict[tuple[str, int], Outcome] = {}
    for method in comparison.methods:
        for run in method.runs:
            steps = run.frame("steps", measures.STEP_COLUMNS)
            history = run.frame("history", measures.HISTORY_COLUMNS)
            conflict = run.frame("conflict", measures.PROBE_COLUMNS)
            outcomes[method.label, run.seed] = found = outcome(run, len(history))
            _refuse_other_labels(run, found, next(iter(outcomes.values())))
            row: dict[str, Any] = {"method": method.label, "seed": run.seed} | _measures(run, steps, history, conflict)
            runs.append(row | {"optimism": found.optimism, "regret": row["gap"] - found.optimism})
            histories.append(history.assign(method=method.label, seed=run.seed))
            probes.append(conflict.assign(method=method.label, seed=run.seed))
            used = steps[~steps["skipped"].to_numpy(dtype=bool)]
            weights.append(
                used.groupby("epoch", as_index=False)[measures.WEIGHTS]
                .mean()
                .assign(method=method.label, seed=run.seed)
            )
    history, probe, weight = (pd.concat(frames, ignore_index=True) for frames in (histories, probes, weights))
    return Evidence(comparison, pd.DataFrame(runs), history, probe, weight, outcomes)


def _refuse_other_labels(run: Run, found: Outcome, first: Outcome) -> None:
    if not np.array_equal(found.counts.sum(axis=-1), first.counts.sum(axis=-1)):
        raise damaged(run.folder / "predictions.parquet", "its labels are not those of the other runs on this data")


def _measures(run: Run, steps: pd.DataFrame, history: pd.DataFrame, conflict: pd.DataFrame) -> dict[str, float]:
    return (
        measures.accuracy(run)
        | measures.training_stability(run, steps, history)
        | measures.gradient_conflict(steps, conflict)
        | measures.unusable_gradients(run)
        | measures.cost(run)
    )
