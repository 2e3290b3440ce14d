"""The open feature format, version 1 (docs/feature-format.md): a safetensors file whose metadata hold a JSON header.

Arrays are mapped into memory, not read: processes share their pages, and what is not used costs nothing. The mapping is
private (copy on write), so that torch takes the arrays without a copy and nothing that it does reaches the file.
"""

import hashlib
import json
import math
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from benchmark.base.errors import DataError
from benchmark.base.files import replacing
from benchmark.data.conversations import SPLITS, Conversations
from benchmark.data.corpora import CORPORA, SIMULATED, own_name
from benchmark.data.views import ARRAYS, TextView, arrays_for, choose

FORMAT, VERSION = "css-bench-features", "1"
SUFFIX = ".safetensors"
MOST_SPEAKERS = 2**16
MOST_CLASSES = 255  # predictions are kept as uint8
_MAX_HEADER = 64 * 2**20  # bytes; MELD's takes 40 thousand
_DTYPES: dict[str, np.dtype[Any]] = {"I64": np.dtype("<i8"), "F32": np.dtype("<f4")}
_INTEGERS = ("offsets", "speaker", "label")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Strict):
    """What a file was made from.

    Attributes:
        file, sha256: name and content of the feature file.
        text_view: which of its views of the text the array ``text`` holds.
        reader: fingerprint of the code that read it.
    """

    file: str
    sha256: str
    text_view: TextView
    reader: str


def _known_or_own(name: str) -> str:
    try:
        return name if name in CORPORA else own_name(name)
    except DataError as error:
        raise ValueError(str(error)) from None


class Header(_Strict):
    """Everything but the arrays; ``arrays`` has the SHA-256 of each (:func:`_digest`), the rest is of Conversations."""

    dataset: Annotated[str, AfterValidator(_known_or_own)]
    class_names: tuple[str, ...]
    speakers: Annotated[int, Field(ge=1, le=MOST_SPEAKERS)]
    ids: tuple[str, ...]
    split: tuple[Literal["train", "dev", "test"], ...]
    source: Source | None
    arrays: dict[str, str]


class _Entry(_Strict):
    """An array's place in the file, as safetensors has it."""

    dtype: Literal["I64", "F32"]
    shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=2)]
    data_offsets: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


_Entries = TypeAdapter(dict[str, _Entry])
_Sentences = TypeAdapter(list[str])


def save(
    path: Path,
    conversations: Conversations,
    dataset: str,
    source: Source | None = None,
    sentences: Sequence[str] | None = None,
) -> None:
    """Write labelled conversations, atomically; the same ones give the same bytes.

    Args:
        path: file to write or replace.
        conversations: features named as in :data:`benchmark.data.views.ARRAYS`.
        dataset: ``iemocap`` or ``meld``, or the name of a corpus of its own.
        source: what they were read from.
        sentences: what is said in each of the N utterances, where that is known; only audits read it.
    """
    c = conversations
    assert c.label is not None, "a feature file has labels"
    integers = dict(zip(_INTEGERS, (c.offsets, c.speaker, c.label), strict=True))
    arrays = {n: _plain(x, "I64") for n, x in integers.items()} | {n: _plain(x, "F32") for n, x in c.features.items()}
    header = Header(
        dataset=dataset,
        class_names=c.class_names,
        speakers=c.speakers,
        ids=c.ids,
        split=c.split,  # type: ignore[arg-type]
        source=source,
        arrays={name: _digest(x) for name, x in arrays.items()},
    ).model_dump_json()
    metadata = {"format": FORMAT, "version": VERSION, "header": header, "sha256": _sha256(header.encode())}
    if sentences is not None:
        texts = json.dumps(list(sentences), ensure_ascii=False)
        metadata |= {"sentences": texts, "sentences_sha256": _sha256(texts.encode())}
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, x in arrays.items():  # integers first: every array stays aligned
        begin, end = end, end + x.nbytes
        dtype = "I64" if name in _INTEGERS else "F32"
        entries[name] = {"dtype": dtype, "shape": x.shape, "data_offsets": (begin, end)}
    head = json.dumps(entries).encode()
    head += b" " * (-len(head) % 8)
    if len(head) > _MAX_HEADER:
        raise DataError(f"names and sentences of {len(head)} bytes, where {_MAX_HEADER} are read; leave sentences out")
    with replacing(path) as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for x in arrays.values():
            file.write(x.data)


def recognises(path: Path) -> bool:
    """Whether a file begins as safetensors do, with a length in 8 bytes and JSON; no pickle of features does."""
    with path.open("rb") as file:
        start = file.read(9)
    return start[5:] == b"\0\0\0{"


@dataclass(frozen=True)
class OpenFile:
    """A file in the open format whose header was read and checked; arrays are mapped and checked when asked for."""

    header: Header
    metadata: Mapping[str, Any]
    _entries: Mapping[str, _Entry]
    _mapping: mmap.mmap
    _start: int

    @property
    def features(self) -> list[str]:
        """Names of the arrays of features, in the order of :data:`benchmark.data.views.ARRAYS`."""
        return [name for name in ARRAYS if name in self._entries]

    @property
    def simulated(self) -> str | None:
        """The name of the simulated corpus that this is, if it is one."""
        name = self.header.source.file if self.header.source else ""
        return name if name.partition("(")[0] in SIMULATED else None

    def sentences(self, utterances: int) -> list[str]:
        """What is said in each utterance, [N], empty where the file does not tell; raises DataError for damage."""
        text = self.metadata.get("sentences")
        if text is None:
            return [""] * utterances
        if self.metadata.get("sentences_sha256") != _sha256(str(text).encode(errors="surrogatepass")):
            raise DataError("its sentences are damaged (their SHA-256 differs); copy or build the file again")
        try:
            sentences = _Sentences.validate_json(text)
        except ValidationError:
            raise DataError("its sentences are no list of texts; build the file again") from None
        if len(sentences) != utterances:
            raise DataError(f"{len(sentences)} sentences of {utterances} utterances; build the file again")
        return sentences

    def conversations(self, modalities: Sequence[str], text_view: str) -> Conversations:
        """Conversations of these modalities, the text in this view.

        Raises:
            DataError: arrays that are not there, damaged, or hold impossible values.
        """
        source_view = "1" if self.header.source is None else self.header.source.text_view
        if "text" in modalities and source_view != "1":
            if text_view != source_view:
                raise DataError(f"no text view {text_view}: its text is view {source_view} of {self._origin()}")
            text_view = "1"
        wanted = arrays_for(modalities, text_view)
        if missing := [name for name in wanted if name not in self.features]:
            raise DataError(
                f"no {' or '.join(missing)} in it, which holds {', '.join(self.features)}; choose others with "
                "--modalities or --text-view"
            )
        features = {name: self._array(name) for name in wanted}
        integers = {name: self._array(name) for name in _INTEGERS}
        h = self.header
        everything = Conversations(
            features, **integers, ids=h.ids, split=h.split, class_names=h.class_names, speakers=h.speakers
        )
        _check(everything)
        return choose(everything, modalities, text_view)

    def _array(self, name: str) -> npt.NDArray[Any]:
        if name not in self._entries:
            raise DataError(f"no array {name} in it; write the file again")
        entry = self._entries[name]
        if (entry.dtype == "I64") != (name in _INTEGERS):
            raise DataError(f"array {name} is of type {entry.dtype}; write the file again")
        begin, _ = entry.data_offsets
        dtype = _DTYPES[entry.dtype]
        count = math.prod(entry.shape)
        array = np.frombuffer(self._mapping, dtype, count, self._start + begin).reshape(entry.shape)
        if self.header.arrays.get(name) != _digest(array):
            raise DataError(f"array {name} is damaged (its SHA-256 differs); copy or import the file again")
        return array

    def _origin(self) -> str:
        return self.header.source.file if self.header.source else "an unnamed file"


def open_features(path: Path) -> OpenFile:
    """Read and check the header of a file in the open format.

    Raises:
        DataError: it is not in that format, of another version, cut short or damaged.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        metadata, entries, start = _head(file, size)
        if metadata.get("format") != FORMAT:
            raise DataError(f"safetensors, but not of format {FORMAT!r}; import features with cssbench data import")
        if metadata.get("version") != VERSION:
            version = str(metadata.get("version"))[:20]
            raise DataError(f"version {version!r} of the open format, where {VERSION} is read; use a newer css-bench")
        text = str(metadata.get("header")).encode(errors="surrogatepass")
        if metadata.get("sha256") != _sha256(text):
            raise DataError("its header is damaged (its SHA-256 differs); copy or import the file again")
        try:
            header, places = Header.model_validate_json(text), _Entries.validate_python(entries)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))[:80]
            raise DataError(f"its header is not as the format says ({where}: {problem['msg'][:200]})") from None
        for name, entry in places.items():
            begin, end = entry.data_offsets
            if end - begin != math.prod(entry.shape) * _DTYPES[entry.dtype].itemsize or begin % 4:
                raise DataError(f"array {name[:40]!r} does not have the size that its shape says")
            if start + end > size:
                raise DataError(f"cut short: {size} bytes of at least {start + end}; copy or import the file again")
        return OpenFile(header, metadata, places, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), start)


def _head(file: BinaryIO, size: int) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Metadata, entries, and where the arrays begin, of any safetensors file."""
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(size - 8, _MAX_HEADER):
        raise DataError(f"a header of {length} bytes in a file of {size}; copy or import the file again")
    try:
        entries = json.loads(file.read(length))
        metadata = entries.pop("__metadata__", {})
        if not isinstance(metadata, dict):
            raise TypeError
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise DataError("its header is not JSON as safetensors have it; copy or import the file again") from None
    return metadata, entries, 8 + length


def _check(c: Conversations) -> None:
    """Raise DataError for arrays that are no conversations. (A checksum tells damage, not what was wrong at first.)"""
    assert c.label is not None
    n = len(c.speaker)
    expected: list[tuple[str, npt.NDArray[Any], tuple[int, ...]]] = [
        ("speaker", c.speaker, (n,)),
        ("label", c.label, (n,)),
        ("offsets", c.offsets, (len(c.ids) + 1,)),
        *((name, x, (n, x.shape[-1])) for name, x in c.features.items()),
    ]
    for name, array, shape in expected:
        if array.shape != shape:
            raise DataError(f"array {name} has shape {array.shape}, not {shape}")
    if not 1 <= len(c.class_names) <= MOST_CLASSES or len(set(c.class_names)) != len(c.class_names):
        raise DataError(f"{len(c.class_names)} class names: give 1 to {MOST_CLASSES}, all different")
    if len(c.split) != len(c.ids) or len(set(c.ids)) != len(c.ids) or not set(c.split) <= set(SPLITS):
        raise DataError(f"{len(c.ids)} ids and {len(c.split)} splits: each conversation has one of each, of its own")
    if c.offsets[0] != 0 or c.offsets[-1] != n or (c.offsets[1:] <= c.offsets[:-1]).any():
        raise DataError(f"offsets do not rise from 0 to the number of utterances, {n}")
    for name, numbers, end in (("label", c.label, len(c.class_names)), ("speaker", c.speaker, c.speakers)):
        if numbers.min() < 0 or numbers.max() >= end:
            raise DataError(f"{name}s from {numbers.min()} to {numbers.max()}, where 0 to {end - 1} are known")
    for name, x in c.features.items():
        if not np.isfinite(x).all():
            raise DataError(f"{name} has NaN or Inf; correct the file")


def _plain(x: npt.NDArray[Any], dtype: str) -> npt.NDArray[Any]:
    return np.ascontiguousarray(x, _DTYPES[dtype])


def _digest(x: npt.NDArray[Any]) -> str:
    """SHA-256 of an array: of ``<i8 [3, 4]``, say, then its values, row by row."""
    digest = hashlib.sha256(f"{x.dtype.str} {list(x.shape)}".encode())
    digest.update(x.data)
    return digest.hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
