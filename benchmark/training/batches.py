"""Conversations to packed batches of tensors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.data.conversations import Conversations
from benchmark.training.seeding import derive


@dataclass(frozen=True)
class Batch:
    """Whole conversations end to end: features {m: [N, d_m]}, speakers [N], label [N] or None, lengths [B] (CPU)."""

    features: dict[str, Tensor]
    speakers: Tensor
    label: Tensor | None
    lengths: Tensor


class PackedData:
    """Conversations on a device, from which batches are gathered."""

    def __init__(self, conversations: Conversations, device: str) -> None:
        self.conversations = conversations
        self.device = device
        label = conversations.label
        self._features = {m: torch.from_numpy(x).to(device) for m, x in conversations.features.items()}
        self._speaker = torch.from_numpy(conversations.speaker).to(device)
        self._label = None if label is None else torch.from_numpy(label).to(device)
        self._lengths = torch.from_numpy(conversations.lengths)

    def batch(self, members: Sequence[int] | npt.NDArray[np.int64]) -> Batch:
        """The named conversations as one packed batch."""
        rows = torch.from_numpy(self.conversations.rows(members)).to(self.device)
        return Batch(
            features={m: x[rows] for m, x in self._features.items()},
            speakers=self._speaker[rows],
            label=None if self._label is None else self._label[rows],
            lengths=self._lengths[torch.as_tensor(np.asarray(members))],
        )

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
            sd = x.std(axis=0, dtype=np.float64)
            varies = sd > 1e-8 * np.abs(x).max(axis=0)  # relative: no unit makes a feature constant
            mean[m] = x.mean(axis=0, dtype=np.float64).astype(np.float32)
            scale[m] = np.where(varies, 1 / np.maximum(sd, 1e-30), 0).astype(np.float32)
        return Standardizer(mean, scale)

    def __call__(self, conversations: Conversations) -> Conversations:
        """The same conversations with standardised features."""
        features = {m: (x - self.mean[m]) * self.scale[m] for m, x in conversations.features.items()}
        return replace(conversations, features=features)
