"""Values that stay in the file which they were read from, until they are wanted.

A feature file is mostly arrays that no run uses (three of four views of the text), and each of the others is copied
into one of the run's arrays: what a large array needs in memory is its place in the file. Its bytes are read and
checked once on the way past it, and read again when it is loaded.
"""

from collections.abc import Callable
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError


class SetItems(list[Any]):
    """The members of a set, in a list: as a set they would have to be hashed."""


LARGE = 512  # bytes; a stored array takes some 250 whatever its size


class Content:
    """The content of a file and its size, which no claim of the content can exceed."""

    def __init__(self, file: BinaryIO) -> None:
        self._seek = file.seek
        self.read, self.readline, self.tell = file.read, file.readline, file.tell
        self.size = file.seek(0, 2)
        self.rewind()

    def rewind(self) -> None:
        """Go back to the beginning."""
        self._seek(0)

    def at(self, begin: int, length: int) -> bytes:
        """So many bytes from ``begin`` on, or fewer where there are no more."""
        self._seek(begin)
        return self.read(length)


class Place(NamedTuple):
    """Where bytes are in a file, as they are or as UTF-8 of latin1 text."""

    content: Content
    begin: int
    length: int
    utf8: bool

    def load(self) -> bytes:
        """The bytes."""
        raw = self.content.at(self.begin, self.length)
        return raw.decode().encode("latin1") if self.utf8 else raw


class _PlacedBytes(bytes):
    place: Place


class _PlacedText(str):
    place: Place


def place_of(value: object) -> Place | None:
    """Where a large value was read from; None for what is small or not there as such."""
    return value.place if isinstance(value, _PlacedBytes | _PlacedText) else None


def kept_in(place: Place | None, value: bytes) -> bytes:
    """The value as one that is kept in this place too."""
    if place is None:
        return value
    placed = _PlacedBytes(value)
    placed.place = place
    return placed


def _counted(content: Content, width: int) -> tuple[bytes, int]:
    """A value that is led by its length in ``width`` bytes, and where it begins if it is large, else 0."""
    prefix = content.read(width)
    length = int.from_bytes(prefix, "little")
    begin = content.tell() if length >= LARGE else 0
    if begin + length > content.size:  # before memory is asked for
        raise ValueError(f"a value claims {length} bytes")
    value = content.read(length)
    if len(prefix) < width or len(value) < length:
        raise ValueError("cut off")
    return value, begin


def counted_bytes(width: int) -> Callable[[Content], bytes]:
    """A reader of bytes."""

    def read(content: Content) -> bytes:
        value, begin = _counted(content, width)
        return kept_in(Place(content, begin, len(value), utf8=False), value) if begin else value

    return read


def counted_text(width: int) -> Callable[[Content], str]:
    """A reader of text in UTF-8."""

    def read(content: Content) -> str:
        value, begin = _counted(content, width)
        return _text(value.decode("utf-8", "surrogatepass"), Place(content, begin, len(value), utf8=True))

    return read


def counted_latin1(width: int) -> Callable[[Content], str]:
    """A reader of Python 2's strings."""

    def read(content: Content) -> str:
        value, begin = _counted(content, width)
        return _text(value.decode("latin1"), Place(content, begin, len(value), utf8=False))

    return read


def _text(value: str, place: Place) -> str:
    if not place.begin:
        return value
    placed = _PlacedText(value)
    placed.place = place
    return placed


class StoredArray:
    """An array of numbers that is in a file."""

    __slots__ = ("_order", "_place", "dtype", "shape")

    def __init__(self, place: Place, shape: tuple[int, ...], dtype: np.dtype[Any], order: Literal["C", "F"]) -> None:
        self._place, self.shape, self.dtype, self._order = place, shape, dtype, order

    @property
    def ndim(self) -> int:
        """Number of dimensions, at least 1."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def load(self) -> npt.NDArray[Any]:
        """The array, read from the file, which must be open.

        Raises:
            DataError: the file was changed since.
        """
        try:
            return np.ndarray(self.shape, self.dtype, self._place.load(), order=self._order)
        except (TypeError, ValueError):
            raise DataError("the file was changed while it was read; read it again") from None


def loaded(value: Any) -> Any:
    """The array itself where a value is a stored one, else the value."""
    return value.load() if isinstance(value, StoredArray) else value
