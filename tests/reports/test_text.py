import pytest

from reports.text import MISSING, number


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-0.04, 1, "0.0"), (-1.25, 2, "−1.25"), (12345.0, 0, "12,345"), (float("nan"), 1, MISSING)],
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value: float, digits: int, text: str):
    assert number(value, digits) == text
