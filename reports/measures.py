"""One run -> its numbers. Every measure is a number per run, so that tables only ever summarise over runs.

Accuracy: `<where>_<score>`. Conflict: `<series>_<what>_<pair or objective>`, where the series `probe` is taken in
evaluation mode on fixed conversations and `batch` on the training batches. Scores and shares are fractions, times
seconds.
"""

import numpy as np
import pandas as pd

from reports import stability
from reports.records import OBJECTIVES, PAIRS, Run
from reports.statistics import mean_known, share_below

SCORES = ("weighted_f1", "accuracy", "macro_f1")
WEIGHTS = [f"weight_{name}" for name in OBJECTIVES]
COSINES = [f"cos_{pair}" for pair in PAIRS]
UPDATE_COSINES = [f"update_cos_{name}" for name in OBJECTIVES]
LOSSES = [f"loss_{name}" for name in OBJECTIVES]

STEP_COLUMNS = ["step", "epoch", *LOSSES, "gradient_norm", "skipped", *WEIGHTS, *COSINES]
PROBE_COLUMNS = ["step", "epoch", *COSINES, *WEIGHTS, *UPDATE_COSINES]
HISTORY_COLUMNS = [
    "epoch",
    *(f"train_loss_{name}" for name in OBJECTIVES),
    "train_total",
    "validation_loss",
    "validation_weighted_f1",
]


def accuracy(run: Run) -> dict[str, float]:
    """Test scores at the epoch chosen on validation, the last and the best test epoch, and the gap of weighted F1."""
    scores = {
        f"{where}_{score}": run.number(where, score) for where in ("selected", "last", "peak_test") for score in SCORES
    }
    return scores | {"gap": scores["peak_test_weighted_f1"] - scores["selected_weighted_f1"]}


def training_stability(run: Run, steps: pd.DataFrame, history: pd.DataFrame) -> dict[str, float]:
    """Volatility and spikes of unweighted losses, late validation F1, gradient norm, and whether the run diverged."""
    per_epoch = int(steps["epoch"].value_counts().max())
    fused = stability.loss_residual(_floats(steps, ["loss_fused"])[:, 0], per_epoch)
    total = stability.loss_residual(_floats(steps, LOSSES).sum(axis=1), per_epoch)
    used = steps[~steps["skipped"].to_numpy(dtype=bool)]
    # The runner cannot know the labels' majority, so the third sign of divergence is checked here.
    hopeless = run.number("selected", "weighted_f1") <= stability.majority_f1(run.confusion())
    return {
        "volatility_fused": stability.volatility(fused),
        "volatility_total": stability.volatility(total),
        "spikes": float(stability.spikes(fused)),
        "late_validation_f1_sd": stability.late_sd(_floats(history, ["validation_weighted_f1"])[:, 0]),
        "gradient_norm_q99": stability.quantile(_floats(used, ["gradient_norm"])[:, 0], 0.99),
        "diverged": float(bool(run.result["diverged"]) or hopeless),
    }


def gradient_conflict(steps: pd.DataFrame, probes: pd.DataFrame) -> dict[str, float]:
    """Cosines between objectives, the weights, and the cosine of the update with the objective it serves worst."""
    measures: dict[str, float] = {}
    for series, frame in (("probe", probes), ("batch", steps)):
        for pair in PAIRS:
            cosines = _floats(frame, [f"cos_{pair}"])
            measures[f"{series}_cos_{pair}"] = mean_known(cosines)
            measures[f"{series}_negative_{pair}"] = share_below(cosines, 0.0)
            measures[f"{series}_below_tenth_{pair}"] = share_below(cosines, -0.1)
    for series, frame in (("pgm", probes), ("applied", steps[~steps["skipped"].to_numpy(dtype=bool)])):
        weights = _floats(frame, WEIGHTS)
        measures |= {f"{series}_{name}": mean_known(weights[:, i]) for i, name in enumerate(WEIGHTS)}
        distance = np.linalg.norm(weights - 1 / len(WEIGHTS), axis=1)
        measures[f"{series}_distance"] = mean_known(distance)
    # NaN if any is NaN: a minimum over fewer objectives is another quantity.
    worst = _floats(probes, UPDATE_COSINES).min(axis=1)
    return measures | {"update_worst_cos": mean_known(worst), "update_negative": share_below(worst, 0.0)}


def unusable_gradients(run: Run) -> dict[str, float]:
    """How often an objective got weight 0 because its gradient was unusable, and how often none was left."""
    return {
        "masked_objectives": sum(run.number("masked_objectives", name) for name in OBJECTIVES),
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


def _floats(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    return frame[columns].to_numpy(dtype=float)
