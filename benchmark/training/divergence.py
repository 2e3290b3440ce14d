"""Whether a finished run diverged."""

import numpy as np
import numpy.typing as npt

PATIENCE = 3
"""Epochs in a row that the validation loss has to stay high."""


def diverged(
    losses: npt.NDArray[np.float64], finite: npt.NDArray[np.bool_], validation_loss: npt.NDArray[np.float64] | None
) -> bool:
    """Whether a loss or a logit became non-finite, or the validation loss exceeded twice its first value for 3 epochs.

    Args:
        losses: of the training steps, a column an objective that the method has.
        finite: whether all logits on validation and test data were finite, by epoch.
        validation_loss: by epoch; None without validation data.
    """
    if not (np.isfinite(losses).all() and finite.all()):
        return True
    if validation_loss is None:
        return False
    high = np.convolve(validation_loss > 2 * validation_loss[0], np.ones(PATIENCE), mode="valid") == PATIENCE
    return bool(high.any())
