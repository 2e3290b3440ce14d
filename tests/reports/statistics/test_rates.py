from itertools import product

import numpy as np
import pytest
from scipy import stats

from reports.statistics import Verdict, judge_rates, rate_comparison
from reports.statistics.rates import difference_interval, upper_bound


def rates(only_a, only_b, both, neither):
    events = [(1, 0)] * only_a + [(0, 1)] * only_b + [(1, 1)] * both + [(0, 0)] * neither
    return rate_comparison(*np.array(events, dtype=float).reshape(-1, 2).T)


def judged(comparison, margin=10.0):
    return judge_rates(comparison, comparison.difference.p, label="css − b, diverged runs", margin=margin)


@pytest.mark.parametrize(("n", "bound"), [(8, 31), (12, 22), (60, 5)])
def test_no_event_on_either_side_is_too_few_and_shows_nothing_equal(n, bound):
    found = judged(rates(0, 0, 0, n))
    assert found.verdict is found.alone is Verdict.TOO_FEW_EVENTS
    assert (
        f"0 of {n} against 0 of {n}; without an event in {n} runs the true share may be up to {bound} %"
        in found.sentence
    )
    assert upper_bound(0, n) == pytest.approx(1 - 0.05 ** (1 / n))


def test_few_seeds_and_none_come_first():
    assert judged(rates(0, 0, 0, 7)).verdict is Verdict.TOO_FEW_SEEDS
    assert judged(rates(0, 0, 0, 0)).verdict is Verdict.NOT_TESTABLE


def test_p_is_that_of_the_exact_mcnemar_test():
    for only_a, only_b in ((0, 6), (1, 7), (3, 3)):
        p = rates(only_a, only_b, 1, 2).difference.p
        assert p == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)


def test_the_same_events_on_both_sides_are_no_equality_of_a_few_seeds():
    found = judged(rates(0, 0, 2, 8))
    assert found.verdict is Verdict.UNDERPOWERED
    assert found.numbers["low_90"] < -10
    assert judged(rates(0, 0, 2, 58)).verdict is Verdict.SHOWN_EQUAL


def test_fewer_events_support_and_more_contradict():
    assert judged(rates(0, 8, 0, 2)).verdict is Verdict.SUPPORTED
    assert judged(rates(8, 0, 0, 2)).verdict is Verdict.CONTRADICTED


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize(("p_a", "p_b"), [(0.0, 0.0), (0.05, 0.05), (0.3, 0.1), (0.5, 0.5), (0.02, 0.4)])
def test_the_interval_covers_at_least_as_often_as_it_says(confidence, p_a, p_b):
    """All outcomes of 12 seeds with their multinomial probability."""
    n, covered = 12, 0.0
    for a, b in product(range(n + 1), repeat=2):
        if a + b <= n:
            low, high = difference_interval(a, b, n, confidence)
            chance = stats.multinomial.pmf([a, b, n - a - b], n, [p_a, p_b, 1 - p_a - p_b])
            covered += chance * (low <= 100 * (p_a - p_b) <= high)
    assert covered >= confidence
