import numpy as np
import pytest

from benchmark.training.divergence import diverged

LOSSES = np.ones((4, 3))
FINITE = np.ones(5, dtype=bool)


def test_a_loss_or_a_logit_that_is_not_finite_is_divergence() -> None:
    assert not diverged(LOSSES, FINITE, None)
    for value in (np.nan, np.inf):
        assert diverged(np.where(np.eye(4, 3) > 0, value, LOSSES), FINITE, None)
    assert diverged(LOSSES, FINITE & (np.arange(5) != 2), np.ones(5))
    assert diverged(LOSSES, FINITE & (np.arange(5) != 2), None)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ([1, 2.1, 2.1, 2.1, 1], True),
        ([1, 2, 2, 2, 2], False),  # twice, and not more
        ([1, 2.1, 2.1, 1, 2.1], False),  # never three in a row
        ([3, 2.1, 2.1, 2.1, 2.1], False),
    ],
)
def test_a_validation_loss_above_twice_its_first_value_for_three_epochs_is_divergence(
    loss: list[float], expected: bool
) -> None:
    assert diverged(LOSSES, FINITE, np.array(loss)) is expected
