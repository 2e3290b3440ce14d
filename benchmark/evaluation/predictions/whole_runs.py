"""A run of another code base with all of its epochs: the validation scores that choose one of them, checked."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.evaluation.predictions.tables import Origin, read_table, row_of, text_of, whole_numbers

if TYPE_CHECKING:
    import pandas as pd

EPOCH, SCORE, PICKED = "epoch", "validation_weighted_f1", "picked"
_NAMED = 5  # of the epochs that are missing
_ROUNDED = 5.1e-4  # how far scores with three decimals may be from what they were


@dataclass(frozen=True, eq=False)
class WholeRun:
    """What a run said of the N test utterances after each of its E epochs, which are counted from 1.

    Attributes:
        by_epoch: predicted class, uint8 [E, N].
        validation: weighted F1 on validation data, float64 [E], fractions.
        picked: the epoch that the other code base took; None where it does not say.
    """

    by_epoch: npt.NDArray[np.uint8]
    validation: npt.NDArray[np.float64]
    picked: int | None

    @property
    def selected(self) -> int:
        """The epoch that this suite's rule takes: the best on validation, the earliest of equals."""
        return int(np.argmax(self.validation)) + 1

    @property
    def digest(self) -> str:
        """SHA-256 of the predictions of all epochs."""
        return hashlib.sha256(str(self.by_epoch.shape).encode() + self.by_epoch.tobytes()).hexdigest()

    @property
    def validation_digest(self) -> str:
        """SHA-256 of the validation scores and of the epoch that was picked."""
        return hashlib.sha256(self.validation.tobytes() + f"picked {self.picked}".encode()).hexdigest()


def count_epochs(
    path: Path, column: "pd.Series[str]", seeds: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], dict[int, int]]:
    """The epoch of every row, and how many epochs each seed has; raises DataError where they are not 1, 2, … of it."""
    epochs = whole_numbers(path, column)
    if (epochs == 0).any():
        row = int((epochs == 0).argmax()) + 1
        raise DataError(f"{path}: epoch is 0 in row {row}; epochs are counted from 1: add 1 to each")
    numbers = {}
    for seed in dict.fromkeys(seeds.tolist()):
        present = set(epochs[seeds == seed].tolist())
        last = max(present)
        if gone := _absent(present, last):
            raise DataError(
                f"{path}: seed {seed} has predictions of epoch {last} and none of {gone}; a whole run has every epoch, "
                "or the best one may be missing"
            )
        numbers[seed] = last
    return epochs, numbers


def read_validation(path: Path, numbers: Mapping[int, int]) -> tuple[Origin, dict[int, tuple[np.ndarray, int | None]]]:
    """Read the validation scores of whole runs.

    Args:
        numbers: how many epochs there are predictions of, by seed.

    Returns:
        Where they are from; by seed the weighted F1 of every epoch and the epoch that was picked, None where none is.

    Raises:
        DataError: a file that cannot be used; a score that is none; an epoch twice, unknown or missing.
    """
    origin, frame = read_table(path, (EPOCH, SCORE), "epoch")
    if "seed" not in frame and len(numbers) > 1:
        raise DataError(
            f"{path} has no column seed, and the predictions are of {len(numbers)} seeds: say which is whose"
        )
    seeds = whole_numbers(path, frame["seed"]) if "seed" in frame else np.full(len(frame), next(iter(numbers)))
    epochs = whole_numbers(path, frame[EPOCH])
    scores = _scores(path, frame[SCORE])
    picked = _picked(path, frame[PICKED]) if PICKED in frame else np.zeros(len(frame), dtype=bool)
    row_by_epoch: dict[tuple[int, int], int] = {}
    for row, (seed, epoch) in enumerate(zip(seeds.tolist(), epochs.tolist(), strict=True)):
        where = f"{path}: row {row + 1} is of epoch {epoch} of seed {seed}"
        if seed not in numbers:
            raise DataError(f"{where}, and there are no predictions of this seed")
        if not 1 <= epoch <= numbers[seed]:
            raise DataError(f"{where}, and there are predictions of its epochs 1 to {numbers[seed]}")
        if (former := row_by_epoch.setdefault((seed, epoch), row)) != row:
            raise DataError(f"{where}, as row {former + 1} is: keep one of them")
    by_seed = {}
    for seed, last in numbers.items():
        rows = {epoch: row for (whose, epoch), row in row_by_epoch.items() if whose == seed}
        if gone := _absent(rows, last):
            raise DataError(f"{path}: seed {seed} has no validation score of {gone}, of 1 to {last}")
        taken = [epoch for epoch in range(1, last + 1) if picked[rows[epoch]]]
        if len(taken) > 1:
            raise DataError(
                f"{path}: seed {seed} has {PICKED} set in rows {rows[taken[0]] + 1} and {rows[taken[1]] + 1}; a run's "
                "result is of one epoch"
            )
        in_order = scores[[rows[epoch] for epoch in range(1, last + 1)]]
        by_seed[seed] = (in_order, taken[0] if taken else None)
    return origin, by_seed


def refuse_test_scores(path: Path, seed: int, validation: npt.NDArray[np.float64], test: Sequence[float]) -> None:
    """Raise DataError where the validation scores of all epochs are those on the test set."""
    if len(test) > 1 and bool((np.abs(validation - np.array(test)) < _ROUNDED).all()):
        raise DataError(
            f"{path}: the validation scores of seed {seed} are the scores on the test set, in all {len(test)} epochs. "
            "An epoch that they choose is chosen on the test set: import the predictions of that epoch alone, with "
            "--selection test"
        )


def _absent(present: "set[int] | Mapping[int, int]", last: int) -> str:
    """The first epochs of 1 to ``last`` that are not there, in words; empty where all are."""
    first = list(islice(_lacking(present, last), _NAMED + 1))
    listed = ", ".join(map(str, first[:_NAMED])) + (", …" if len(first) > _NAMED else "")
    return f"epoch{'s' if len(first) > 1 else ''} {listed}" if first else ""


def _lacking(present: "set[int] | Mapping[int, int]", last: int) -> Iterator[int]:
    return (epoch for epoch in range(1, last + 1) if epoch not in present)


def _scores(path: Path, column: "pd.Series[str]") -> npt.NDArray[np.float64]:
    """Fractions; raises DataError for the first cell that is none."""
    import pandas as pd

    text = text_of(column)
    values = pd.to_numeric(text, errors="coerce")
    if len(bad := text[~((values >= 0) & (values <= 1))]):
        percent = values.max() > 1 and values.max() <= 100
        raise DataError(
            f"{path}: {column.name} is {bad.iloc[0]!r} in row {row_of(bad)}; it takes fractions from 0 to 1"
            + (": divide per cent by 100" if percent else "")
        )
    return values.to_numpy(dtype=np.float64)


def _picked(path: Path, column: "pd.Series[str]") -> npt.NDArray[np.bool_]:
    """Which rows are marked; raises DataError for the first mark that is none."""
    meanings = {"1": True, "true": True, "0": False, "false": False, "": False}
    text = text_of(column).str.lower()
    if len(bad := text[~text.isin(meanings)]):
        raise DataError(f"{path}: {column.name} is {bad.iloc[0]!r} in row {row_of(bad)}; it takes 1 and 0")
    return text.map(meanings).to_numpy(dtype=bool)
