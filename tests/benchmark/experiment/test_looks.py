import pytest

from benchmark.base.errors import UserError
from benchmark.experiment.looks import check_spending, parse_looks


@pytest.mark.parametrize(
    ("looks", "seeds", "expected"),
    [
        (None, None, (8, 12, 16, 20, 30)),
        (None, 14, (8, 12, 14)),
        (None, 5, (5,)),
        (None, 40, (8, 12, 16, 20, 30, 40)),
        ("8, 12,16", None, (8, 12, 16)),
        ([6, 9], 9, (6, 9)),
    ],
)
def test_looks_end_with_the_seeds(looks, seeds, expected):
    assert parse_looks(looks, seeds) == expected


@pytest.mark.parametrize("looks", ["", "8,8", "12,8", "1,4", "8;12", "many"])
def test_looks_that_cannot_be_are_refused(looks):
    with pytest.raises(UserError, match="give increasing numbers of seeds from 2 on"):
        parse_looks(looks, None)


def test_looks_that_do_not_end_with_the_seeds_are_refused():
    with pytest.raises(UserError, match="the last look is at 12 seeds, and --seeds names 10"):
        parse_looks("8,12", 10)


def test_a_spending_function_has_a_name():
    assert (check_spending(None), check_spending("pocock")) == ("obrien-fleming", "pocock")
    with pytest.raises(UserError, match="unknown spending 'pokock'"):
        check_spending("pokock")
