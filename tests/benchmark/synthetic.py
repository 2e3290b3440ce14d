"""Run folders made in no time: whole, of the documented files, of no training."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.store.checksums import with_checksums

EPOCHS = 3


def write_run(runs: Path, key: str, /, state: str = "complete", **spec: Any) -> Path:
    """A run folder whose numbers depend on the key alone; keyword arguments are fields of its ``spec.json``."""
    folder = runs / key
    folder.mkdir(parents=True)
    record = {
        **{"format": 1, "key": key, "group": "g", "budget": "b", "dataset": "meld-sim", "method": "spf+pgm"},
        **{"label": "css", "seed": 0, "preset": "quick", "training": {"epochs": EPOCHS}},
        **{"provenance": {"data": "d" * 64, "source": "s", "torch": "t", "numpy": "n", "device": "cpu"}},
    }
    (folder / "spec.json").write_text(json.dumps(record | spec))
    if state == "failed":
        (folder / "error.txt").write_text("Traceback\nValueError: no such thing\n")
    if state != "complete":
        (folder / "checkpoint.safetensors").write_bytes(b"half of " + key.encode())
        return folder
    number = int(key, 16) % 97 / 100
    manifest = {
        "created": "2026-01-02T03:04:05+00:00",
        "versions": {"python": "3.12", "torch": "2.9", "numpy": "2.1", "css-bench": "0.1"},
        "hardware": {"processor": "p", "cores": 2, "device": "cpu"},
        "git": None,
        "source": "s" * 64,
        "data": {"kind": "simulated", "description": "made up", "fingerprint": "d" * 64, "classes": ["a", "b"]},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    epochs = list(range(1, EPOCHS + 1))
    tables: dict[str, dict[str, list[Any]]] = {
        "steps": {
            "step": list(range(2 * EPOCHS)),
            "epoch": [e for e in epochs for _ in range(2)],
            "loss_fused": [number + s for s in range(2 * EPOCHS)],
            "cos_fused_unimodal": [float("nan")] * 2 * EPOCHS,
        },
        "history": {"epoch": epochs, "validation_weighted_f1": [number] * EPOCHS},
        "conflict": {"step": [0, 2, 4], "epoch": epochs, "norm_fused": [number] * 3},
        "predictions": {
            "conversation": ["c", "c"],
            "utterance": [0, 1],
            "predicted": [0, 1],
            "probability_0": [0.5, 0.25],
        },
        "test_predictions": {"conversation": ["c", "c"], "utterance": [0, 1]} | {f"epoch_{e}": [0, 1] for e in epochs},
    }
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    scores = {"epoch": 2, "accuracy": number, "weighted_f1": number, "macro_f1": number}
    result = {
        "selected": scores | {"confusion": [[1, 0], [0, 1]]},
        "last": scores,
        "peak_test": scores,
        "validation": {"epoch": 2, "weighted_f1": number},
        "peak_memory": 2**30,
        "timings": {"total": 60.0},
        "digests": {"weights": "w" * 64, "history": "h" * 64, "predictions": "p" * 64},
    }
    (folder / "result.json").write_text(json.dumps(with_checksums(folder, result)))
    return folder


def rewrite(folder: Path, table: str, column: str, row: int, value: Any) -> None:
    """Change one value of a table, and the checksums with it."""
    content = pq.read_table(folder / f"{table}.parquet").to_pydict()
    content[column][row] = value
    pq.write_table(pa.table(content), folder / f"{table}.parquet")
    rewrite_result(folder)


def rewrite_result(folder: Path, **changes: Any) -> None:
    """Change fields of the result, and the checksums with them."""
    result = json.loads((folder / "result.json").read_text())
    kept = {name: value for name, value in result.items() if name not in ("files", "checksum")}
    (folder / "result.json").write_text(json.dumps(with_checksums(folder, kept | changes)))
