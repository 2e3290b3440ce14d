"""A run in progress to a file and back: one safetensors file, replaced atomically after every epoch."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from benchmark.base.files import write_atomically
from benchmark.training.trainer import Progress, Trainer

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
    if progress.probabilities is not None:
        records["progress.probabilities"] = progress.probabilities
    tensors = {name: t.cpu().contiguous() for name, t in (trainer.state() | records).items()}
    write_atomically(folder / NAME, save(tensors, metadata={"key": trainer.spec.key, "sha256": _digest(tensors)}))


def load_checkpoint(folder: Path, trainer: Trainer) -> bool:
    """Continue from the folder's checkpoint; False, with the trainer untouched, where there is none that is whole."""
    try:
        with safe_open(folder / NAME, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
            written = file.metadata() or {}
    except (FileNotFoundError, SafetensorError):
        return False
    if written.get("key") != trainer.spec.key or written.get("sha256") != _digest(tensors):
        return False
    trainer.load_state(tensors)
    trainer.progress = Progress(
        steps=list(tensors["progress.steps"].numpy()),
        history=tensors["progress.history"].tolist(),
        conflict=tensors["progress.conflict"].tolist(),
        test_predictions=list(tensors["progress.test_predictions"].numpy()),
        probabilities=tensors.get("progress.probabilities"),
        seconds=dict(zip(trainer.progress.seconds, tensors["progress.seconds"].tolist(), strict=True)),
    )
    return True


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes: the format itself has no checksum."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(repr((name, tensor.dtype, tuple(tensor.shape))).encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
