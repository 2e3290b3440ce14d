"""A table that another code base wrote, CSV or parquet: its columns as text, and which row a mistake is in."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.data.feature_files.other_files import refuse_in_place

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Origin:
    """A file's name and SHA-256."""

    name: str
    sha256: str


def read_table(path: Path, needed: Sequence[str], row: str) -> "tuple[Origin, pd.DataFrame]":
    """Read a file: where it is from, and its columns, of CSV as text.

    Args:
        needed: the columns that it has to have.
        row: what a row is of, for a message: ``test utterance``.

    Raises:
        DataError: no such file, or not of that format; no rows, a column twice, or a needed one that is not there.
    """
    import io

    import pandas as pd
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table as parquet_table

    parquet = path.suffix.lower() in (".parquet", ".pq")
    if not parquet and path.suffix.lower() != ".csv":
        raise DataError(f"{path} is neither .csv nor .parquet: write it as one of the two")
    refuse_in_place(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); name a file that is there") from None
    try:
        if parquet:
            frame = parquet_table(io.BytesIO(content)).to_pandas(ignore_metadata=True)  # which is believed, and may lie
        else:
            frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError, ArrowException) as error:  # pandas' own errors of parsing are ValueErrors
        cause = " ".join(str(error).split())[:150]
        raise DataError(f"{path} cannot be read as {'parquet' if parquet else 'CSV'}: {cause}") from None
    frame.columns = frame.columns.astype(str).str.strip()
    if twice := frame.columns[frame.columns.duplicated()].tolist():
        raise DataError(f"{path} has the column {twice[0]} twice: keep one of them")
    if not len(frame):
        raise DataError(f"{path} has no rows: it needs one for every {row}")
    if absent := [name for name in needed if name not in frame]:
        raise DataError(
            f"{path} has no column {', '.join(absent)}; it has {', '.join(frame.columns)} (see docs/imports.md)"
        )
    for name in frame:
        try:
            if frame[name].dtype == object:
                text_of(frame[name])
        except ValueError:
            raise DataError(f"{path}: {name} holds bytes that are no text; write texts or numbers") from None
    return Origin(path.name, hashlib.sha256(content).hexdigest()), frame


def text_of(column: "pd.Series[str]") -> "pd.Series[str]":
    """The cells of a column as text without blanks around it."""
    return column.astype(str).str.strip()


def whole_numbers(path: Path, column: "pd.Series[str]") -> npt.NDArray[np.int64]:
    """Whole numbers from 0; raises DataError for the first cell that is none."""
    text = text_of(column)
    if len(bad := text[~text.str.fullmatch(r"\d{1,18}")]):
        raise DataError(f"{path}: {column.name} is {bad.iloc[0]!r} in row {row_of(bad)}; it takes whole numbers from 0")
    return text.to_numpy().astype(np.int64)


def row_of(values: "pd.Series[str]") -> int:
    """Number of the first row, as a text editor counts the lines of a CSV file below its header, from 1."""
    return int(values.index[0]) + 1
