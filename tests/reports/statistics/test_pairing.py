import numpy as np
import pandas as pd
import pytest

from reports.statistics import align, paired_comparison


def test_values_are_paired_by_seed_and_lacking_ones_are_named():
    aligned = align({3: 1.0, 1: 2.0, 2: float("nan"), 9: 5.0}, pd.Series({1: 10.0, 3: 20.0, 2: 30.0, 7: 4.0}))
    assert aligned.seeds == (1, 3)
    assert aligned.dropped == (2, 7, 9)
    np.testing.assert_array_equal(aligned.values, [[2.0, 1.0], [10.0, 20.0]])


def test_arrays_are_paired_by_position_and_a_missing_value_drops_its_seed():
    aligned = align([1.0, 2.0, 3.0], np.array([4.0, np.nan, 6.0]))
    assert aligned.seeds == (0, 2)
    assert aligned.dropped == (1,)


def test_a_value_of_none_is_unknown():
    assert align({0: None, 1: 1.0}, {0: 1.0, 1: 2.0}).seeds == (1,)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0, 2.0], [1.0], "by position"),
        ({0: 1.0}, [1.0], "plain array"),
        (pd.Series([1.0, 2.0], index=[4, 4]), pd.Series({4: 1.0}), "given twice"),
    ],
)
def test_what_cannot_be_paired_is_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        paired_comparison(a, b)
