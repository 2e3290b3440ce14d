"""Imported runs of a synthetic store."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

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
    epochs: int = 0,
) -> None:
    """Runs as docs/run-format.md says, seeds from ``first``; weighted F1 in points, accuracy a point above.

    With ``epochs`` they are whole runs, whose scores are those of their predictions and so only near to ``scores``.
    """
    like = next(r for r in read_store(store).runs if r.dataset == dataset and r.protocol == "validated")
    table = pd.read_parquet(like.folder / "predictions.parquet", columns=["conversation", "utterance", "label"])
    classes = len(like.manifest["data"]["classes"])
    for seed, score in enumerate(scores, first):
        group = hashed("imported", dataset, fingerprint, label, selection, paired, *([epochs] if epochs else []))
        key = hashed(group, seed, score)
        folder = store / "runs" / key
        folder.mkdir()
        rng = np.random.default_rng(seed)
        truth = table["label"].to_numpy()
        by_epoch = [
            np.where(rng.random(len(table)) < score / 100, truth, rng.integers(0, classes, len(table)))
            for _ in range(max(1, epochs))
        ]
        validation = rng.uniform(0.3, 0.7, max(1, epochs))
        selected = int(validation.argmax())
        predicted = by_epoch[selected]
        table.assign(predicted=predicted).to_parquet(folder / "predictions.parquet")
        spec = {
            "format": 1, "key": key, "group": group, "budget": hashed("imported", dataset, fingerprint),
            "dataset": dataset, "method": label, "label": label, "seed": seed, "preset": "imported",
            "protocol": "imported", "refit_of": None,
            "imported": {"selection": selection, "paired": paired, "predictions": hashed(key)}
            | ({"epochs": epochs, "by_epoch": hashed(key)} if epochs else {}),
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
        result = unknown | {"imported": found, "digests": {"predictions": hashed(key)}}
        if epochs:
            result |= _whole(folder, table, by_epoch, validation)
            result["imported"] |= {name: value for name, value in result["selected"].items() if name != "epoch"}
        for name, content in (("spec", spec), ("manifest", manifest), ("result", result)):
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def _whole(folder: Path, table: pd.DataFrame, by_epoch: list[Any], validation: Any) -> dict[str, Any]:
    """The files of a whole run, and what its result says of each choice of the epoch; its authors picked the last."""
    numbers = range(1, len(by_epoch) + 1)
    frame = table[["conversation", "utterance"]].assign(**{f"epoch_{e}": by_epoch[e - 1] for e in numbers})
    frame.to_parquet(folder / "test_predictions.parquet")
    pd.DataFrame({"epoch": numbers, "validation_weighted_f1": validation}).to_parquet(folder / "history.parquet")
    scores = [f1_score(table["label"], row, average="weighted", zero_division=0) for row in by_epoch]

    def at(index: int) -> dict[str, Any]:
        f1 = float(scores[index])
        return {"epoch": index + 1, "weighted_f1": f1, "accuracy": f1 + 0.01, "macro_f1": f1 - 0.02}

    selected = int(validation.argmax())
    return {
        "selected": at(selected), "last": at(-1) | {"epoch": len(scores)}, "peak_test": at(int(np.argmax(scores))),
        "picked": at(-1) | {"epoch": len(scores)},
        "validation": {"epoch": selected + 1, "weighted_f1": float(validation[selected])},
    }  # fmt: skip


def leave_imports_alone(store: Path) -> Path:
    """The store without the runs of this suite."""
    for run in read_store(store).runs:
        if run.protocol != "imported":
            shutil.rmtree(run.folder)
    return store
