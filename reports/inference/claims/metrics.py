"""What a claim is about: a measure of a run, its unit, and which way is better."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence
from reports.statistics import PairedComparison, RateComparison, paired_comparison, rate_comparison


@dataclass(frozen=True, kw_only=True)
class Metric:
    """`better`: 1 where larger is better, else -1. `transform`: from the measure to the unit that is shown.

    rate: whether it is the share of runs to which something happens; these have exact intervals. of_learners: whether
    it means nothing for a run that learned nothing, as all do that are not about divergence itself.
    """

    title: str
    measure: str
    unit: str
    better: int
    transform: Callable[[pd.Series], pd.Series]
    rate: bool = False
    of_learners: bool = True

    @property
    def of_refits(self) -> bool:
        """Whether it is a score of the refits."""
        return self.measure.startswith("refit_")

    def after_refit(self) -> "Metric":
        """The same metric of the refits, where it is a score; else itself."""
        if not self.measure.startswith("selected_"):
            return self
        measure = self.measure.replace("selected_", "refit_")
        return replace(self, title=f"{self.title} after a refit", measure=measure)

    def values(self, evidence: Evidence, method: str) -> pd.Series:
        """The metric of one method by seed, in the unit."""
        return self.transform(evidence.values(method, self.measure).astype(float))

    def compared(self, evidence: Evidence, a: str, b: str) -> PairedComparison | RateComparison:
        """a - b by seed."""
        first, second = self.values(evidence, a), self.values(evidence, b)
        if self.rate:
            return rate_comparison(first, second, sessions=evidence.comparison.sessions)
        return paired_comparison(first, second, sessions=evidence.comparison.sessions)


def _percent(values: pd.Series) -> pd.Series:
    return 100 * values


def _log_percent(values: pd.Series) -> pd.Series:
    """Differences are 100 × the log of a ratio; a norm of 0 has none."""
    return 100 * np.log(values.where(values > 0))


def _same(values: pd.Series) -> pd.Series:
    return values


METRICS = {
    "weighted_f1": Metric(
        title="weighted F1", measure="selected_weighted_f1", unit="F1", better=1, transform=_percent
    ),
    "accuracy": Metric(title="accuracy", measure="selected_accuracy", unit="points", better=1, transform=_percent),
    "update_conflict": Metric(
        title="probes with update conflict", measure="update_negative", unit="points", better=-1, transform=_percent
    ),
    "spikes": Metric(
        title="runs with a spike", measure="spikes", unit="points", better=-1, transform=_same, rate=True,
        of_learners=False,
    ),
    "diverged": Metric(
        title="diverged runs", measure="diverged", unit="points", better=-1, transform=_same, rate=True,
        of_learners=False,
    ),
    "gradient_norm": Metric(
        title="99 % gradient norm", measure="gradient_norm_q99", unit="% (log ratio)", better=-1,
        transform=_log_percent, of_learners=False,
    ),
}  # fmt: skip
