import pytest

from reports.text import MISSING, counted, number


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-0.04, 1, "0.0"), (-1.25, 2, "−1.25"), (12345.0, 0, "12,345"), (float("nan"), 1, MISSING)],
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value: float, digits: int, text: str):
    assert number(value, digits) == text


def test_a_number_of_things_is_in_the_singular_where_it_is_one():
    assert [counted(n, "seed") for n in (0, 1, 2)] == ["0 seeds", "1 seed", "2 seeds"]
    assert [counted(n, "run was", "runs were") for n in (1, 3)] == ["1 run was", "3 runs were"]
