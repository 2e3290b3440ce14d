"""The weights of a run at its selected epoch: a file of its folder, which may be removed to save room."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from benchmark.base.errors import UserError
from benchmark.base.files import write_atomically

NAME = "weights.safetensors"


def copied(model: nn.Module) -> dict[str, Tensor]:
    """The model's parameters and buffers as they are now, on the CPU."""
    return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in model.state_dict().items()}


def save_weights(folder: Path, weights: Mapping[str, Tensor]) -> str:
    """Write the file, and return the digest of the weights that ``result.json`` keeps."""
    write_atomically(folder / NAME, save(dict(weights)))
    return digest(weights)


def load_weights(folder: Path, expected: str | None) -> dict[str, Tensor]:
    """The weights of a run whose result has this digest of them.

    Raises:
        UserError: the file is not there, or is not what was written.
    """
    if expected is None:
        raise UserError(f"{folder.name} was made before weights were kept: make it again in another store")
    path = folder / NAME
    try:
        weights = load(path.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"{path} was removed: make the run again in another store, which gives the same weights"
        ) from None
    except (OSError, SafetensorError) as error:
        raise UserError(f"cannot read {path} ({error}): put it back as it was written") from None
    if digest(weights) != expected:
        raise UserError(f"{path} is not what was written: its weights have another digest than result.json says")
    return weights


def digest(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes, in the order of the names."""
    result = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        result.update(repr((name, tensor.dtype, tuple(tensor.shape))).encode())
        result.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return result.hexdigest()
