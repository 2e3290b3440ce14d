"""Gradient conflict of one run: `<series>_<what>_<pair or objective>`, for θ and for each of its blocks.

The series `probe` is taken in evaluation mode on fixed conversations, `batch` on the training batches, where a method
computes the objectives' gradients at all.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from reports.measures.runs import COSINES, UPDATE_COSINES, WEIGHTS, Columns, columns, stacked, used
from reports.reading.runs import OBJECTIVES, PAIRS
from reports.statistics import mean_known, share_below

NORMS = [f"norm_{name}" for name in OBJECTIVES]
DISPLACEMENT = [f"displacement_cos_{name}" for name in OBJECTIVES]
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
THIRDS = ("early", "middle", "late")
OF_A_PAIR = ("cos", "sd", "negative", "below_tenth", *QUANTILES, *THIRDS, "similarity")
SERIES = ("probe", "batch")
BLOCK_MEASURES = [f"{series}_{what}_{pair}" for series in SERIES for pair in PAIRS for what in OF_A_PAIR]


def gradient_conflict(steps: Columns, probes: Columns, objectives: Sequence[str] = OBJECTIVES) -> dict[str, float]:
    """Conflict over θ, the weights, and the worst cosine of the update and of the displacement with an objective's.

    objectives: those that the method has; what is of others is NaN, and counts in no minimum and no distance.
    """
    present = [OBJECTIVES.index(name) for name in objectives]
    measures = _pairs("probe", _series(probes)) | _pairs("batch", _series(steps))
    for series, weights in (("pgm", stacked(probes, WEIGHTS)), ("applied", stacked(steps, WEIGHTS)[used(steps)])):
        measures |= {f"{series}_{name}": mean_known(weights[:, i]) for i, name in enumerate(WEIGHTS)}
        measures[f"{series}_distance"] = mean_known(_from_uniform(weights[:, present]))
    for what, cosines in (("update", UPDATE_COSINES), ("displacement", DISPLACEMENT)):
        # NaN if any is NaN: a minimum over fewer objectives is another quantity.
        worst = stacked(probes, [cosines[i] for i in present]).min(axis=1)
        measures |= {f"{what}_worst_cos": mean_known(worst), f"{what}_negative": share_below(worst, 0.0)}
    return measures


def conflict_by_block(steps: Columns, probes: Columns) -> list[dict[str, Any]]:
    """A row a block of θ: its name as `block`, and :data:`BLOCK_MEASURES` over it."""
    blocks = dict.fromkeys(match[1] for name in probes if (match := re.fullmatch(r"(.+)\.cos_\w+", str(name))))
    return [
        {"block": block} | _pairs("probe", _series(probes, f"{block}.")) | _pairs("batch", _series(steps, f"{block}."))
        for block in blocks
    ]


def direction_measures(directions: pd.DataFrame) -> list[dict[str, Any]]:
    """A row an aggregator on the common trajectory: how its update stands to the objectives and to their mean."""
    rows = []
    for aggregator, frame in directions.groupby("aggregator", sort=False):
        recorded = columns(frame.drop(columns="aggregator"))
        worst = stacked(recorded, UPDATE_COSINES).min(axis=1)
        rows.append(
            {
                "aggregator": str(aggregator),
                "worst_cos": mean_known(worst),
                "negative": share_below(worst, 0.0),
                "mean_cos": mean_known(recorded["mean_cos"]),
                "distance": mean_known(_from_uniform(stacked(recorded, WEIGHTS))),
            }
        )
    return rows


def _pairs(series: str, recorded: Columns) -> dict[str, float]:
    """:data:`OF_A_PAIR` of every pair in one series."""
    step = recorded["step"]
    third = 3 * step // (step.max() + 1)
    measures: dict[str, float] = {}
    for pair, column in zip(PAIRS, COSINES, strict=True):
        cos = recorded[column]
        known = cos[np.isfinite(cos)]
        quantiles = np.quantile(known, list(QUANTILES.values())) if len(known) else np.full(len(QUANTILES), np.nan)
        a, b = (recorded[f"norm_{name}"] for name in pair.split("_"))
        with np.errstate(invalid="ignore", over="ignore"):
            similarity = 2 * a * b / (a**2 + b**2)
        statistics = {
            "cos": mean_known(cos),
            "sd": float(known.std(ddof=1)) if len(known) > 1 else float("nan"),
            "negative": share_below(cos, 0.0),
            "below_tenth": share_below(cos, -0.1),
            **dict(zip(QUANTILES, quantiles.tolist(), strict=True)),
            **{name: mean_known(cos[third == i]) for i, name in enumerate(THIRDS)},
            "similarity": mean_known(similarity),
        }
        measures |= {f"{series}_{what}_{pair}": value for what, value in statistics.items()}
    return measures


def _series(recorded: Columns, block: str = "") -> Columns:
    """The steps, cosines and norms over θ, or over the block whose columns begin so; NaN where the run has none."""
    step = recorded["step"]
    unknown = np.full(len(step), np.nan)
    return {"step": step} | {name: recorded.get(f"{block}{name}", unknown) for name in (*COSINES, *NORMS)}


def _from_uniform(weights: Float[np.ndarray, "rows objectives"]) -> Float[np.ndarray, " rows"]:
    """‖γ − 1/K‖."""
    distance: np.ndarray = np.linalg.norm(weights - 1 / weights.shape[1], axis=1)
    return distance
