"""A file of predictions, CSV or parquet, to what it says of every test utterance, checked."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.base.words import counted

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
        predicted: class, uint8 [N].
        probabilities: of the C classes, float32 [N, C], or None.
        disagreeing: utterances whose predicted class is not the most probable one.
    """

    seed: int
    predicted: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32] | None
    disagreeing: int

    @property
    def digest(self) -> str:
        """SHA-256 of the content: however it is written in a file."""
        digest = hashlib.sha256(self.predicted.tobytes())
        if self.probabilities is not None:
            digest.update(b"probabilities" + self.probabilities.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class PredictionFile:
    """A file's name and SHA-256, its predictions by seed, and the columns that say nothing here."""

    name: str
    sha256: str
    predictions: tuple[Predictions, ...]
    ignored: tuple[str, ...]


def read_predictions(path: Path, conversations: "Conversations", dataset: str, seed: int | None) -> PredictionFile:
    """Read a file of predictions of a data set's test utterances.

    Args:
        conversations: the data set with its labels; those of the file, where it has some, have to be the same.
        dataset: its name, for messages.
        seed: of all rows; None where the file has a column ``seed``.

    Raises:
        DataError: no such file, or not of that format; missing, duplicate or unknown utterances; a class that is none;
            probabilities that are none.
    """
    content, frame = _read(path)
    names = conversations.class_names
    if absent := [name for name in NEEDED if name not in frame]:
        raise DataError(
            f"{path} has no column {', '.join(absent)}; it has {', '.join(frame.columns)} (see docs/imports.md)"
        )
    columns = _probability_columns(path, frame.columns.tolist(), names)
    seeds = _seeds(path, frame, seed)
    order = _order(path, frame, seeds, conversations, dataset)
    predicted = _classes(path, frame["predicted"], names)
    if "label" in frame:
        _check_labels(path, _classes(path, frame["label"], names), order, conversations, dataset)
    probabilities = _probabilities(path, frame[columns]) if columns else None
    imported = []
    for value, rows in order.items():
        shares = None if probabilities is None else probabilities[rows]
        classes = predicted[rows]
        disagreeing = 0 if shares is None else int((shares.argmax(axis=1) != classes).sum())
        imported.append(Predictions(value, classes, None if shares is None else shares.astype(np.float32), disagreeing))
    _check_different(path, imported)
    known = {*NEEDED, "seed", "label", *columns}
    ignored = tuple(name for name in frame.columns.tolist() if name not in known)
    return PredictionFile(path.name, hashlib.sha256(content).hexdigest(), tuple(imported), ignored)


def _read(path: Path) -> "tuple[bytes, pd.DataFrame]":
    """The file's bytes and its columns as text."""
    import io

    import pandas as pd
    from pyarrow import ArrowException

    parquet = path.suffix.lower() in (".parquet", ".pq")
    if not parquet and path.suffix.lower() != ".csv":
        raise DataError(f"{path} is neither .csv nor .parquet: write the predictions as one of the two")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); name a file of predictions") from None
    try:
        if parquet:
            frame = pd.read_parquet(io.BytesIO(content))
        else:
            frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError, ArrowException) as error:  # pandas' own errors of parsing are ValueErrors
        cause = " ".join(str(error).split())[:150]
        raise DataError(f"{path} cannot be read as {'parquet' if parquet else 'CSV'}: {cause}") from None
    frame.columns = frame.columns.astype(str).str.strip()
    if twice := frame.columns[frame.columns.duplicated()].tolist():
        raise DataError(f"{path} has the column {twice[0]} twice: keep one of them")
    if not len(frame):
        raise DataError(f"{path} has no rows: it needs one for every test utterance")
    return content, frame


def _check_different(path: Path, predictions: Sequence[Predictions]) -> None:
    """Runs of other seeds differ in some prediction: one file under several seeds would count one run often."""
    by_digest: dict[str, int] = {}
    for one in predictions:
        former = by_digest.setdefault(one.digest, one.seed)
        if former != one.seed:
            raise DataError(
                f"{path}: seeds {former} and {one.seed} have the same predictions, so that they are one run: leave one "
                "of them out"
            )


def _seeds(path: Path, frame: "pd.DataFrame", seed: int | None) -> npt.NDArray[np.int64]:
    if ("seed" in frame) == (seed is not None):
        both = "has a column seed, so leave out --seed" if seed is not None else "has no column seed: name it by --seed"
        raise DataError(f"{path} {both}")
    return np.full(len(frame), seed) if seed is not None else _whole(path, frame["seed"], "seed")


def _whole(path: Path, column: "pd.Series[str]", name: str) -> npt.NDArray[np.int64]:
    """Whole numbers from 0."""
    text = column.astype(str).str.strip()
    if len(bad := text[~text.str.fullmatch(r"\d{1,18}")]):
        raise DataError(f"{path}: {name} is {bad.iloc[0]!r} in row {_row(bad)}; it takes whole numbers from 0")
    return text.to_numpy().astype(np.int64)


def _row(values: "pd.Series[str]") -> int:
    """Number of the first row, as a text editor counts the lines of a CSV file below its header, from 1."""
    return int(values.index[0]) + 1


def _order(
    path: Path,
    frame: "pd.DataFrame",
    seeds: npt.NDArray[np.int64],
    conversations: "Conversations",
    dataset: str,
) -> dict[int, npt.NDArray[np.int64]]:
    """The file's rows in the order of the test utterances, by seed."""
    test = conversations.where("test")
    lengths = test.lengths.tolist()
    place = {pair: i for i, pair in enumerate((c, u) for c, n in zip(test.ids, lengths, strict=True) for u in range(n))}
    ids = frame["conversation"].astype(str).str.strip().tolist()
    pairs = list(zip(ids, _whole(path, frame["utterance"], "utterance").tolist(), strict=True))
    order = {}
    for seed in dict.fromkeys(seeds.tolist()):
        rows = np.flatnonzero(seeds == seed)
        row_of: dict[int, int] = {}
        unknown, twice = [], []
        for row in rows.tolist():
            at = place.get(pairs[row])
            if at is None:
                unknown.append(pairs[row])
            elif at in row_of:
                twice.append(pairs[row])
            else:
                row_of[at] = row
        missing = [pair for pair, at in place.items() if at not in row_of]
        wrong = [
            f"{len(which)} {what} ({_listed(which)})"
            for what, which in (("missing", missing), ("twice", twice), ("unknown", unknown))
            if which
        ]
        if wrong:
            raise DataError(
                f"{path}, seed {seed}: of the {len(place)} test utterances of {dataset}: {', '.join(wrong)}; the "
                "utterances of a conversation are numbered from 0 (docs/imports.md)"
            )
        order[seed] = np.array([row_of[at] for at in range(len(place))])
    return order


def _listed(pairs: Sequence[tuple[str, int]]) -> str:
    shown = ", ".join(f"conversation {c} utterance {u}" for c, u in pairs[:_NAMED])
    return shown + (", …" if len(pairs) > _NAMED else "")


def _classes(path: Path, column: "pd.Series[str]", names: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Class indices of a column of indices, or of names."""
    text = column.astype(str).str.strip().str.lower()
    codes = {str(i): i for i in range(len(names))} | {name.lower(): i for i, name in enumerate(names)}
    if len(bad := text[~text.isin(codes)]):
        raise DataError(
            f"{path}: {column.name} is {str(column.iloc[_row(bad) - 1])!r} in row {_row(bad)}; it takes 0 to "
            f"{len(names) - 1} or {', '.join(names)}, in this order"
        )
    return text.map(codes).to_numpy().astype(np.uint8)


def _check_labels(
    path: Path,
    label: npt.NDArray[np.uint8],
    order: dict[int, npt.NDArray[np.int64]],
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
    except ValueError as error:
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
