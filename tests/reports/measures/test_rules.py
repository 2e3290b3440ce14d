"""Rules for the choice of an epoch."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.measures.rules import best_epoch, fixed_epoch, last_epoch, smoothed_epoch

ALL = np.ones(9, dtype=bool)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_smoothed_curve_is_the_centred_rolling_median(validation: list[float]) -> None:
    medians = pd.Series(validation).rolling(5, center=True, min_periods=1).median()
    usable = np.ones(len(validation), dtype=bool)
    assert smoothed_epoch(np.array(validation), usable) == int(medians.idxmax()) + 1


def test_one_lucky_epoch_does_not_win_the_smoothed_curve() -> None:
    validation = np.array([0.1, 0.9, 0.1, 0.1, 0.2, 0.5, 0.5, 0.5, 0.4])
    assert smoothed_epoch(validation, ALL) == 6  # the median of 0.1, 0.2, 0.5, 0.5, 0.5


def test_an_epoch_that_is_not_finite_is_never_chosen_nor_counted() -> None:
    validation = np.array([0.1, 0.2, 0.9, np.nan, 0.3])
    usable = np.array([True, True, False, False, True])
    assert smoothed_epoch(validation, usable) == best_epoch(validation, usable) == 5
    assert last_epoch(usable) == 5
    assert last_epoch(np.array([True, False, False])) == 1
    assert fixed_epoch([3, 4], usable) == 0
    assert smoothed_epoch(validation, np.zeros(5, dtype=bool)) == last_epoch(np.zeros(5, dtype=bool)) == 0


@pytest.mark.parametrize(("others", "epoch"), [([], 0), ([4], 4), ([2, 9], 6), ([1, 2], 2)])
def test_the_fixed_epoch_is_the_mean_of_the_others(others: list[int], epoch: int) -> None:
    assert fixed_epoch(others, ALL) == epoch
