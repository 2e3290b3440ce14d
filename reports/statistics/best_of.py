"""What a random search is worth: the expected score of the best of k trials."""

import numpy as np
from jaxtyping import Float


def expected_best_of(
    validation: Float[np.ndarray, " n"], score: Float[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, " n"]:
    """Expected score of the trial with the best validation among k of the n trials, for k = 1 … n.

    The k are drawn without replacement, which is unbiased for k < n where the trials are independent draws (Tang et
    al., ACL 2020, on Dodge et al., EMNLP 2019): the i-th smallest is the best of them with probability
    C(i - 1, k - 1) / C(n, k). `score` is what the chosen trial is then judged by, the validation itself by default;
    among trials that are equal on validation any may be chosen. No value may be NaN.
    """
    n = len(validation)
    distinct, group = np.unique(validation, return_inverse=True)
    values = distinct if score is None else np.bincount(group, weights=score) / np.bincount(group)
    return probability_best(n) @ values[np.sort(group)]


def probability_best(n: int) -> Float[np.ndarray, "n n"]:
    """Entry (k - 1, i - 1): probability that the best of k drawn without replacement is the i-th smallest of n."""
    k, i = np.arange(1, n + 1)[:, None], np.arange(1, n)[None, :]
    ratios = np.maximum(i - k + 1, 0) / i  # of i's probability to that of i + 1
    below = np.cumprod(ratios[:, ::-1], axis=1)[:, ::-1]
    return k / n * np.hstack([below, np.ones((n, 1))])
