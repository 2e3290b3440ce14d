"""One run -> its numbers. Every measure is a number per run, so that tables only ever summarise over runs.

Accuracy: `<where>_<score>`. Scores and shares are fractions, times seconds. Conflict: reports/measures/conflict.py.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from reports.measures import stability
from reports.measures.calibration import calibration
from reports.measures.outcomes import has_epochs
from reports.reading.runs import OBJECTIVES, PAIRS, Run

Columns = Mapping[str, np.ndarray]
"""Numbers of a run by step, probe or epoch, as float64 by the name of their column."""
SCORES = ("weighted_f1", "accuracy", "macro_f1")
WEIGHTS = [f"weight_{name}" for name in OBJECTIVES]
COSINES = [f"cos_{pair}" for pair in PAIRS]
UPDATE_COSINES = [f"update_cos_{name}" for name in OBJECTIVES]
LOSSES = [f"loss_{name}" for name in OBJECTIVES]

STEP_COLUMNS = ["step", "epoch", *LOSSES, "gradient_norm", "skipped", *WEIGHTS, *COSINES]
PROBE_COLUMNS = ["step", "epoch", *COSINES, *WEIGHTS, *UPDATE_COSINES]
DIRECTION_COLUMNS = ["aggregator", *WEIGHTS, *UPDATE_COSINES, "mean_cos"]
HISTORY_COLUMNS = [
    "epoch",
    *(f"train_loss_{name}" for name in OBJECTIVES),
    "train_total",
    "validation_loss",
    "validation_weighted_f1",
]
BY_MODALITY = {
    name: [f"train_loss_{name}_{modality}" for modality in ("text", "audio", "visual")]
    for name in ("unimodal", "distillation")
}
"""The columns of the history, by objective, that runs have since losses are recorded by modality."""
IMPORTED_HISTORY = ["epoch", "validation_weighted_f1"]
"""The columns of the history that a whole imported run has."""
FINITE = ("finite",)
"""The column of the history that early runs do not have."""


def columns(frame: pd.DataFrame) -> Columns:
    """The columns of a run's frame, all of them numbers: found once, where pandas searches at every access."""
    return dict(zip(map(str, frame), frame.to_numpy(dtype=float).T, strict=True))


def used(steps: Columns) -> np.ndarray:
    """Whether a step was an update of the weights."""
    return steps["skipped"] == 0


def usable(history: Columns) -> np.ndarray:
    """Whether every logit of an epoch is finite; early runs do not say, and count as finite."""
    return history["finite"] != 0


def accuracy(run: Run, refit: Run | None = None) -> dict[str, float]:
    """Test scores at the epoch chosen on validation, the last and the best test epoch, and the gap of weighted F1.

    Also at the last epoch of the run's refit; what there is not is NaN.
    """
    scores = _by_epoch(run)
    scores |= {f"refit_{score}": refit.number("last", score) if refit else float("nan") for score in SCORES}
    scores |= dict.fromkeys((f"imported_{score}" for score in SCORES), float("nan"))
    scores |= calibration(run, "selected")
    scores |= {"learned": learned(run, "selected"), "refit_learned": learned(refit, "last") if refit else float("nan")}
    return scores | {"gap": scores["peak_test_weighted_f1"] - scores["selected_weighted_f1"]}


def learned(run: Run, where: str) -> float:
    """1 where the run is no failure of training: finite, not diverged, and better than the most frequent class; else 0.

    where: the scores that are judged, `selected`, `last` or `imported`. NaN where there are none.
    """
    confusion = run.confusion(where)
    if confusion is None:
        return float("nan")
    score = run.number(where, "weighted_f1")
    diverged = bool(run.result.get("diverged", False))
    return float(not diverged and np.isfinite(score) and score > stability.majority_f1(confusion))


def imported(run: Run) -> dict[str, float]:
    """Test scores of an imported run, by names of their own: it is not known that they are at a selected epoch.

    Of one that came whole also those at the selected, the last and the best test epoch, and the gap.
    """
    scores = {f"imported_{score}": run.number("imported", score) for score in SCORES}
    scores |= calibration(run, "imported") | {"learned": learned(run, "imported")}
    if not has_epochs(run):
        return scores
    scores |= _by_epoch(run)
    return scores | {"gap": scores["peak_test_weighted_f1"] - scores["selected_weighted_f1"]}


def _by_epoch(run: Run) -> dict[str, float]:
    """Test scores at the epoch chosen on validation, the last and the best test epoch."""
    return {
        f"{where}_{score}": run.number(where, score) for where in ("selected", "last", "peak_test") for score in SCORES
    }


def training_stability(run: Run, steps: Columns, history: Columns) -> dict[str, float]:
    """Volatility and spikes of unweighted losses, late validation F1, gradient norm, and whether the run diverged."""
    per_epoch = int(np.unique(steps["epoch"], return_counts=True)[1].max())
    fused = stability.loss_residual(steps["loss_fused"], per_epoch)
    losses = [f"loss_{name}" for name in run.objectives]
    total = stability.loss_residual(stacked(steps, losses).sum(axis=1), per_epoch)
    # The runner cannot know the labels' majority, so the third sign of divergence is checked here.
    confusion = run.confusion()
    hopeless = confusion is not None and run.number("selected", "weighted_f1") <= stability.majority_f1(confusion)
    return {
        "volatility_fused": stability.volatility(fused),
        "volatility_total": stability.volatility(total),
        "spikes": stability.spikes(fused),
        "late_validation_f1_sd": stability.late_sd(history["validation_weighted_f1"]),
        "gradient_norm_q99": stability.quantile(steps["gradient_norm"][used(steps)], 0.99),
        "diverged": float(bool(run.result["diverged"]) or hopeless),
    }


def unusable_gradients(run: Run) -> dict[str, float]:
    """How often an objective got weight 0 because its gradient was unusable, and how often none was left."""
    return {
        "masked_objectives": sum(run.number("masked_objectives", name) for name in run.objectives),
        "skipped_steps": run.number("skipped_steps"),
    }


def cost(run: Run) -> dict[str, float]:
    """Time, gradient computations, size and memory of one run; memory in MiB."""
    seconds = run.number("timings", "train")
    return {
        "train_seconds": seconds,
        "seconds_per_epoch": seconds / run.number("last", "epoch"),
        "backward_passes": run.number("backward_passes"),
        "probe_backward_passes": run.number("probe_backward_passes"),
        "parameters_total": run.number("parameters", "total"),
        "parameters_encoder": run.number("parameters", "encoder"),
        "parameters_fusion": run.number("parameters", "fusion"),
        "peak_memory_mib": run.number("peak_memory") / 2**20,
    }


def stacked(recorded: Columns, names: Sequence[str]) -> np.ndarray:
    """Some of the columns side by side [rows, columns]."""
    return np.stack([recorded[name] for name in names], axis=1)
