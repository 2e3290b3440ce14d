"""An aggregator is told of every epoch's end: dynamic weight average in a run has the published weights."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmark.training.trainer import STEP_COLUMNS, Trainer, train
from css.interfaces import OBJECTIVES

Make = Callable[..., Trainer]


@pytest.mark.parametrize("probe_every", [1, 1000])
def test_dynamic_weight_average_follows_the_epochs_losses(probe_every: int, make_trainer: Make) -> None:
    trainer = make_trainer("dwa(temperature=0.1)", epochs=4, probe_every=probe_every)
    train(trainer)
    weights = [STEP_COLUMNS.index(f"weight_{o}") for o in OBJECTIVES]
    mean = np.array([[row[: len(OBJECTIVES)]] for row in trainer.progress.history]).squeeze(1)
    for epoch, steps in enumerate(trainer.progress.steps):
        raised = np.exp(mean[epoch - 1] / mean[epoch - 2] / 0.1) if epoch >= 2 else np.ones(len(OBJECTIVES))
        np.testing.assert_allclose(steps[:, weights], np.tile(raised / raised.sum(), (len(steps), 1)), rtol=1e-4)
    assert np.ptp(trainer.progress.steps[-1][:, weights]) > 1e-3
