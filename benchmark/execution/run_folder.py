"""What a run leaves behind: its folder, written as docs/run-format.md says."""

import hashlib
import os
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmark.base.files import read_object, write_json
from benchmark.data.conversations import Conversations
from benchmark.data.defects.remedies import Change
from benchmark.data.splits import RunData
from benchmark.evaluation.scoring import Scorer
from benchmark.execution.memory import peak_memory
from benchmark.execution.tasks import Task
from benchmark.store.checksums import with_checksums
from benchmark.store.parquet import write_table
from benchmark.training.directions import directions, is_common
from benchmark.training.divergence import diverged
from benchmark.training.trainer import HISTORY_COLUMNS, Trainer
from benchmark.training.weights import save_weights


def write_result(folder: Path, trainer: Trainer, conversations: Conversations, data: RunData, seconds: float) -> None:
    """Write the run's tables, then ``result.json``, which makes the run complete."""
    progress = trainer.progress
    steps, history = np.concatenate(progress.steps), np.array(progress.history)
    conflict, by_epoch = np.array(progress.conflict), np.stack(progress.test_predictions)
    assert progress.probabilities is not None
    probabilities = progress.probabilities.numpy()
    scorer = Scorer(conversations)
    selected = progress.selected
    finite = np.array(progress.column("finite"), dtype=bool)
    chosen = (selected, progress.column("validation_weighted_f1")[selected - 1]) if selected else None
    scores = scorer.score(chosen, by_epoch, probabilities, finite)

    per_epoch = len(progress.steps[0])
    losses = dict(zip(trainer.step_columns, steps.T, strict=True))
    recorded = np.stack([losses[f"loss_{name}"] for name in trainer.objective.names], axis=1)
    total = sum(recorded.T)
    write_table(
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
    by_name = dict(zip(HISTORY_COLUMNS, history.T, strict=True))
    write_table(folder / "history.parquet", {"epoch": epochs} | by_name | {"finite": finite})
    probes = dict(zip(trainer.probe_columns, conflict.T, strict=True))
    at = {name: probes[name].astype(np.int64) for name in ("step", "epoch")}
    write_table(folder / "conflict.parquet", probes | at)
    start = time.perf_counter()
    if is_common(trainer.spec.method):
        traces = directions(probes, trainer.spec.seed)
        probe = traces.pop("probe")
        write_table(folder / "directions.parquet", {name: column[probe] for name, column in at.items()} | traces)
    probing = time.perf_counter() - start
    utterances = {
        "conversation": np.repeat(np.array(data.test.ids), data.test.lengths),
        "utterance": np.concatenate([np.arange(n) for n in data.test.lengths]),
    }
    write_table(
        folder / "predictions.parquet",
        utterances
        | {"predicted": by_epoch[selected - 1 if selected else -1], "label": scorer.label}
        | {f"probability_{c}": column for c, column in enumerate(probabilities.T)},
    )
    write_table(
        folder / "test_predictions.parquet",
        utterances | {f"epoch_{e}": row for e, row in zip(epochs, by_epoch, strict=True)},
    )
    result = scores | {
        "diverged": diverged(recorded, finite, np.array(progress.column("validation_loss")) if selected else None),
        **trainer.counts(),
        "peak_memory": peak_memory(trainer.spec.provenance.device),
        "timings": progress.seconds | {"probe": progress.seconds["probe"] + probing, "total": seconds + probing},
        "digests": {
            "weights": _digest(*(t.cpu().numpy() for t in trainer.model.state_dict().values())),
            "history": _digest(steps, history, conflict),
            "predictions": _digest(probabilities, by_epoch),
            "selected_weights": save_weights(folder, progress.weights),
        },
    }
    write_json(folder / "result.json", with_checksums(folder, result))


def begun(folder: Path) -> str:
    """When the run's first attempt began, as its folder says: an earlier one is not made later by going on with it."""
    now = datetime.now(UTC)
    with suppress(OSError, ValueError, KeyError, TypeError):
        now = min(now, datetime.fromisoformat(read_object(folder / "manifest.json")["created"]))
    return now.isoformat(timespec="seconds")


def manifest(task: Task, data: RunData, changes: Sequence[Change], created: str) -> dict[str, Any]:
    """The content of ``manifest.json``: where the run came from; ``changes`` are those of the data's remedies."""
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    sizes = {name: (len(part), part.utterances) if part else (0, 0) for name, part in parts.items()}
    return {
        "created": created,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "css-bench": version("css-bench"),
        },
        "hardware": {
            "processor": _processor(),
            "kernels": _kernels(),
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
            "remedies": [asdict(change) for change in changes],
            "audit": task.examination.get("audit"),
            "ceiling": task.examination.get("ceiling"),
            "references": task.examination.get("references"),
            "classes": list(data.test.class_names),
            "validation_sessions": data.turns,
            "conversations": {name: conversations for name, (conversations, _) in sizes.items()},
            "utterances": {name: utterances for name, (_, utterances) in sizes.items()},
        },
    }


def _digest(*arrays: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr((array.dtype.str, array.shape)).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _kernels() -> str:
    """Which of the processor's instructions are used: ATEN_CPU_CAPABILITY and MKL's own variable change bits."""
    limit = os.environ.get("MKL_ENABLE_INSTRUCTIONS")
    return torch.backends.cpu.get_cpu_capability() + (f", MKL limited to {limit}" if limit else "")


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
