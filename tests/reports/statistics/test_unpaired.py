"""Runs that are not paired: Welch's interval against scipy, the permutation test against enumeration."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from reports.statistics import Verdict, judge_unpaired, unpaired_comparison

RNG = np.random.default_rng(0)
CASES = [(RNG.normal(70, 1, n), RNG.normal(69.5, spread, m)) for n, m, spread in ((10, 8, 0.5), (8, 20, 3), (2, 3, 1))]


@pytest.mark.parametrize(("a", "b"), CASES)
def test_interval_and_p_are_welchs(a, b):
    found, expected = unpaired_comparison(a, b), stats.ttest_ind(a, b, equal_var=False)
    assert found.mean == pytest.approx(a.mean() - b.mean())
    assert found.degrees == pytest.approx(expected.df)
    assert found.p_welch == pytest.approx(expected.pvalue)
    for interval, level in ((found.interval, 0.95), (found.interval_90, 0.90)):
        assert tuple(interval) == pytest.approx(tuple(expected.confidence_interval(level)))


@pytest.mark.parametrize(("n", "m"), [(5, 3), (4, 4), (2, 6)])
def test_the_permutation_p_counts_every_division_into_groups(n, m):
    a, b = RNG.normal(0, 1, n), RNG.normal(1, 2, m)
    both, ts = np.concatenate([a, b]), []
    for chosen in combinations(range(n + m), n):
        rest = [i for i in range(n + m) if i not in chosen]
        ts.append(abs(stats.ttest_ind(both[list(chosen)], both[rest], equal_var=False).statistic))
    observed = abs(stats.ttest_ind(a, b, equal_var=False).statistic)
    assert unpaired_comparison(a, b).p == pytest.approx(np.mean(np.array(ts) >= observed - 1e-9))


def test_drawn_permutations_agree_with_scipys():
    a, b = RNG.normal(0, 1, 9), RNG.normal(0.8, 1, 9)  # 48,620 divisions
    exact = stats.ttest_ind(a, b, equal_var=False, method=stats.PermutationMethod(n_resamples=50_000)).pvalue
    found = unpaired_comparison(a, b)
    assert found.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 9_999))
    assert found == unpaired_comparison(a, b)


def test_values_without_spread_differ_or_do_not():
    apart, same = unpaired_comparison([1.0] * 4, [2.0] * 4), unpaired_comparison([1.0] * 4, [1.0] * 3)
    assert (apart.mean, apart.p, apart.p_welch) == (-1.0, pytest.approx(2 / math.comb(8, 4)), 0.0)
    assert (same.mean, same.p, same.p_welch) == (0.0, 1.0, 1.0)


def test_a_single_run_has_a_difference_and_no_more():
    found = unpaired_comparison(np.array([1.0, 2.0, np.nan]), np.array([4.0]))
    assert (found.n_a, found.n_b, found.mean) == (2, 1, -2.5)
    assert all(map(math.isnan, (found.se, found.p, *found.interval)))
    judged = judge_unpaired(found, found.p, label="css − SDT", margin=0.5)
    assert judged.verdict is Verdict.TOO_FEW_SEEDS
    said = (
        "css − SDT: −2.50 F1, 2 and 1 runs, not paired; a test needs 8 of each; one seed, no interval: too few seeds."
    )
    assert judged.sentence == said


@pytest.mark.parametrize(
    ("shift", "spread", "p", "verdict"),
    [
        (2.0, 0.5, None, Verdict.SUPPORTED),
        (-2.0, 0.5, None, Verdict.CONTRADICTED),
        (0.0, 0.1, None, Verdict.SHOWN_EQUAL),
        (0.25, 0.05, None, Verdict.WITHIN_MARGIN),
        (0.0, 2.0, None, Verdict.UNDERPOWERED),
        (0.33, 0.28, 0.3, Verdict.NO_DIFFERENCE_SHOWN),
    ],
)
def test_verdicts_of_unpaired_runs(shift, spread, p, verdict):
    values = stats.norm.ppf(np.arange(0.05, 1, 0.1)) * spread  # ten runs of a normal sample's shape
    c = unpaired_comparison(70 + shift + values, 70 + values)
    p = c.p if p is None else p  # as adjusted
    judged = judge_unpaired(c, p, label="css − SDT", margin=0.5)
    assert judged.verdict is verdict, judged.sentence
    assert "10 and 10 runs, not paired" in judged.sentence
    opposite = judge_unpaired(c, p, label="css − SDT", margin=0.5, claim=-1).verdict
    swapped = {Verdict.SUPPORTED: Verdict.CONTRADICTED, Verdict.CONTRADICTED: Verdict.SUPPORTED}
    assert opposite is swapped.get(verdict, verdict)
    with pytest.raises(ValueError, match="margin positive"):
        judge_unpaired(c, c.p, label="", margin=0)


def test_power_is_that_of_welchs_test():
    """Simulated with the standard error that the verdict takes for the true one."""
    values = stats.norm.ppf(np.arange(0.05, 1, 0.1)) * 0.4
    judged = judge_unpaired(unpaired_comparison(values, values), 1.0, label="", margin=0.5)
    c = unpaired_comparison(values, values)
    limit = c.se * math.sqrt(c.degrees / stats.chi2.ppf(0.2, c.degrees))
    sd = limit * math.sqrt(10 / 2)
    x, y = (np.random.default_rng(i).normal(0.5 * (1 - i), sd, (20_000, 10)) for i in (0, 1))
    seen = (stats.ttest_ind(x, y, axis=1, equal_var=False).pvalue <= 0.05).mean()
    assert judged.numbers["power"] == pytest.approx(seen, abs=0.015)
