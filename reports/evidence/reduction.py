"""One run -> its numbers and the frames that figures need; of pooled folds from those of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from reports.measures import conflict
from reports.measures import runs as measures
from reports.measures.outcomes import Outcome, outcome
from reports.reading.runs import Run

Row = Mapping[str, Any]
_OF_ANY = ("diverged",)
"""What is true of pooled folds where it is of any."""
_COUNTS = ("masked_objectives", "skipped_steps")
"""What is counted over all folds."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """What :class:`reports.evidence.evidence.Evidence` has of one run, under the same names."""

    row: Row
    history: pd.DataFrame
    probes: pd.DataFrame
    weights: pd.DataFrame
    blocks: Sequence[Row]
    directions: Sequence[Row]
    outcome: Outcome | None


def reduce_run(run: Run, refit: Run | None, *, validated: bool) -> Reduced:
    """Read every file of a run once. validated: whether an epoch was selected. Raises ReportError on a damaged file."""
    if len(run.parts) == 1:
        return _reduced(run, refit, validated=validated)
    return _together(run, [_reduced(part, None, validated=validated) for part in run.parts])


def _reduced(run: Run, refit: Run | None, *, validated: bool) -> Reduced:
    newer = [*measures.FINITE, *chain.from_iterable(measures.BY_MODALITY.values())]
    steps = run.frame("steps", measures.STEP_COLUMNS, newer=conflict.NORMS)
    history = run.frame("history", measures.HISTORY_COLUMNS, newer=newer)
    probes = run.frame("conflict", [*measures.PROBE_COLUMNS, *conflict.NORMS], newer=conflict.DISPLACEMENT)
    by_step, by_probe, by_epoch = map(measures.columns, (steps, probes, history))
    row: dict[str, Any] = (
        measures.accuracy(run, refit)
        | measures.training_stability(run, by_step, by_epoch)
        | conflict.gradient_conflict(by_step, by_probe, run.objectives)
        | measures.unusable_gradients(run)
        | measures.cost(run)
    )
    scored = outcome(run, measures.usable(by_epoch)) if validated else None
    if scored is not None:
        row |= {"optimism": scored.optimism, "regret": row["gap"] - scored.optimism}
    taken = run.frame("directions", measures.DIRECTION_COLUMNS) if run.holds("directions") else None
    return Reduced(
        row=row,
        history=history,
        probes=probes,
        weights=_by_epoch(by_step, measures.WEIGHTS),
        blocks=conflict.conflict_by_block(by_step, by_probe),
        directions=[] if taken is None else conflict.direction_measures(taken),
        outcome=scored,
    )


def _by_epoch(steps: measures.Columns, names: Sequence[str]) -> pd.DataFrame:
    """Means over the updates of every epoch that has any."""
    used = measures.used(steps)
    epochs, place, count = np.unique(steps["epoch"][used].astype(int), return_inverse=True, return_counts=True)
    means = {name: np.bincount(place, steps[name][used], minlength=len(epochs)) / count for name in names}
    return pd.DataFrame({"epoch": epochs} | means)


def _together(run: Run, folds: Sequence[Reduced]) -> Reduced:
    """The folds of a pooled run: scores of all predictions, everything else as a mean over the folds."""
    row = _mean([fold.row for fold in folds])
    row |= {name: max(fold.row[name] for fold in folds) for name in _OF_ANY}
    row |= {name: sum(fold.row[name] for fold in folds) for name in _COUNTS}
    row |= measures.accuracy(run)
    row |= {"regret": row["gap"] - row["optimism"]}
    outcomes = [fold.outcome for fold in folds if fold.outcome is not None]
    return Reduced(
        row=row,
        history=_mean_history([fold.history for fold in folds]),
        probes=_mean_frame([fold.probes for fold in folds], "step").assign(epoch=lambda frame: np.ceil(frame["epoch"])),
        weights=_mean_frame([fold.weights for fold in folds], "epoch"),
        blocks=_mean_rows([fold.blocks for fold in folds], "block"),
        directions=_mean_rows([fold.directions for fold in folds], "aggregator"),
        outcome=Outcome(
            np.concatenate([each.counts for each in outcomes]),
            float(np.mean([each.optimism for each in outcomes])),
            np.zeros(0),
            np.sum([each.reliability for each in outcomes], axis=0),
        ),
    )


def _mean(rows: Sequence[Row]) -> dict[str, Any]:
    """The mean of every number; NaN where it is NaN in any fold."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _mean_rows(folds: Sequence[Sequence[Row]], key: str) -> list[Row]:
    """The means of rows that are of the same `key`, which every fold has, in the first fold's order."""
    by_key = [{row[key]: {n: v for n, v in row.items() if n != key} for row in rows} for rows in folds]
    shared = [name for name in by_key[0] if all(name in rows for rows in by_key)]
    return [{key: name, **_mean([rows[name] for rows in by_key])} for name in shared]


def _mean_history(folds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The mean of every column by epoch; an epoch is finite where it is in all folds."""
    together = pd.DataFrame(
        {name: np.mean([fold[name].to_numpy(dtype=float) for fold in folds], axis=0) for name in folds[0]}
    )
    finite = np.min([fold["finite"].to_numpy(dtype=float) for fold in folds], axis=0)
    return together.assign(epoch=folds[0]["epoch"].to_numpy(), finite=finite)


def _mean_frame(folds: Sequence[pd.DataFrame], key: str) -> pd.DataFrame:
    """The mean over the folds that have a row with that `key`: with fewer conversations there are fewer steps."""
    frames = [fold.astype(float) for fold in folds]
    return pd.concat(frames).groupby(key, as_index=False).mean().astype({key: int})
