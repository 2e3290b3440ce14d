"""Feature files on disk: found in a folder, known by their fingerprint, read into conversations."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.data.conversations import Conversations
from benchmark.data.layouts import LAYOUTS, convert, sentences
from benchmark.data.unpickle import read_pickle
from benchmark.errors import DataError

MAX_BYTES = 4 * 2**30  # ten times the community's larger file
_ALLOWANCE = 2**26  # beyond twice the file's size (float16 doubles): small files may share vectors

PUBLISHED_SHA256 = {
    "iemocap": "368c20fa87ea49fe9f068a5755085538e4d5d44ef4f1431794975c7ddbcbcbe2",
    "meld": "7ad660ebd929861b0cbaada5b406223f58787fb1b0dc152aab3746164a355af2",
}
"""Fingerprints of the files as the community uses them."""


def load_features(path: str | Path, dataset: str | None = None) -> Conversations:
    """Read a community feature file (a 12-tuple of IEMOCAP or a 13-tuple of MELD) without executing anything in it.

    Args:
        path: the pickle file.
        dataset: ``iemocap`` or ``meld`` where the file must be of that layout.

    Raises:
        DataError: the file is missing, not readable, refused, of another layout, or holds impossible values.
    """
    if dataset is not None and dataset not in LAYOUTS:
        raise DataError(f"no feature files of data set {dataset!r} are known: choose from {', '.join(LAYOUTS)}")
    path = Path(path)
    with _explained(path):
        most_bytes = 2 * _size(path) + _ALLOWANCE
        # Passed on unnamed, so that the callee can drop what it no longer needs.
        return convert(read_pickle(path.read_bytes()), dataset, most_bytes)


def load_unchecked(path: str | Path) -> tuple[Conversations, list[str]]:
    """Read a feature file for an audit: NaN and Inf stay, and the N utterances' sentences (or "") come along.

    Raises:
        DataError: as load_features, but for NaN and Inf.
    """
    path = Path(path)
    with _explained(path):
        most_bytes = 2 * _size(path) + _ALLOWANCE
        raw = read_pickle(path.read_bytes())
        conversations = convert(raw, None, most_bytes, finite=False)
        return conversations, sentences(raw, conversations)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Whatever hinders reading the file becomes a DataError that names it."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None
    except MemoryError:
        raise DataError(f"{path}: needs more memory than there is; free some or use a larger machine") from None


def _size(path: Path) -> int:
    size = path.stat().st_size
    if not path.is_file():
        raise DataError("not a file; name the feature file itself")
    if size == 0:
        raise DataError("empty file; copy or download it again")
    if size > MAX_BYTES:
        raise DataError(f"{size} bytes, where {MAX_BYTES} at most are read; name a feature file")
    return size


def find_feature_file(folder: str | Path, dataset: str) -> Path:
    """The feature file of a data set in a folder, by its usual name ``<dataset>_multimodal_features.pkl``.

    Raises:
        DataError: no such folder, or no such file in it.
    """
    folder, name = Path(folder), f"{dataset}_multimodal_features.pkl"
    if not folder.is_dir():
        raise DataError(f"no folder {folder} to look for {name} in; give the folder of the feature files")
    if not (folder / name).is_file():
        readable = os.access(folder, os.R_OK)
        there = sorted(entry.name for entry in folder.iterdir()) if readable else ["what you may not list"]
        shown = ", ".join(there[:10]) + (f" and {len(there) - 10} more" if len(there) > 10 else "")
        raise DataError(f"no {name} in {folder}, which holds {shown or 'nothing'}; put the file there under this name")
    return folder / name


def fingerprint(path: str | Path) -> str:
    """SHA-256 of a file's content, in hexadecimal digits.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None
