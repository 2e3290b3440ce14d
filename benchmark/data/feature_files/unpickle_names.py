"""The few names that a pickle of arrays needs, and what stands for each: a proxy that checks what it is given."""

import math
import re
import sys
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmark.data.feature_files.stored import SetItems, StoredArray, kept_in, place_of

Array = npt.NDArray[Any] | StoredArray


class Refused(Exception):  # noqa: N818  # a verdict on the content, which read_pickle translates
    """Something that features do not need."""


def shown(value: object) -> str:
    """A string cut short (to 64 characters as shown: control characters grow), or what else a value is."""
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    text = repr(value[:60])
    return text if len(text) <= 64 else text[:60] + "…'"


# Proxies: what the admitted names stand for. Arguments are the content's, so each is checked.


class DType:
    """A dtype under construction: the content names it first and sets its byte order afterwards."""

    def __init__(self, code: str) -> None:
        self.dtype = np.dtype(code)

    def set_state(self, state: object) -> None:
        """Take the byte order."""
        match state:
            case (int(), "<" | ">" | "|" | "=" as order, None, None, None, *_):
                self.dtype = self.dtype.newbyteorder(order)
            case _:
                raise Refused("a structured dtype")


def _dtype(code: object, *_flags: object) -> DType:
    if not isinstance(code, str) or not re.fullmatch(r"b1|[iu][1248]|f[248]|[SU][1-9][0-9]{0,5}", code):
        raise Refused(f"numpy.dtype of {shown(code)}")  # objects ("O8") above all
    return DType(code)


def _ndarray(*_: object) -> None:
    raise Refused("a call of numpy.ndarray")  # it is only ever named, as the first argument of _reconstruct


class Unfilled:
    """An array under construction: a later opcode gives it shape, dtype and values."""

    def __init__(self) -> None:
        self.memo: list[int] = []  # where the array has to take its place


def _reconstruct(kind: object, *_: object) -> Unfilled:
    if kind is not _ndarray:
        raise Refused("numpy's _reconstruct of something other than numpy.ndarray")
    return Unfilled()


def filled(state: object) -> Array:
    """The array that an unfilled one becomes by its state."""
    match state:
        case (int(), shape, dtype, int() as fortran, data):
            return _array(shape, dtype, data, "F" if fortran else "C")
        case _:
            raise Refused("an array's state in an unknown form")


def _frombuffer(data: object, dtype: object, shape: object, order: object) -> Array:
    return _array(shape, dtype, data, "F" if order == "F" else "C")


def _scalar(dtype: object, data: object) -> Any:
    _, plain, values = _checked((), dtype, data)
    return np.frombuffer(values, plain).item()


def _array(shape: object, dtype: object, data: object, order: Literal["C", "F"]) -> Array:
    """An array of these values: over the bytes as they are, or left in the file where they are many numbers."""
    sizes, plain, values = _checked(shape, dtype, data)
    if (place := place_of(data)) is not None and plain.kind in "fiu" and sizes:
        return StoredArray(place, sizes, plain, order)
    return np.ndarray(sizes, plain, values, order=order)


def _checked(shape: object, dtype: object, data: object) -> tuple[tuple[int, ...], np.dtype[Any], bytes]:
    """An array's sizes, dtype and values, which must be as many as the sizes say."""
    if not isinstance(dtype, DType):
        raise Refused(f"an array whose dtype is {shown(dtype)}")
    if not isinstance(shape, tuple) or len(shape) > 32 or not all(type(n) is int and n >= 0 for n in shape):
        raise Refused("an array whose shape is not a tuple of sizes")
    values = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(values, bytes):
        raise Refused(f"an array whose values are {shown(values)}")
    plain = dtype.dtype
    claimed = math.prod(shape) * plain.itemsize
    if claimed != len(values):
        raise ValueError(f"an array claims {claimed} bytes and has {len(values)}")
    if math.prod(n or 1 for n in shape) * plain.itemsize > sys.maxsize:
        raise ValueError("an array without values claims impossible sizes")  # its strides would overflow
    if plain.kind == "U" and (np.frombuffer(values, plain.byteorder + "u4") > sys.maxunicode).any():
        raise ValueError("an array of strings holds no characters")
    return shape, plain, values


def _encode(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Refused(f"_codecs.encode of {shown(text)} to {shown(encoding)}")
    return kept_in(place_of(text), text.encode("latin1"))


def _set(items: object = ()) -> list[Any]:
    if not isinstance(items, list | tuple):
        raise Refused(f"a set of {shown(items)}")
    return SetItems(items)


ADMITTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _frombuffer for core in ("core", "_core")},
    **{(builtins, kind): _set for builtins in ("builtins", "__builtin__") for kind in ("set", "frozenset")},
}
