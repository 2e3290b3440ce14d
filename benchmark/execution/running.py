"""One run from its specification to its folder."""

import hashlib
import io
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from benchmark.data.conversations import Conversations
from benchmark.data.datasets import DataSet
from benchmark.data.splits import RunData, split
from benchmark.execution.store import Store
from benchmark.execution.tasks import Task
from benchmark.files import write_atomically, write_json
from benchmark.fingerprints import source_fingerprint
from benchmark.scoring import Scorer
from benchmark.training import checkpoint
from benchmark.training.probe import COLUMNS as PROBE_COLUMNS
from benchmark.training.trainer import HISTORY_COLUMNS, STEP_COLUMNS, Trainer, train
from css.interfaces import OBJECTIVES

_CLAIM_SECONDS = 0.5  # between two attempts at a run that another process is making
_load = lru_cache(maxsize=2)(DataSet.load)


def execute(task: Task, store: Store, on_epoch: Callable[[Trainer], None], stop: Callable[[], bool]) -> bool:
    """Make one run, from its checkpoint where there is one, and write its folder.

    Where another process is making it, that one is waited for.

    Returns:
        True when the run is complete, False when ``stop`` ended it after an epoch, its checkpoint written.
    """
    key = task.spec.key
    while not stop():
        with store.claim(key) as granted:
            if granted:
                return store.is_complete(key) or _make(task, store.folder(key), on_epoch, stop)
        time.sleep(_CLAIM_SECONDS)
    return False


def _make(task: Task, folder: Path, on_epoch: Callable[[Trainer], None], stop: Callable[[], bool]) -> bool:
    spec, start = task.spec, time.perf_counter()
    if source_fingerprint() != spec.provenance.source:
        raise RuntimeError("the source changed after the grid was started, so this run would not be what its key says")
    _reset_peak_memory(spec.provenance.device)
    conversations = _load(task.dataset)
    data = split(conversations, spec.seed)
    for left in (folder / "error.txt", *folder.glob(".*")):  # by earlier attempts; hidden: files cut off while written
        left.unlink(missing_ok=True)
    write_json(folder / "spec.json", spec.record())
    write_json(folder / "manifest.json", _manifest(task, data))

    trainer = Trainer(spec, data, spec.provenance.device)
    checkpoint.load_checkpoint(folder, trainer)
    earlier = sum(trainer.progress.seconds.values())

    def after_epoch(trainer: Trainer) -> None:
        checkpoint.save_checkpoint(folder, trainer)
        on_epoch(trainer)

    if not train(trainer, after_epoch, stop):
        return False
    _write_result(folder, trainer, conversations, data, earlier + time.perf_counter() - start)
    (folder / checkpoint.NAME).unlink(missing_ok=True)
    return True


def _write_result(folder: Path, trainer: Trainer, conversations: Conversations, data: RunData, seconds: float) -> None:
    """Write the run's tables, then ``result.json``, which makes the run complete."""
    progress = trainer.progress
    steps, history = np.concatenate(progress.steps), np.array(progress.history)
    conflict, by_epoch = np.array(progress.conflict), np.stack(progress.test_predictions)
    validation_f1 = history[:, HISTORY_COLUMNS.index("validation_weighted_f1")]
    assert progress.probabilities is not None
    probabilities = progress.probabilities.numpy()
    scorer = Scorer(conversations)
    scores = scorer.score(validation_f1.tolist(), by_epoch, probabilities)

    per_epoch = len(progress.steps[0])
    losses = dict(zip(STEP_COLUMNS, steps.T, strict=True))
    total = sum(losses[f"loss_{o}"] for o in OBJECTIVES)
    _write_table(
        folder / "steps.parquet",
        {"step": np.arange(len(steps)), "epoch": np.arange(len(steps)) // per_epoch + 1}
        | losses
        | {
            "skipped": losses["skipped"].astype(bool),
            "total": total,
            "finite": np.isfinite(total) & np.isfinite(losses["gradient_norm"]),
        },
    )
    epochs = np.arange(1, len(history) + 1)
    _write_table(folder / "history.parquet", {"epoch": epochs} | dict(zip(HISTORY_COLUMNS, history.T, strict=True)))
    probes = dict(zip(("step", "epoch", *PROBE_COLUMNS), conflict.T, strict=True))
    _write_table(
        folder / "conflict.parquet", probes | {name: probes[name].astype(np.int64) for name in ("step", "epoch")}
    )
    utterances = {
        "conversation": np.repeat(np.array(data.test.ids), data.test.lengths),
        "utterance": np.concatenate([np.arange(n) for n in data.test.lengths]),
    }
    _write_table(
        folder / "predictions.parquet",
        utterances
        | {"predicted": by_epoch[scores["validation"]["epoch"] - 1], "label": scorer.label}
        | {f"probability_{c}": column for c, column in enumerate(probabilities.T)},
    )
    _write_table(
        folder / "test_predictions.parquet",
        utterances | {f"epoch_{e}": row for e, row in zip(epochs, by_epoch, strict=True)},
    )
    write_json(
        folder / "result.json",
        scores
        | {
            "diverged": _diverged(steps, history),
            **trainer.counts(),
            "peak_memory": _peak_memory(trainer.spec.provenance.device),
            "timings": progress.seconds | {"total": seconds},
            "digests": {
                "weights": _digest(*(t.cpu().numpy() for t in trainer.model.state_dict().values())),
                "history": _digest(steps, history, conflict),
                "predictions": _digest(probabilities, by_epoch),
            },
        },
    )


def _manifest(task: Task, data: RunData) -> dict[str, Any]:
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "css-bench": version("css-bench"),
        },
        "hardware": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "device": torch.cuda.get_device_name() if task.spec.provenance.device == "cuda" else "cpu",
        },
        "git": task.git,
        "source": task.spec.provenance.source,
        "data": {
            "kind": task.dataset.kind,
            "description": task.dataset.description,
            "fingerprint": task.spec.provenance.data,
            "published": task.dataset.published,
            "classes": list(data.test.class_names),
            "conversations": {name: len(part) for name, part in parts.items()},
            "utterances": {name: part.utterances for name, part in parts.items()},
        },
    }


def _write_table(path: Path, columns: Mapping[str, npt.NDArray[Any]]) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(column) for name, column in columns.items()}), buffer)
    write_atomically(path, buffer.getvalue())


def _diverged(steps: npt.NDArray[np.float64], history: npt.NDArray[np.float64]) -> bool:
    """Whether a loss became non-finite, or validation loss exceeded twice its first value for 3 epochs in a row."""
    loss = history[:, HISTORY_COLUMNS.index("validation_loss")]
    high = np.convolve(loss > 2 * loss[0], np.ones(3), mode="valid") == 3
    return bool(high.any() or not (np.isfinite(steps[:, : len(OBJECTIVES)]).all() and np.isfinite(loss).all()))


def _digest(*arrays: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr((array.dtype.str, array.shape)).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _reset_peak_memory(device: str) -> None:
    """Start the peak anew for this run; where the system cannot, the worker's peak so far stands."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    elif sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")


def _peak_memory(device: str) -> int:
    """Bytes: peak allocated on the device, or peak resident of this process."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    if sys.platform == "linux":
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return int(status["VmHWM"].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
