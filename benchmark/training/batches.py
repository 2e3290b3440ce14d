"""Conversations to packed batches of tensors."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.data.conversations import Conversations
from benchmark.training.seeding import derive

_COLUMNS = 32  # whose deviations are computed at a time: all of them, in float64, are larger than the data


@dataclass(frozen=True)
class Batch:
    """Whole conversations end to end: features {m: [N, d_m]}, speakers [N], label [N] or None, lengths [B] (CPU)."""

    features: dict[str, Tensor]
    speakers: Tensor
    label: Tensor | None
    lengths: Tensor


class PackedData:
    """Conversations on a device, from which batches are gathered, and with a standardizer standardised.

    Not before: a worker on a CPU has no copy of the features, which others map too, and none is written to.
    """

    def __init__(self, conversations: Conversations, device: str, standardizer: "Standardizer | None" = None) -> None:
        self.conversations = conversations
        self.device = device
        label = conversations.label
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            self._features = {m: torch.from_numpy(x).to(device) for m, x in conversations.features.items()}
        self._standard = None if standardizer is None else standardizer.to(device)
        self._speaker = torch.from_numpy(conversations.speaker).to(device)
        self._label = None if label is None else torch.from_numpy(label).to(device)
        self._lengths = torch.from_numpy(conversations.lengths)

    def batch(self, members: Sequence[int] | npt.NDArray[np.int64]) -> Batch:
        """The named conversations as one packed batch."""
        rows = torch.from_numpy(self.conversations.rows(members)).to(self.device)
        return Batch(
            features={m: self._gathered(m, rows) for m in self._features},
            speakers=self._speaker[rows],
            label=None if self._label is None else self._label[rows],
            lengths=self._lengths[torch.as_tensor(np.asarray(members))],
        )

    def _gathered(self, modality: str, rows: Tensor) -> Tensor:
        x = self._features[modality][rows]
        if self._standard is None:
            return x
        mean, scale = self._standard[modality]
        return (x - mean) * scale

    def batches(self, size: int) -> int:
        """How many batches of ``size`` conversations an epoch has; the last may be smaller."""
        return -(-len(self.conversations) // size)

    def epoch(self, size: int, seed: int, epoch: int) -> Iterator[Batch]:
        """Batches of ``size`` conversations in the order that seed and epoch decide, the same for every method."""
        order = np.random.default_rng(derive(seed, "order", epoch)).permutation(len(self.conversations))
        for first in range(0, len(order), size):
            yield self.batch(order[first : first + size])

    def in_order(self, size: int) -> Iterator[Batch]:
        """All conversations in their own order, ``size`` to a batch."""
        for first in range(0, len(self.conversations), size):
            yield self.batch(range(first, min(first + size, len(self.conversations))))


@dataclass(frozen=True)
class Standardizer:
    """Shift and scale of every input feature to mean 0 and sd 1 over the data it was fitted on; constants become 0."""

    mean: dict[str, npt.NDArray[np.float32]]
    scale: dict[str, npt.NDArray[np.float32]]

    @staticmethod
    def fit(conversations: Conversations) -> "Standardizer":
        """Estimate from a run's training data alone."""
        mean, scale = {}, {}
        for m, x in conversations.features.items():
            columns = [x[:, first : first + _COLUMNS] for first in range(0, x.shape[1], _COLUMNS)]
            sd = np.concatenate([part.std(axis=0, dtype=np.float64) for part in columns])
            greatest = np.maximum(x.max(axis=0), -x.min(axis=0))
            varies = sd > 1e-8 * greatest  # relative: no unit makes a feature constant
            mean[m] = x.mean(axis=0, dtype=np.float64).astype(np.float32)
            scale[m] = np.where(varies, 1 / np.maximum(sd, 1e-30), 0).astype(np.float32)
        return Standardizer(mean, scale)

    def to(self, device: str) -> dict[str, tuple[Tensor, Tensor]]:
        """Shift and scale by modality, [d_m] each, on the device."""
        return {
            m: (torch.from_numpy(self.mean[m]).to(device), torch.from_numpy(self.scale[m]).to(device))
            for m in self.mean
        }
