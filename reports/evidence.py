"""All that tables and figures of one comparison are made from; every file of a run is read once."""

from dataclasses import dataclass

import pandas as pd

from reports import measures
from reports.comparisons import Comparison
from reports.records import Run


@dataclass(frozen=True, eq=False)
class Evidence:
    """Frames of one comparison; each has the columns `method` and `seed`, methods in the comparison's order.

    `runs`: a row a run, a column a measure. `history`: a row an epoch. `probes`: a row a probe. `weights`: a row an
    epoch, the mean of the applied weights over its steps.
    """

    comparison: Comparison
    runs: pd.DataFrame
    history: pd.DataFrame
    probes: pd.DataFrame
    weights: pd.DataFrame

    def values(self, method: str, measure: str) -> pd.Series:
        """A measure of one method, by seed."""
        rows = self.runs[self.runs["method"] == method]
        return rows.set_index("seed")[measure]


def collect(comparison: Comparison) -> Evidence:
    """Read and reduce the runs of a comparison. Raises ReportError on a damaged file."""
    runs, histories, probes, weights = [], [], [], []
    for method in comparison.methods:
        for run in method.runs:
            steps = run.frame("steps", measures.STEP_COLUMNS)
            history = run.frame("history", measures.HISTORY_COLUMNS)
            conflict = run.frame("conflict", measures.PROBE_COLUMNS)
            runs.append({"method": method.label, "seed": run.seed} | _measures(run, steps, history, conflict))
            histories.append(history.assign(method=method.label, seed=run.seed))
            probes.append(conflict.assign(method=method.label, seed=run.seed))
            used = steps[~steps["skipped"].to_numpy(dtype=bool)]
            weights.append(
                used.groupby("epoch", as_index=False)[measures.WEIGHTS]
                .mean()
                .assign(method=method.label, seed=run.seed)
            )
    return Evidence(
        comparison,
        pd.DataFrame(runs),
        *(pd.concat(frames, ignore_index=True) for frames in (histories, probes, weights)),
    )


def _measures(run: Run, steps: pd.DataFrame, history: pd.DataFrame, conflict: pd.DataFrame) -> dict[str, float]:
    return (
        measures.accuracy(run)
        | measures.training_stability(run, steps, history)
        | measures.gradient_conflict(steps, conflict)
        | measures.unusable_gradients(run)
        | measures.cost(run)
    )
