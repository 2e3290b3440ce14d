from pathlib import Path

import numpy as np
import pytest

from reports.tables.cost import cost
from tests.reports.tables.stores import evidence_of, results, row


def test_cost_is_in_seconds_passes_and_mebibytes(store: Path):
    found = row(cost(evidence_of(store, "meld")).frame, "css")
    seconds = [r["timings"]["train"] for r in results(store, "meld", "css")]
    assert found["train_seconds_mean"] == pytest.approx(np.mean(seconds))
    assert found["seconds_per_epoch_mean"] == pytest.approx(np.mean(seconds) / 8)
    assert (found["peak_memory_mib_mean"], found["backward_passes_mean"]) == (512, 144)
