"""How many vectors two splits would share by coincidence, and whether they share more than that.

Short sentences and coarse statistics repeat wherever they occur; recordings do not. What a corpus repeats is read off
its own conversations: how often those of the training split repeat one another, and, as a test, what the splits would
share if the same conversations had been dealt out to them at random. (A permutation test: Fisher 1935, section 21;
valid with any statistic, Lehmann & Romano 2005, section 15.2. Conversations are dealt whole, since what they repeat
comes in clusters.)
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.special import gammaln

from benchmark.data.conversations import Conversations
from benchmark.data.defects.numbering import ZERO, Ints

LEVEL = 0.002
"""The level of one test. An audit of three modalities makes 21 of them: together they err in 4.2 % of files at most."""
EXCESS = 1.5
"""A count up to so many times what is expected is never called a leak, however many there are."""
DEALS = 1999  # so that the smallest p is 0.0005

_BLOCK = 250  # deals at a time


@dataclass(frozen=True)
class Excess:
    """What a split has of another one, beside what coincidence explains.

    Attributes:
        count: how many it has.
        expected: how many it would have by coincidence.
        p: of the test that conversations were dealt to the splits at random; None where the count is not above EXCESS
            times the expected one, which is not tested.
    """

    count: int
    expected: float
    p: float | None

    @property
    def beyond_chance(self) -> bool:
        """Whether there are more than coincidence explains."""
        return self.p is not None and self.p <= LEVEL


class Occurrences:
    """Which of a corpus's U different vectors occur in which of its C conversations.

    All-zero and non-finite vectors are left out: they stand for missing ones.

    Attributes:
        first: a row of each different vector, [U].
        index: the different vector of each row, [N], −1 where it is left out.
    """

    def __init__(self, conversations: Conversations, keys: Ints) -> None:
        usable = np.flatnonzero(keys > ZERO)
        _, first, inverse = np.unique(keys[usable], return_index=True, return_inverse=True)
        self.first: Ints = usable[first]
        self.index: Ints = np.full(len(keys), -1)
        self.index[usable] = inverse.reshape(-1)
        owner = np.repeat(np.arange(len(conversations)), conversations.lengths)[usable]
        shape = (len(self.first), len(conversations))
        self._counts = csr_array(coo_array((np.ones(len(usable), np.float32), (inverse.reshape(-1), owner)), shape))
        self._counts.sum_duplicates()
        self._split = np.array(conversations.split)

    def identical(self, here: str, other: str) -> tuple[npt.NDArray[np.bool_], Excess]:
        """Which of the different vectors [U] both splits have, and in how many rows of ``here``."""
        matches = self._matches(None, self._counts, self._column(here), self._column(other))[:, 0]
        usable = float((self._counts @ self._column(here)).sum())
        rate = max(self._identical_rate(split, other) for split in ("train", other))
        return matches > 0, self._excess(None, here, other, int(matches.sum()), rate * usable)

    def near(self, neighbours: "csr_array[np.float32]", here: str, other: str) -> tuple[npt.NDArray[np.bool_], Excess]:
        """Which of the vectors [U] ``here`` has and ``other`` has not, but a neighbour of it; and their number.

        ``neighbours`` [U, U] is 1 where two different vectors are near each other, else 0.
        """
        matches = self._matches(neighbours, self._counts, self._column(here), self._column(other))[:, 0]
        here_has, other_has = (self._counts @ self._column(split) > 0 for split in (here, other))
        new = int((here_has & ~other_has).sum())
        rate = max(self._near_rate(neighbours, split, other) for split in ("train", other))
        return matches > 0, self._excess(neighbours, here, other, int(matches.sum()), rate * new)

    def _column(self, split: str) -> npt.NDArray[np.float32]:
        """1 for the conversations of the split, else 0: [C, 1]."""
        return (self._split == split).astype(np.float32)[:, None]

    @staticmethod
    def _matches(
        neighbours: "csr_array[np.float32] | None",
        counts: "csr_array[np.float32]",
        here: npt.NDArray[np.float32],
        other: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]:
        """For B ways to split [C, B]: how often ``here`` has each vector that ``other`` has too, [U, B].

        With neighbours: 1 for each vector of ``here`` that ``other`` has not, but a neighbour of it.
        """
        times, shared = counts @ here, counts @ other > 0
        if neighbours is None:
            return np.asarray(times * shared)
        return np.asarray((times > 0) & ~shared & (neighbours @ shared.astype(np.float32) > 0), np.float32)

    def _excess(
        self, neighbours: "csr_array[np.float32] | None", here: str, other: str, count: int, expected: float
    ) -> Excess:
        if count <= EXCESS * expected:
            return Excess(count, expected, None)
        if neighbours is None:
            kept = np.flatnonzero(np.diff(self._counts.indptr) > 1)
        else:
            kept = np.flatnonzero(np.diff(neighbours.indptr))
            neighbours = neighbours[kept][:, kept]
        counts = self._counts[kept]
        rng, as_extreme = np.random.default_rng(0), 0
        for start in range(0, DEALS, _BLOCK):
            ways = min(_BLOCK, DEALS - start)
            dealt = rng.permuted(np.tile(self._split, (ways, 1)), axis=1).T
            dealt_here, dealt_other = ((dealt == split).astype(np.float32) for split in (here, other))
            shared = self._matches(neighbours, counts, dealt_here, dealt_other).sum(axis=0)
            as_extreme += int((shared >= count).sum())
        return Excess(count, expected, (1 + as_extreme) / (1 + DEALS))

    def _identical_rate(self, split: str, other: str) -> float:
        """Share of a split's rows that other conversations of it have, as many as ``other`` has."""
        inside = self._counts[:, np.flatnonzero(self._split == split)]
        others = np.diff(csr_array(inside).indptr) - 1
        rows: npt.NDArray[np.float32] = np.asarray(inside.sum(axis=1))
        return self._rate(split, other, others, rows)

    def _near_rate(self, neighbours: "csr_array[np.float32]", split: str, other: str) -> float:
        """Share of a split's different vectors that are near ones of other conversations, as many as ``other`` has."""
        inside = csr_array(self._counts[:, np.flatnonzero(self._split == split)]).sign()
        near = csr_array(neighbours @ inside).sign()
        others = np.diff(near.indptr) - np.asarray(near.multiply(inside).sum(axis=1))
        return self._rate(split, other, others, (np.diff(inside.indptr) > 0).astype(np.float32))

    def _rate(self, split: str, other: str, others: Ints, weights: npt.NDArray[np.float32]) -> float:
        """Mean chance that some of ``others`` [U] conversations are among those drawn of the split's other ones."""
        rest = int((self._split == split).sum()) - 1
        if rest < 1 or not weights.any():
            return 0.0
        drawn = min(int((self._split == other).sum()), rest)
        k = np.clip(others.astype(np.float64), 0, rest)
        left = np.maximum(rest - k, drawn)  # where fewer are left, some of the others are drawn for certain
        none = np.exp(_log_choices(left, drawn) - _log_choices(rest, drawn)) * (rest - k >= drawn)
        return float((weights * (1 - none)).sum() / weights.sum())


def _log_choices(n: npt.ArrayLike, k: int) -> npt.NDArray[np.float64]:
    """The logarithm of n over k."""
    n = np.asarray(n, np.float64)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
