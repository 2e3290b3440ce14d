"""Feature files on disk: found in a folder, known by their fingerprint, read into conversations."""

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.base.errors import DataError
from benchmark.base.words import counted
from benchmark.data.conversations import Conversations
from benchmark.data.corpora import corpus_of
from benchmark.data.feature_files.conversion import convert, sentences
from benchmark.data.feature_files.layouts import LAYOUTS, PAIRS, layout_of
from benchmark.data.feature_files.open_format import (
    SUFFIX,
    OpenFile,
    Source,
    open_features,
    recognises,
    save,
)
from benchmark.data.feature_files.other_files import described, refuse_in_place
from benchmark.data.feature_files.roberta import join, texts_of
from benchmark.data.feature_files.unpickle import read_pickle
from benchmark.data.views import MODALITIES, Modality, TextView, arrays_for, choose

MAX_BYTES = 4 * 2**30  # ten times the community's larger file
_ALLOWANCE = 2**26  # beyond twice the file's size (float16 doubles): small files may share vectors

PUBLISHED_SHA256 = {
    "iemocap": "368c20fa87ea49fe9f068a5755085538e4d5d44ef4f1431794975c7ddbcbcbe2",
    "meld": "7ad660ebd929861b0cbaada5b406223f58787fb1b0dc152aab3746164a355af2",
}
"""Fingerprints of the files as the community uses them."""


def load_features(
    path: str | Path,
    dataset: str | None = None,
    *,
    modalities: Sequence[Modality] = MODALITIES,
    text_view: TextView = "1",
    roberta: str | Path | None = None,
) -> Conversations:
    """Read a feature file: a community pickle, without executing anything in it, or one in the open format.

    Pickles are tuples of 12 items for IEMOCAP, 13 for MELD, MMGCN's of 9 and 10, or DialogueRNN's of 9 for MELD. Files
    in the open format are mapped into memory.

    Args:
        path: the file.
        dataset: ``iemocap`` or ``meld`` where the file must be of that one.
        modalities: which to read; the others need not be there.
        text_view: which view of the text; ``mean`` and ``concat`` are made of all four.
        roberta: the RoBERTa file whose four views take the place of the text, where the other is MMGCN's.

    Raises:
        DataError: the file is missing, not readable, refused, of another layout, holds impossible values, or has not
            got what is asked for.
    """
    if dataset is not None and dataset not in LAYOUTS:
        raise DataError(f"no feature files of data set {dataset!r} are known: choose from {', '.join(LAYOUTS)}")
    path = Path(path)
    with _naming(path):
        size = _size(path)
        if recognises(path):
            if roberta is not None:
                raise DataError(f"a file in the open format, which has its text: leave out {roberta}")
            held = open_features(path)
            if dataset not in (None, held.header.dataset):
                raise DataError(f"these are features of {held.header.dataset}, not of {dataset}; name the other file")
            if dataset is not None and held.simulated:
                raise DataError(f"this is a simulated corpus, not {dataset}; run it as --datasets '{held.simulated}'")
            return held.conversations(modalities, text_view)
        arrays = arrays_for(modalities, text_view)
        return choose(_unpickled(path, size, dataset, arrays, roberta), modalities, text_view)


def open_own(path: Path) -> OpenFile:
    """The checked header of a file in the open format, whatever its data set is called; its arrays are not read.

    Raises:
        DataError: the file is missing, or not whole, or not in that format.
    """
    refuse_in_place(path)
    with _naming(path):
        _size(path)
        if not recognises(path):
            raise DataError(
                "not in the open format; make such a file of arrays with cssbench data build, of a community pickle "
                "with cssbench data import"
            )
        return open_features(path)


def import_features(path: Path, out: Path, roberta: Path | None = None) -> Conversations:
    """Write a community pickle in the open format, with every modality and view of the text that it has.

    ``roberta`` is as of :func:`load_features`.

    Raises:
        DataError: the file cannot be read, or is in the open format already.
    """
    with _naming(path):
        size = _size(path)
        if recognises(path):
            raise DataError("this is not a pickle but a file in the open format already; use it as it is")
        conversations = _unpickled(path, size, None, None, roberta)
        source = source_of(path, roberta)
    dataset = corpus_of(conversations)
    assert dataset is not None, "every layout of pickles is a corpus's"
    save(out, conversations, dataset, source)
    return conversations


def source_of(path: Path, roberta: Path | None, text_view: TextView = "1", sha256: str | None = None) -> Source:
    """What is written with features about where they are from; ``sha256`` is their fingerprint, where it is known."""
    file = path.name if roberta is None else f"{path.name} + {roberta.name}"
    sha256 = sha256 or fingerprint(path, roberta)
    return Source(file=file, sha256=sha256, text_view=text_view, reader=reader_fingerprint())


def _unpickled(
    path: Path, size: int, dataset: str | None, arrays: Collection[str] | None, roberta: str | Path | None
) -> Conversations:
    with ExitStack() as files:  # the content is passed on unnamed, so that the callee can drop what it no longer needs
        limit = _limit(size, roberta)
        return convert(_content(path, roberta, files), dataset, limit, arrays)


def _limit(size: int, roberta: str | Path | None) -> int:
    if roberta is not None:
        with _naming(roberta := Path(roberta)):
            size += _size(roberta)
    return 2 * size + _ALLOWANCE


def _content(path: Path, roberta: str | Path | None, files: ExitStack) -> Any:
    """What the pickle holds, its text that of ``roberta`` where there is one; large arrays stay in the open files."""
    if roberta is None:
        return _pickled(path, files)
    with _naming(roberta := Path(roberta)):
        texts = texts_of(_pickled(roberta, files))
    return join(_pickled(path, files), texts)


def _pickled(path: Path, files: ExitStack) -> Any:
    """What a pickle holds; where the file is no pickle the error says what it is."""
    file = files.enter_context(path.open("rb"))
    try:
        return read_pickle(file)
    except DataError:
        file.seek(0)
        if description := described(file.read(4096)):
            raise DataError(f"this is not a pickle but {description}") from None
        raise


@dataclass(frozen=True, eq=False)
class Unchecked:
    """What a feature file holds, its numbers not looked at.

    Attributes:
        conversations: of N utterances; NaN and Inf stay in their features.
        sentences: what is said in each utterance, [N], empty where the file does not tell.
        layout: the form of the file in words.
        dataset: the corpus of a pickle, the data set that a file in the open format names.
    """

    conversations: Conversations
    sentences: list[str]
    layout: str
    dataset: str


def load_unchecked(
    path: str | Path,
    modalities: Sequence[Modality] = MODALITIES,
    text_view: TextView = "1",
    roberta: str | Path | None = None,
    *,
    present: bool = False,
) -> Unchecked:
    """Read the arrays of these inputs, and what an audit needs besides.

    A file in the open format has sentences where it was built with them, and no NaN or Inf. ``roberta`` is as of
    :func:`load_features`.
    With ``present``, modalities that the file has not got are left out.

    Raises:
        DataError: as load_features, but for NaN and Inf in a pickle.
    """
    path = Path(path)
    with _naming(path), ExitStack() as files:
        size = _size(path)
        if recognises(path):
            held = open_features(path)
            if present:
                modalities = [m for m in modalities if m in held.features] or modalities
            conversations = held.conversations(modalities, text_view)
            sentences_held = held.sentences(conversations.utterances)
            return Unchecked(conversations, sentences_held, "open format", held.header.dataset)
        raw = _content(path, roberta, files)
        if present:
            items = layout_of(raw, None).items
            modalities = [m for m in modalities if m in items]
        arrays = arrays_for(modalities, text_view)
        conversations = convert(raw, None, _limit(size, roberta), arrays, finite=False)
        assert isinstance(raw, tuple)  # or it would not have been converted
        dataset = corpus_of(conversations)
        assert dataset is not None, "every layout of pickles is a corpus's"
        chosen = choose(conversations, modalities, text_view)
        return Unchecked(chosen, sentences(raw, conversations), f"tuple of {counted(len(raw), 'item')}", dataset)


class _NamedError(DataError):
    """An error that names its file."""


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Every error of reading as a DataError that names the file."""
    try:
        yield
    except _NamedError:
        raise
    except DataError as error:
        raise _NamedError(f"{path}: {error}") from None
    except OSError as error:
        raise _NamedError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None
    except MemoryError:
        raise _NamedError(f"{path}: needs more memory than there is; free some or use a larger machine") from None


def _size(path: Path) -> int:
    size = path.stat().st_size
    if not path.is_file():
        raise DataError("not a file; name the feature file itself")
    if size == 0:
        raise DataError("empty file; copy or download it again")
    if size > MAX_BYTES:
        raise DataError(f"{size} bytes, where {MAX_BYTES} at most are read; name a feature file")
    return size


def file_name(dataset: str) -> str:
    """The name of a data set's feature file, in the published folder and on disk."""
    return f"{dataset}_multimodal_features.pkl"


def find_feature_file(folder: str | Path, dataset: str) -> Path:
    """The feature file of a data set in a folder: ``<dataset>_multimodal_features.pkl``, else ``….safetensors``.

    Where there is neither, MMGCN's file of the name that it has in M3NET's pair (see :func:`roberta_beside`).

    Raises:
        DataError: no such folder, or no such file in it.
    """
    folder, name = Path(folder), file_name(dataset)
    if not folder.is_dir():
        raise DataError(f"no folder {folder} to look for {name} in; give the folder of the feature files")
    pair = PAIRS[dataset]
    for file in (folder / name, (folder / name).with_suffix(SUFFIX), folder / pair[0]):
        if file.is_file():
            return file
    readable = os.access(folder, os.R_OK)
    entries = sorted(entry.name for entry in folder.iterdir()) if readable else ["what you may not list"]
    shown = ", ".join(entries[:10]) + (f" and {len(entries) - 10} more" if len(entries) > 10 else "")
    raise DataError(
        f"no {name} (or {SUFFIX}) in {folder}, which holds {shown or 'nothing'}; put the file there under this name, "
        f"or M3NET's pair as {' and '.join(pair)}"
    )


def roberta_beside(file: Path) -> Path | None:
    """The RoBERTa file beside one that :func:`find_feature_file` found, where the two are M3NET's pair."""
    names = dict(PAIRS.values())
    beside = file.with_name(names[file.name]) if file.name in names else None
    return beside if beside is not None and beside.is_file() else None


def fingerprint(path: str | Path, roberta: str | Path | None = None) -> str:
    """SHA-256 of a file's content, in hexadecimal digits; of two files, SHA-256 of both digests and a space between.

    Raises:
        DataError: the file cannot be read.
    """
    if roberta is not None:
        return hashlib.sha256(f"{fingerprint(path)} {fingerprint(roberta)}".encode()).hexdigest()
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None


@cache
def reader_fingerprint() -> str:
    """SHA-256 of the code that reads feature files: what other code read may be other numbers."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for file in sorted([*folder.glob("*.py"), *folder.parent.glob("*.py")]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
