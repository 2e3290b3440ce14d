"""Values of a feature tuple's items, whatever a file may hold: their forms, and how an error shows and locates them."""

import reprlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.base.words import counted as counted_as
from benchmark.data.feature_files.stored import SetItems, StoredArray, loaded

Item = dict[Any, Any]


def matrix(name: str, item: Item, order: Sequence[Any], width: int) -> npt.NDArray[np.float32]:
    """The vectors of all utterances laid end to end, float32 [N, width]."""
    rows = np.empty((sum(len(item[conversation]) for conversation in order), width), np.float32)
    row = 0
    with np.errstate(all="ignore"):  # what overflows float32 becomes Inf, which is looked for
        for conversation in order:
            for utterance, value in enumerate(rows_of(item[conversation], width)):
                vector = as_vector(value)
                if vector is None or len(vector) != width:
                    expected = f"not a vector of {width} numbers"
                    raise defect(f"{located(conversation, utterance)}: {name} is {form(value)}, {expected}")
                rows[row] = loaded(vector)
                row += 1
    return rows


def rows_of(values: Any, width: int) -> Any:
    """The utterances of a conversation. A stored array of another width is an error: zeros stand for it, unread."""
    if isinstance(values, StoredArray):
        fits = values.shape[1:] == (width,)
        return values.load() if fits else np.broadcast_to(np.zeros((), values.dtype), values.shape)
    return values


def as_vector(value: object) -> npt.NDArray[Any] | StoredArray | None:
    """A vector of numbers as an array; None for anything else, which numpy would try to make an array of."""
    if isinstance(value, list | tuple) and all(type(number) in (int, float) for number in value):
        value = np.array(value, np.float64)
    array = isinstance(value, np.ndarray | StoredArray) and value.ndim == 1 and value.dtype.kind in "fiu"
    return value if array else None  # type: ignore[return-value]


def entries_of(values: Any) -> Iterator[Any]:
    """The values of a list or an array, numpy's scalars as Python's."""
    return (value.item() if isinstance(value, np.generic) else value for value in loaded(values))


def locate(item: Item, order: Sequence[Any], row: int) -> tuple[Any, int]:
    """The conversation of a row of the whole, and the utterance in it."""
    for conversation in order:
        if row < len(item[conversation]):
            break
        row -= len(item[conversation])
    return conversation, row


def defect(message: str) -> DataError:
    """An error of the content, with its remedy."""
    return DataError(f"{message}; correct the file or use the published one")


def located(conversation: Any, utterance: int) -> str:
    """Where an utterance is."""
    return f"conversation {shown(conversation)}, utterance {utterance} (from 0)"


def shown(value: object) -> str:
    """A value on one short line, whatever it is."""
    return reprlib.repr(value) if isinstance(value, str | int | float) else form(value)


def form(value: object) -> str:
    """What a value is, without its content."""
    if isinstance(value, np.ndarray | StoredArray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    name = "set" if isinstance(value, SetItems) else type(value).__name__
    article = "an" if name[0] in "aeiou" else "a"
    size = f" of {counted_as(len(value), 'item')}" if isinstance(value, list | tuple | dict) else ""
    return f"{article} {name}{size}"


def item_of(raw: tuple[Any, ...], name: str, index: int) -> Item:
    """An item that has to be a dict from conversation to utterances."""
    item = raw[index]
    if not isinstance(item, dict):
        raise defect(f"item {index} ({name}) is {form(item)}, not a dict from conversation to utterances")
    return item


def counted(value: object) -> int | None:
    """Number of entries of a list or an array, None for anything else."""
    listed = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim)
    return len(value) if listed else None  # type: ignore[arg-type]
