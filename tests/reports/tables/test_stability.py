from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.tables.stability import stability
from tests.reports.tables.stores import evidence_of, folders, results, row


def test_stability_describes_the_final_score_and_the_losses(store: Path):
    found = row(stability(evidence_of(store, "meld")).frame, "css")
    final = [r["selected"]["weighted_f1"] for r in results(store, "meld", "css")]
    assert found["final_sd"] == pytest.approx(np.std(final, ddof=1))
    assert found["final_variance"] == pytest.approx(np.var(final, ddof=1))
    assert found["final_range"] == pytest.approx(max(final) - min(final))
    histories = [pd.read_parquet(f / "history.parquet") for f in folders(store, "meld", "css")]
    losses = np.stack([h["train_loss_fused"] for h in histories])
    assert found["loss_variance_fused"] == pytest.approx(losses.var(axis=0, ddof=1).mean())
    late = [h["validation_weighted_f1"].iloc[-2:].std() for h in histories]
    assert found["late_validation_f1_sd_mean"] == pytest.approx(np.mean(late))
    steps = [pd.read_parquet(f / "steps.parquet") for f in folders(store, "meld", "css")]
    assert found["gradient_norm_q99_mean"] == pytest.approx(np.mean([s["gradient_norm"].quantile(0.99) for s in steps]))
    assert found["diverged_count"] == 0


def test_a_run_no_better_than_the_majority_class_diverged(store: Path, edit_json):
    folder = folders(store, "meld", "css")[0]
    selected = results(store, "meld", "css")[0]["selected"]
    edit_json(folder / "result.json", selected=selected | {"weighted_f1": 0.03})
    other = folders(store, "meld", "css")[1]
    edit_json(other / "result.json", diverged=True)
    assert row(stability(evidence_of(store, "meld")).frame, "css")["diverged_count"] == 2
