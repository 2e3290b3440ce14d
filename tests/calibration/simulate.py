"""Scores of methods over seeds with a known answer: correlated within a seed, of a chosen shape."""

import numpy as np
from scipy import stats

SHAPES = ("normal", "skewed", "heavy")


def scores(rng, runs, seeds, methods, correlation, shape):
    """[runs, seeds, methods]: a normal copula, `correlation` between any two methods of a seed.

    skewed: log-normal (σ = 1, skewness 6.2). heavy: Student t with 3 degrees of freedom. All methods are alike.
    """
    common = np.sqrt(correlation) * rng.standard_normal((runs, seeds, 1))
    z = common + np.sqrt(1 - correlation) * rng.standard_normal((runs, seeds, methods))
    if shape == "skewed":
        return np.exp(z)
    return stats.t.ppf(stats.norm.cdf(z), 3) if shape == "heavy" else z


def standard_error(share, runs):
    """Of a measured share; of a share of 0 or 1 that of one run more."""
    share = np.clip(share, 1 / (runs + 1), runs / (runs + 1))
    return float(np.sqrt(share * (1 - share) / runs))
