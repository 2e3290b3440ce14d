"""The one in-memory type for conversations: flat arrays over utterances, and where each conversation begins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, eq=False)
class Conversations:
    """Conversations laid end to end.

    Attributes:
        features: per modality (text, audio, visual, in this order; one may be absent) float32 [N, d_m].
        label: int64 [N], or None where the holder must not see labels (a run's test data).
        speaker: int64 [N], ids from 0.
        offsets: int64 [B + 1]; conversation b is rows ``offsets[b]:offsets[b + 1]``.
        ids: the B conversations' names.
        split: the B conversations' official split, each of :data:`SPLITS`.
        class_names: names of the C labels, in label order.
        speakers: size of the speaker table (ids are below it), fixed by the layout and not by what occurs.
    """

    features: dict[str, npt.NDArray[np.float32]]
    label: npt.NDArray[np.int64] | None
    speaker: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    ids: tuple[str, ...]
    split: tuple[str, ...]
    class_names: tuple[str, ...]
    speakers: int

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Utterances of each conversation, int64 [B]."""
        return np.diff(self.offsets)

    @property
    def utterances(self) -> int:
        """Number of utterances N."""
        return int(self.offsets[-1])

    @property
    def sessions(self) -> tuple[str, ...]:
        """Each conversation's recording session, read from its name (``Ses01`` of ``Ses01F_impro01``); else empty."""
        return tuple(m[0] if (m := re.match(r"Ses\d+", name)) else "" for name in self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, conversations: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Row numbers of the named conversations' utterances, laid end to end in the order given."""
        spans = [np.arange(self.offsets[b], self.offsets[b + 1]) for b in conversations]
        return np.concatenate(spans) if spans else np.empty(0, np.int64)

    def select(self, conversations: Sequence[int] | npt.NDArray[np.int64]) -> "Conversations":
        """The named conversations only, in the order given; those that lie end to end are not copied."""
        chosen = self.rows(conversations)
        adjacent = len(chosen) and (np.diff(chosen) == 1).all()
        rows = slice(chosen[0], chosen[-1] + 1) if adjacent else chosen
        return replace(
            self,
            features={m: x[rows] for m, x in self.features.items()},
            label=None if self.label is None else self.label[rows],
            speaker=self.speaker[rows],
            offsets=np.concatenate([[0], np.cumsum(self.lengths[np.asarray(conversations, np.int64)])]),
            ids=tuple(self.ids[b] for b in conversations),
            split=tuple(self.split[b] for b in conversations),
        )

    def where(self, split: str) -> "Conversations":
        """The conversations of one official split."""
        return self.select([b for b, s in enumerate(self.split) if s == split])

    def without_labels(self) -> "Conversations":
        """The same conversations with no labels to be seen."""
        return replace(self, label=None)
