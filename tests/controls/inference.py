"""Standard errors over conversations, and equivalence of paired runs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean, its standard error, and the ends of a confidence interval."""

    mean: float
    se: float
    low: float
    high: float


def over_conversations(values: Floats, conversation: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Mean of values [n] and its standard error with conversations [n] as units (linearised ratio of two totals)."""
    mean = values.mean()
    _, unit = np.unique(conversation, return_inverse=True)
    units = unit.max() + 1
    totals = np.bincount(unit, values - mean)
    return float(mean), float(np.sqrt(units / (units - 1) * np.square(totals).sum()) / len(values))


def over_runs(values: npt.ArrayLike, confidence: float = 0.95) -> Estimate:
    """Mean of one value a run, with Student's interval."""
    x = np.asarray(values, np.float64)
    se = float(stats.sem(x))
    half = float(stats.t.ppf(0.5 + confidence / 2, len(x) - 1)) * se
    return Estimate(float(x.mean()), se, float(x.mean()) - half, float(x.mean()) + half)


def equivalence_p(differences: npt.ArrayLike, margin: float) -> float:
    """TOST of paired differences (Schuirmann 1987): p of "the mean is outside ± margin", the larger of two t tests'."""
    x = np.asarray(differences, np.float64)
    above = stats.ttest_1samp(x, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(x, margin, alternative="less").pvalue
    return float(max(above, below))


def equivalence_power(n: int, sd: float, margin: float, alpha: float = 0.05, draws: int = 20_000) -> float:
    """Chance that n paired differences of mean 0 pass the TOST, by simulation of mean and variance; always the same."""
    rng = np.random.default_rng(0)
    mean = sd / np.sqrt(n) * rng.standard_normal(draws)
    se = sd * np.sqrt(rng.chisquare(n - 1, draws) / (n - 1) / n)
    return float(np.mean(np.abs(mean) + stats.t.ppf(1 - alpha, n - 1) * se < margin))


def seeds_needed(sd: float, margin: float, power: float = 0.9, least: int = 5, most: int = 40) -> int:
    """The fewest seeds whose TOST has that power where nothing differs; ``most`` if none up to there has."""
    return next((n for n in range(least, most) if equivalence_power(n, sd, margin) >= power), most)


def upper_sd(differences: npt.ArrayLike, confidence: float = 0.8) -> float:
    """Upper confidence limit of the sd behind a pilot's differences, which a few runs tell only roughly."""
    x = np.asarray(differences, np.float64)
    return float(np.sqrt((len(x) - 1) * x.var(ddof=1) / stats.chi2.ppf(1 - confidence, len(x) - 1)))
