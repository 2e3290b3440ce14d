"""What a claim is about: a measure of a run, its unit, and which way is better."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence


@dataclass(frozen=True)
class Metric:
    """`better`: 1 where larger is better, else -1. `transform`: from the measure to the unit that is shown."""

    title: str
    measure: str
    unit: str
    better: int
    transform: Callable[[pd.Series], pd.Series]

    def after_refit(self) -> "Metric":
        """The same of the refits, where it is a score; else itself."""
        if not self.measure.startswith("selected_"):
            return self
        measure = self.measure.replace("selected_", "refit_")
        return replace(self, title=f"{self.title} after a refit", measure=measure)

    def values(self, evidence: Evidence, method: str) -> pd.Series:
        """By seed, in the unit."""
        return self.transform(evidence.values(method, self.measure).astype(float))


def _percent(values: pd.Series) -> pd.Series:
    return 100 * values


def _log_percent(values: pd.Series) -> pd.Series:
    """Differences are 100 × the log of a ratio; a norm of 0 has none."""
    return 100 * np.log(values.where(values > 0))


METRICS = {
    "weighted_f1": Metric("weighted F1", "selected_weighted_f1", "F1", 1, _percent),
    "accuracy": Metric("accuracy", "selected_accuracy", "points", 1, _percent),
    "update_conflict": Metric("probes with update conflict", "update_negative", "points", -1, _percent),
    "spikes": Metric("spikes", "spikes", "a run", -1, lambda values: values),
    "diverged": Metric("diverged runs", "diverged", "points", -1, _percent),
    "gradient_norm": Metric("99 % gradient norm", "gradient_norm_q99", "% (log ratio)", -1, _log_percent),
}
