"""What a study may know of a finished run: its validation score, how calmly it trained, and what it took.

No score on the test set is read.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.base.values import Frozen

Volatility = Callable[[npt.NDArray[np.float64], int], float]
"""Takes a loss by step and the steps of an epoch, and gives the volatility; NaN where it is not defined."""


class Measured(Frozen):
    """One run of a trial; the fields of ``runs`` in a study's file (docs/run-format.md)."""

    seed: int
    key: str
    validation: float
    volatility: float | None
    seconds: float
    epochs: int

    def goal(self, name: str) -> float | None:
        """The value of the goal of that name; None where it could not be computed."""
        return {"weighted_f1": self.validation, "volatility": self.volatility, "seconds": self.seconds}[name]


def measure(folder: Path, seed: int, volatility: Volatility) -> Measured:
    """Read a finished run's folder: validation weighted F1 of the selected epoch, volatility of L1, seconds.

    The seconds are without the probe's.
    """
    import pyarrow.parquet as pq

    epochs = len(pq.read_table(folder / "history.parquet", columns=["epoch"]))
    steps = pq.read_table(folder / "steps.parquet", columns=["loss_fused"])
    result: dict[str, Any] = json.loads((folder / "result.json").read_bytes())
    timings = result["timings"]
    spread = volatility(steps["loss_fused"].to_numpy(), len(steps) // epochs)
    return Measured(
        seed=seed,
        key=folder.name,
        validation=result["validation"]["weighted_f1"],
        volatility=spread if math.isfinite(spread) else None,
        seconds=timings["total"] - timings["probe"],
        epochs=epochs,
    )
