"""A run in progress to a file and back: one safetensors file, replaced atomically after every epoch."""

from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from benchmark.base.files import write_atomically
from benchmark.training.trainer import Kept, Progress, Trainer
from benchmark.training.weights import digest

NAME = "checkpoint.safetensors"


def save_checkpoint(folder: Path, trainer: Trainer) -> None:
    """Write everything that decides how the run goes on, and all it has recorded."""
    progress = trainer.progress
    records = {
        "progress.steps": torch.from_numpy(np.stack(progress.steps)),
        "progress.history": torch.tensor(progress.history, dtype=torch.float64),
        "progress.conflict": torch.tensor(progress.conflict, dtype=torch.float64),
        "progress.test_predictions": torch.from_numpy(np.stack(progress.test_predictions)),
        "progress.seconds": torch.tensor(list(progress.seconds.values()), dtype=torch.float64),
    }
    for epoch, kept in progress.kept.items():
        records[f"kept.{epoch}.probabilities"] = kept.probabilities
        records |= {f"kept.{epoch}.weights.{name}": t for name, t in kept.weights.items()}
    tensors = {name: t.cpu().contiguous() for name, t in (trainer.state() | records).items()}
    write_atomically(folder / NAME, save(tensors, metadata={"key": trainer.spec.key, "sha256": digest(tensors)}))


def load_checkpoint(folder: Path, trainer: Trainer) -> bool:
    """Continue from the folder's checkpoint; False, with the trainer untouched, where there is none that is whole."""
    try:
        with safe_open(folder / NAME, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
            written = file.metadata() or {}
    except (FileNotFoundError, SafetensorError):
        return False
    if written.get("key") != trainer.spec.key or written.get("sha256") != digest(tensors):
        return False
    trainer.load_state(tensors)
    trainer.progress = Progress(
        steps=list(tensors["progress.steps"].numpy()),
        history=tensors["progress.history"].tolist(),
        conflict=tensors["progress.conflict"].tolist(),
        test_predictions=list(tensors["progress.test_predictions"].numpy()),
        kept=_kept(tensors),
        selection=trainer.spec.training.selection,
        seconds=dict(zip(trainer.progress.seconds, tensors["progress.seconds"].tolist(), strict=True)),
    )
    return True


def _kept(tensors: dict[str, Tensor]) -> dict[int, Kept]:
    """What was kept of epochs that may be the selected one, by epoch."""
    parts: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("kept."):
            _, epoch, part = name.split(".", 2)
            parts.setdefault(int(epoch), {})[part] = tensor
    return {
        epoch: Kept(
            probabilities=part.pop("probabilities"),
            weights={name.removeprefix("weights."): tensor for name, tensor in part.items()},
        )
        for epoch, part in sorted(parts.items())
    }
