"""A cheap part of the calibration of families that are followed until they are decided."""

import numpy as np
import pytest

from reports.statistics.sequential import Design
from tests.calibration import looks
from tests.calibration.measure import share


@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_over_all_looks_a_family_keeps_its_level_and_its_intervals_cover(shape):
    x = looks.paired(np.random.default_rng(1), 250, 0.5, shape, 3)
    ends = looks.followed(x, Design(spending="pocock", margin=looks.MARGIN))
    for errors in (looks.rejected(ends), looks.missed(ends)):
        found = share(errors)
        assert 0 < found["share"] <= found["bound"]


def test_a_difference_as_large_as_the_margin_is_seldom_shown_equal():
    x = looks.paired(np.random.default_rng(2), 250, 0.5, "normal", 1) + looks.MARGIN
    found = share(looks.equal(looks.followed(x, Design(spending="pocock", margin=looks.MARGIN))))
    assert 0 < found["share"] <= found["bound"]


def test_looking_as_often_with_the_fixed_test_would_be_too_bold():
    x = looks.paired(np.random.default_rng(3), 250, 0.5, "normal", 1)
    naive = [
        any(looks.rejected(looks.followed(family[None, :n], Design((n,), margin=1e-9)))[0] for n in (8, 12, 16, 20))
        for family in x
    ]
    assert np.mean(naive) > 0.07


def test_large_differences_take_few_seeds_and_small_ones_more():
    rows = {(r["spending"], r["truth"]): r for r in looks.seeds_and_power(60)}
    assert rows["pocock", 2.0]["seeds"] < rows["pocock", 0.5]["seeds"]
    assert rows["pocock", 2.0]["rejected"] > 0.9
    assert rows["pocock", 0.0]["shown equal"] > 0.5
