"""Imported runs of a synthetic store."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from reports.reading.runs import read_store
from tests.reports.synthetic_runs import confusion_of, hashed


def write_import(
    store: Path,
    scores: Sequence[float],
    label: str = "SDT",
    dataset: str = "meld",
    selection: str = "unknown",
    paired: bool = False,
    fingerprint: str = "d" * 64,
    first: int = 0,
) -> None:
    """Runs as docs/run-format.md says, seeds from ``first``; weighted F1 in points, accuracy a point above."""
    like = next(r for r in read_store(store).runs if r.dataset == dataset and r.protocol == "validated")
    table = pd.read_parquet(like.folder / "predictions.parquet", columns=["conversation", "utterance", "label"])
    classes = len(like.manifest["data"]["classes"])
    for seed, score in enumerate(scores, first):
        group = hashed("imported", dataset, fingerprint, label, selection, paired)
        key = hashed(group, seed, score)
        folder = store / "runs" / key
        folder.mkdir()
        rng = np.random.default_rng(seed)
        predicted = np.where(rng.random(len(table)) < score / 100, table["label"], rng.integers(0, classes, len(table)))
        table.assign(predicted=predicted).to_parquet(folder / "predictions.parquet")
        spec = {
            "format": 1, "key": key, "group": group, "budget": hashed("imported", dataset, fingerprint),
            "dataset": dataset, "method": label, "label": label, "seed": seed, "preset": "imported",
            "protocol": "imported", "refit_of": None,
            "imported": {"selection": selection, "paired": paired, "predictions": "0" * 64},
        }  # fmt: skip
        manifest = {
            "created": "2025-01-01T00:00:00+00:00", "versions": {}, "hardware": {}, "git": None, "source": None,
            "imported_from": {"file": "theirs.csv", "sha256": "a" * 64},
            "data": dict(like.manifest["data"]) | {"fingerprint": fingerprint},
        }  # fmt: skip
        f1 = score / 100
        counts = confusion_of(table["label"].to_numpy(), predicted, classes).tolist()
        found = {"accuracy": f1 + 0.01, "weighted_f1": f1, "macro_f1": f1 - 0.02, "confusion": counts}
        unknown = dict.fromkeys(("selected", "last", "peak_test", "validation"))
        result = unknown | {"imported": found, "digests": {"predictions": "0" * 64}}
        for name, content in (("spec", spec), ("manifest", manifest), ("result", result)):
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
