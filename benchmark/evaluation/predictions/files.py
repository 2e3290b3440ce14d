"""A file of predictions, CSV or parquet, to what it says of every test utterance, checked."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.base.words import counted
from benchmark.evaluation.predictions.numbering import weighted_f1
from benchmark.evaluation.predictions.tables import Origin, read_table, row_of, text_of, whole_numbers
from benchmark.evaluation.predictions.whole_runs import (
    EPOCH,
    WholeRun,
    count_epochs,
    read_validation,
    refuse_test_scores,
)

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.data.conversations import Conversations

NEEDED = ("conversation", "utterance", "predicted")
SUM_TOLERANCE = 1e-3
_NAMED = 5  # of the utterances that are wrong


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a method says of the N test utterances, in the order of the data set, under one seed.

    Attributes:
        predicted: class, uint8 [N]; of a whole run, at the epoch that validation selects.
        probabilities: of the C classes, float32 [N, C], or None.
        disagreeing: utterances whose predicted class is not the most probable one.
        run: all of its epochs; None where the file is of one.
    """

    seed: int
    predicted: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32] | None
    disagreeing: int
    run: WholeRun | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the content: however it is written in a file."""
        digest = hashlib.sha256(self.predicted.tobytes())
        if self.probabilities is not None:
            digest.update(b"probabilities" + self.probabilities.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class PredictionFile:
    """Where predictions and validation scores are from, the predictions by seed, and columns that say nothing here."""

    origin: Origin
    validation: Origin | None
    predictions: tuple[Predictions, ...]
    ignored: tuple[str, ...]


def read_predictions(
    path: Path, conversations: "Conversations", dataset: str, seed: int | None, validation: Path | None = None
) -> PredictionFile:
    """Read a file of predictions of a data set's test utterances.

    Args:
        conversations: the data set with its labels; those of the file, where it has some, have to be the same.
        dataset: its name, for messages.
        seed: of all rows; None where the file has a column ``seed``.
        validation: the file of validation scores, where ``path`` holds whole runs; None where it holds one epoch each.

    Raises:
        DataError: no such file, or not of that format; missing, duplicate or unknown utterances or epochs; a class that
            is none; probabilities or validation scores that are none.
    """
    origin, frame = read_table(path, NEEDED, "test utterance")
    names = conversations.class_names
    columns = _probability_columns(path, frame.columns.tolist(), names)
    seeds = _seeds(path, frame, seed)
    epochs, numbers = _epochs(path, frame, seeds, validation)
    order = _order(path, frame, seeds, epochs, _test_utterances(conversations, dataset))
    predicted = _classes(path, frame["predicted"], names)
    if "label" in frame:
        _check_labels(path, _classes(path, frame["label"], names), order, conversations, dataset)
    probabilities = _probabilities(path, frame[columns]) if columns else None
    scores_from, scores = (None, {}) if validation is None else read_validation(validation, numbers)
    imported = []
    for value, last in numbers.items():
        run, at = None, 0
        if validation is not None:
            by_epoch = np.stack([predicted[order[value, epoch]] for epoch in range(1, last + 1)])
            run = WholeRun(by_epoch, *scores[value])
            _refuse_test_scores(validation, value, run, conversations)
            at = run.selected
        rows = order[value, at]
        shares = None if probabilities is None else probabilities[rows]
        classes = predicted[rows]
        disagreeing = 0 if shares is None else int((shares.argmax(axis=1) != classes).sum())
        shown = None if shares is None else shares.astype(np.float32)
        imported.append(Predictions(value, classes, shown, disagreeing, run))
    _check_different(path, imported)
    known = {*NEEDED, "seed", "label", *columns} | (set() if validation is None else {EPOCH})
    ignored = tuple(name for name in frame.columns.tolist() if name not in known)
    return PredictionFile(origin, scores_from, tuple(imported), ignored)


def _refuse_test_scores(path: Path, seed: int, run: WholeRun, conversations: "Conversations") -> None:
    label = conversations.where("test").label
    assert label is not None, "the data set is loaded with its labels"
    refuse_test_scores(path, seed, run.validation, [weighted_f1(label, predicted) for predicted in run.by_epoch])


def _check_different(path: Path, predictions: Sequence[Predictions]) -> None:
    """Runs of other seeds differ in some prediction: one file under several seeds would count one run often."""
    by_digest: dict[str, int] = {}
    for one in predictions:
        former = by_digest.setdefault(one.digest if one.run is None else one.run.digest, one.seed)
        if former != one.seed:
            raise DataError(
                f"{path}: seeds {former} and {one.seed} have the same predictions, so that they are one run: leave one "
                "of them out"
            )


def _seeds(path: Path, frame: "pd.DataFrame", seed: int | None) -> npt.NDArray[np.int64]:
    if ("seed" in frame) == (seed is not None):
        both = "has a column seed, so leave out --seed" if seed is not None else "has no column seed: name it by --seed"
        raise DataError(f"{path} {both}")
    return np.full(len(frame), seed) if seed is not None else whole_numbers(path, frame["seed"])


def _epochs(
    path: Path, frame: "pd.DataFrame", seeds: npt.NDArray[np.int64], validation: Path | None
) -> tuple[npt.NDArray[np.int64], dict[int, int]]:
    """The epoch of every row and the number of epochs by seed; all are 0 where nothing is said of more than one."""
    if validation is not None and EPOCH not in frame:
        raise DataError(
            f"{path} has no column {EPOCH}: with validation scores it holds whole runs, a row a test utterance and "
            "epoch (docs/imports.md)"
        )
    if validation is not None:
        return count_epochs(path, frame[EPOCH], seeds)
    if EPOCH in frame and any(text_of(frame[EPOCH])[seeds == seed].nunique() > 1 for seed in set(seeds.tolist())):
        raise DataError(
            f"{path} has several epochs of a run: add their validation scores by --validation FILE, or keep the rows "
            "of the epoch that was chosen (docs/imports.md)"
        )
    return np.zeros(len(frame), np.int64), dict.fromkeys(seeds.tolist(), 0)


@dataclass(frozen=True, eq=False)
class _Utterances:
    """The test utterances of a data set in its order: conversation and position."""

    dataset: str
    index: "pd.MultiIndex"


def _test_utterances(conversations: "Conversations", dataset: str) -> _Utterances:
    import pandas as pd

    test = conversations.where("test")
    ids = np.repeat(np.array(test.ids, dtype=object), test.lengths)
    return _Utterances(dataset, pd.MultiIndex.from_arrays([ids, np.concatenate([np.arange(n) for n in test.lengths])]))


def _order(
    path: Path,
    frame: "pd.DataFrame",
    seeds: npt.NDArray[np.int64],
    epochs: npt.NDArray[np.int64],
    utterances: _Utterances,
) -> dict[tuple[int, int], npt.NDArray[np.int64]]:
    """The file's rows in the order of the test utterances, by seed and epoch."""
    import pandas as pd

    ids = text_of(frame["conversation"]).to_numpy(dtype=object)
    pairs = pd.MultiIndex.from_arrays([ids, whole_numbers(path, frame["utterance"])])
    place = utterances.index.get_indexer(pairs)
    order = {}
    for _, members in pd.Series(range(len(frame))).groupby([seeds, epochs], sort=False):
        rows = members.to_numpy(dtype=np.int64)
        seed, epoch = int(seeds[rows[0]]), int(epochs[rows[0]])
        unknown = rows[place[rows] < 0]
        known = rows[place[rows] >= 0]
        first = np.full(len(utterances.index), -1)
        first[place[known[::-1]]] = known[::-1]  # the first row of an utterance stays
        twice = known[first[place[known]] != known]
        missing = np.flatnonzero(first < 0)
        wrong = [
            f"{len(which)} {what} ({_listed(whose, which, rows=whose is pairs)})"
            for what, whose, which in (
                ("missing", utterances.index, missing),
                ("twice", pairs, twice),
                ("unknown", pairs, unknown),
            )
            if len(which)
        ]
        if wrong:
            run = f"seed {seed}, epoch {epoch}" if epoch else f"seed {seed}"
            raise DataError(
                f"{path}, {run}: of the {len(utterances.index)} test utterances of {utterances.dataset}: "
                f"{', '.join(wrong)}; the utterances of a conversation are numbered from 0 (docs/imports.md)"
            )
        order[seed, epoch] = first
    return order


def _listed(pairs: "pd.MultiIndex", which: npt.NDArray[np.integer], *, rows: bool) -> str:
    """The first of the pairs that are meant in words; with ``rows``, the row that each is in."""
    named = []
    for i in which[:_NAMED].tolist():
        conversation, utterance = pairs[i]
        named.append(f"conversation {conversation} utterance {utterance}" + (f" in row {i + 1}" if rows else ""))
    return ", ".join(named) + (", …" if len(which) > _NAMED else "")


def _classes(path: Path, column: "pd.Series[str]", names: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Class indices of a column of indices, or of names."""
    text = text_of(column).str.lower()
    codes = {str(i): i for i in range(len(names))} | {name.lower(): i for i, name in enumerate(names)}
    if len(bad := text[~text.isin(codes)]):
        raise DataError(
            f"{path}: {column.name} is {str(column.iloc[row_of(bad) - 1])!r} in row {row_of(bad)}; it takes 0 to "
            f"{len(names) - 1} or {', '.join(names)}, in this order"
        )
    return text.map(codes).to_numpy().astype(np.uint8)


def _check_labels(
    path: Path,
    label: npt.NDArray[np.uint8],
    order: Mapping[tuple[int, int], npt.NDArray[np.int64]],
    conversations: "Conversations",
    dataset: str,
) -> None:
    truth = conversations.where("test").label
    for rows in order.values():
        if wrong := int((label[rows] != truth).sum()):
            raise DataError(
                f"{path}: {wrong} of {len(rows)} labels are not those of {dataset}: its utterances are in another "
                f"order, or its classes numbered otherwise (here: {', '.join(conversations.class_names)})"
            )


def _probability_columns(path: Path, columns: Iterable[str], names: Sequence[str]) -> list[str]:
    """The columns of probabilities in the order of the classes; none where there are none."""
    lower = {name.lower(): name for name in columns}
    numbered = [name for name in lower if re.fullmatch(r"probability_\d+", name)]
    by_name = [name for name in names if name.lower() in lower]
    if numbered and by_name:
        raise DataError(f"{path} has probabilities by number and by name ({numbered[0]}, {by_name[0]}): keep one kind")
    wanted = [f"probability_{i}" for i in range(len(names))] if numbered else [n.lower() for n in names]
    if not numbered and not by_name:
        return []
    if {*numbered, *(n.lower() for n in by_name)} != set(wanted):
        given = sorted(numbered) or by_name
        raise DataError(
            f"{path} has {counted(len(given), 'column')} of probabilities ({', '.join(given)}), not {', '.join(wanted)}"
        )
    return [lower[name] for name in wanted]


def _probabilities(path: Path, frame: "pd.DataFrame") -> npt.NDArray[np.float64]:
    try:
        values = frame.astype(float).to_numpy()
    except (ValueError, TypeError) as error:  # a column of dates, or of what has parts
        raise DataError(f"{path}: a probability is no number ({error})") from None
    for what, bad in (
        ("is not finite", ~np.isfinite(values).all(axis=1)),
        ("is negative", (values < 0).any(axis=1)),
        (f"differs from a sum of 1 by more than {SUM_TOLERANCE:g}", np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE),
    ):
        if bad.any():
            row = int(bad.argmax())
            raise DataError(
                f"{path}: a probability {what} in row {row + 1}: {', '.join(f'{v:g}' for v in values[row])}"
            )
    return values
