"""How calmly one run trains: measures on one run's own series of losses, scores and gradient norms."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

MAD_TO_SD = 1.4826  # sd of a normal distribution in units of its median absolute deviation


def loss_residual(loss: Float[np.ndarray, " steps"], steps_per_epoch: int) -> Float[np.ndarray, " steps"]:
    """e_t = log L_t - centred rolling median of log L, one epoch to either side.

    The median follows the trend of training and ignores single steps, so e is what jumps. At both ends the window is
    cut. NaN where the loss is not finite and positive.
    """
    usable = np.isfinite(loss) & (loss > 0)
    log = np.log(np.where(usable, loss, 1.0))
    series = pd.Series(np.where(usable, log, np.nan))
    median = series.rolling(2 * steps_per_epoch + 1, center=True, min_periods=1).median()
    return (series - median).to_numpy(dtype=float)


def volatility(residual: Float[np.ndarray, " steps"]) -> float:
    """Sd (denominator n - 1) of the residual over the last quarter of the steps; NaN if a loss there was unusable."""
    late = _last_quarter(residual)
    return float(late.std(ddof=1)) if len(late) > 1 else float("nan")


def spikes(residual: Float[np.ndarray, " steps"]) -> float:
    """Number of steps after the first 10 % with e_t > 6 x 1.4826 MAD(e); MAD over the same steps.

    NaN where no loss there was usable: such a run is not without spikes.
    """
    settled = residual[int(np.ceil(0.1 * len(residual))) :]
    known = settled[~np.isnan(settled)]
    if not len(known):
        return float("nan")
    deviation = float(np.median(np.abs(known - np.median(known))))
    return float((known > 6 * MAD_TO_SD * deviation).sum())


def late_sd(scores: Float[np.ndarray, " epochs"]) -> float:
    """Sd (denominator n - 1) of a score over the last quarter of the epochs; NaN below two epochs."""
    late = _last_quarter(scores)
    return float(late.std(ddof=1)) if len(late) > 1 else float("nan")


def quantile(values: Float[np.ndarray, " steps"], level: float) -> float:
    """Quantile of the finite values; NaN if there are none."""
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, level)) if len(finite) else float("nan")


def majority_f1(confusion: Shaped[np.ndarray, "classes classes"]) -> float:
    """Weighted F1 of always answering the most frequent label: p · 2p/(1 + p), p its share. Rows are labels."""
    support = confusion.sum(axis=1)
    share = float(support.max() / support.sum())
    return share * 2 * share / (1 + share)


def _last_quarter(values: Float[np.ndarray, " time"]) -> Float[np.ndarray, " late"]:
    return values[len(values) - int(np.ceil(len(values) / 4)) :]
