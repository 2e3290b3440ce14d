"""Reads a pickle as data, never as a program: a small machine that knows few opcodes and the few names arrays need.

Python's own unpickler looks up and calls what the content names, hashes what it nests and allocates what it claims.
This machine calls nothing of the content's choosing: a name stands for one of the proxies below, which check what they
are given; lengths are checked before memory is asked for; keys are plain. Parsing the arguments is left to pickletools.
"""

import math
import pickletools
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from types import FunctionType
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.errors import DataError

MAX_OPCODES = 8_000_000  # MELD's features need 2.3 million; bounds time (seconds) and memory (some 100 bytes each)
_REMEDY = "use the published file, or save the tuple again with plain lists, dicts and arrays of numbers or strings"


class _Refused(Exception):  # noqa: N818  # a verdict on the content, translated below
    """Something that features do not need."""


def read_pickle(content: bytes) -> Any:
    """Read one pickle of any protocol (Python 2's too: its strings are taken as latin1).

    Returns only None, bool, int (64 bits), float, str, bytes, tuple, list, dict with keys str or int, and arrays of
    numbers or strings. Numpy scalars come back as Python's, sets as lists. (A name or dtype that was left lying about
    comes back as an inert object of this module.)

    Raises:
        DataError: the content names anything but what arrays need, or is not a whole pickle. Nothing was executed.
    """
    source = BytesIO(content)  # a read beyond its end is short, and allocates no more than there is
    machine = _Machine()
    at, name = 0, ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a malformed escape is an error of the content
        try:
            for _ in range(MAX_OPCODES):
                at, name = source.tell(), ""
                name, reader, step = _OPCODES[source.read(1)]
                argument = reader(source) if reader else None
                if name == "STOP":
                    return machine.stack.pop()
                step(machine, argument)
        except _Refused as refused:
            raise DataError(f"refused {refused} at byte {at}; nothing was executed; {_REMEDY}") from None
        except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError, Warning) as error:
            cause = f"{name}, {str(error)[:200]!r}" if name else "no opcode" if at < len(content) else "the end"
            message = f"not a whole pickle ({cause} at byte {at} of {len(content)}); copy or download the file again"
            raise DataError(message) from None
    raise DataError(f"more than {MAX_OPCODES} opcodes, far more than features in numpy arrays need; {_REMEDY}")


def _shown(value: object) -> str:
    return repr(value[:60]) if isinstance(value, str) else f"a {type(value).__name__}"


# Proxies: what the admitted names stand for. Arguments are the content's, so each is checked.


class _DType:
    """A dtype under construction: the content names it first and sets its byte order afterwards."""

    def __init__(self, code: str) -> None:
        self.dtype = np.dtype(code)

    def set_state(self, state: object) -> None:
        match state:
            case (int(), "<" | ">" | "|" | "=" as order, None, None, None, *_):
                self.dtype = self.dtype.newbyteorder(order)
            case _:
                raise _Refused("a structured dtype")


def _dtype(code: object, *_flags: object) -> _DType:
    if not isinstance(code, str) or not re.fullmatch(r"b1|[iu][1248]|f[248]|[SU][1-9][0-9]{0,5}", code):
        raise _Refused(f"numpy.dtype of {_shown(code)}")  # objects ("O8") above all
    return _DType(code)


def _ndarray(*_: object) -> None:
    raise _Refused("a call of numpy.ndarray")  # it is only ever named, as the first argument of _reconstruct


def _reconstruct(kind: object, *_: object) -> npt.NDArray[Any]:
    if kind is not _ndarray:
        raise _Refused("numpy's _reconstruct of something other than numpy.ndarray")
    return np.empty(0, np.uint8)  # BUILD fills it in place


def _set_array_state(array: Any, state: object) -> None:
    match state:
        case (int(), shape, dtype, int() as fortran, data):
            sizes, plain, values = _checked(shape, dtype, data)
            array.__setstate__((1, sizes, plain, bool(fortran), values))
        case _:
            raise _Refused("an array's state in an unknown form")


def _frombuffer(data: object, dtype: object, shape: object, order: object) -> npt.NDArray[Any]:
    sizes, plain, values = _checked(shape, dtype, data)
    return np.frombuffer(values, plain).reshape(sizes, order="F" if order == "F" else "C")


def _scalar(dtype: object, data: object) -> Any:
    return _frombuffer(data, dtype, (), "C").item()


def _checked(shape: object, dtype: object, data: object) -> tuple[tuple[int, ...], np.dtype[Any], bytes]:
    """An array's sizes, dtype and values, which must be as many as the sizes say."""
    if not isinstance(dtype, _DType):
        raise _Refused(f"an array whose dtype is {_shown(dtype)}")
    if not isinstance(shape, tuple) or len(shape) > 32 or not all(type(n) is int and n >= 0 for n in shape):
        raise _Refused("an array whose shape is not a tuple of sizes")
    values = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(values, bytes):
        raise _Refused(f"an array whose values are {_shown(values)}")
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
        raise _Refused(f"_codecs.encode of {_shown(text)} to {_shown(encoding)}")
    return text.encode("latin1")


def _set(items: object = ()) -> list[Any]:
    if not isinstance(items, list | tuple):
        raise _Refused(f"a set of {_shown(items)}")
    return list(items)  # as a set they would have to be hashed


_ADMITTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _frombuffer for core in ("core", "_core")},
    **{(builtins, kind): _set for builtins in ("builtins", "__builtin__") for kind in ("set", "frozenset")},
}


@dataclass
class _Machine:
    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)  # heights of the stack
    memo: dict[int, Any] = field(default_factory=dict)

    def take(self, count: int) -> list[Any]:
        """The topmost values, taken off the stack."""
        return self.take_from(len(self.stack) - count)

    def take_marked(self) -> list[Any]:
        """The values above the last mark, taken off the stack with the mark."""
        return self.take_from(self.marks.pop())

    def take_from(self, height: int) -> list[Any]:
        if not 0 <= height <= len(self.stack):
            raise ValueError("the stack has too few values")
        values = self.stack[height:]
        del self.stack[height:]
        return values


# What the opcodes do. The argument is None where an opcode has none.


def _push_integer(machine: _Machine, value: int) -> None:
    if not -(2**63) <= value < 2**64:
        raise _Refused("an integer of more than 64 bits")
    machine.stack.append(value)


def _put(machine: _Machine, index: int) -> None:
    if not 0 <= index < MAX_OPCODES:
        raise _Refused(f"memo entry {index}")
    machine.memo[index] = machine.stack[-1]


def _extend(machine: _Machine, values: list[Any]) -> None:
    target = machine.stack[-1]
    if type(target) is not list:
        raise _Refused(f"values appended to {_shown(target)}")
    target.extend(values)


def _update(machine: _Machine, values: list[Any]) -> None:
    target = machine.stack[-1]
    if type(target) is not dict:
        raise _Refused(f"items set in {_shown(target)}")
    for key, value in zip(values[::2], values[1::2], strict=True):
        # Hashing deep tuples overflows the C stack, and chosen huge integers all collide.
        if not (type(key) is str or (type(key) is int and abs(key) < 2**31)):
            raise _Refused(f"a dict key that is {_shown(key)}, not a string or a 32-bit integer")
        target[key] = value


def _dict(machine: _Machine, _: None) -> None:
    values = machine.take_marked()
    machine.stack.append({})
    _update(machine, values)


def _name(machine: _Machine, module: object, name: object) -> None:
    if not isinstance(module, str) or not isinstance(name, str) or (module, name) not in _ADMITTED:
        raise _Refused("the name " + _shown(f"{module}.{name}"))
    machine.stack.append(_ADMITTED[module, name])


def _instance(_: _Machine, names: str) -> None:
    raise _Refused("an instance of " + _shown(names.replace(" ", ".")))


def _reduce(machine: _Machine, _: None) -> None:
    function, arguments = machine.take(2)
    if not isinstance(function, FunctionType) or not isinstance(arguments, tuple):
        raise _Refused(f"a call of {_shown(function)}")
    machine.stack.append(function(*arguments))  # the only functions on the stack are the proxies


def _build(machine: _Machine, _: None) -> None:
    (state,) = machine.take(1)
    target = machine.stack[-1]
    if isinstance(target, np.ndarray):
        _set_array_state(target, state)
    elif isinstance(target, _DType):
        target.set_state(state)
    else:
        raise _Refused(f"state set on {_shown(target)}")


def _escaped_string(source: BytesIO) -> str:
    """Read Python 2's text form of a string. (Pickletools' reader takes ASCII only, but arrays were stored so.)"""
    line = source.readline()
    if not re.fullmatch(rb"""(['"]).*\1\n""", line):
        raise ValueError("a string without quotes")
    return line[1:-2].decode("unicode_escape")


_Step = Callable[[_Machine, Any], None]

_STEPS: dict[str, _Step] = {
    "PROTO FRAME STOP": lambda m, _: None,
    "BININT BININT1 BININT2 FLOAT BINFLOAT": lambda m, value: m.stack.append(value),
    "STRING BINSTRING SHORT_BINSTRING": lambda m, value: m.stack.append(value),
    "UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8": lambda m, value: m.stack.append(value),
    "BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8": lambda m, value: m.stack.append(bytes(value)),
    "INT LONG LONG1": _push_integer,
    "NONE": lambda m, _: m.stack.append(None),
    "NEWTRUE": lambda m, _: m.stack.append(True),
    "NEWFALSE": lambda m, _: m.stack.append(False),
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "POP": lambda m, _: m.take(1).clear(),
    "POP_MARK": lambda m, _: m.take_marked().clear(),
    "DUP": lambda m, _: m.stack.append(m.stack[-1]),
    "PUT BINPUT LONG_BINPUT": _put,
    "MEMOIZE": lambda m, _: _put(m, len(m.memo)),
    "GET BINGET LONG_BINGET": lambda m, index: m.stack.append(m.memo[index]),
    "EMPTY_TUPLE": lambda m, _: m.stack.append(()),
    "TUPLE1": lambda m, _: m.stack.append(tuple(m.take(1))),
    "TUPLE2": lambda m, _: m.stack.append(tuple(m.take(2))),
    "TUPLE3": lambda m, _: m.stack.append(tuple(m.take(3))),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.take_marked())),
    "EMPTY_LIST EMPTY_SET": lambda m, _: m.stack.append([]),
    "LIST FROZENSET": lambda m, _: m.stack.append(m.take_marked()),
    "APPEND": lambda m, _: _extend(m, m.take(1)),
    "APPENDS ADDITEMS": lambda m, _: _extend(m, m.take_marked()),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "DICT": _dict,
    "SETITEM": lambda m, _: _update(m, m.take(2)),
    "SETITEMS": lambda m, _: _update(m, m.take_marked()),
    "GLOBAL": lambda m, names: _name(m, *names.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: _name(m, *m.take(2)),
    "INST": _instance,
    "REDUCE": _reduce,
    "BUILD": _build,
}


def _refuse(opcode: str) -> _Step:
    def step(_machine: _Machine, _argument: object) -> None:
        raise _Refused(f"the opcode {opcode}")  # extension codes, persistent ids, NEWOBJ, ...

    return step


def _opcodes() -> dict[bytes, tuple[str, Callable[[Any], Any] | None, _Step]]:
    """Per opcode byte: its name, what reads its argument, what it does."""
    steps = {name: step for names, step in _STEPS.items() for name in names.split()}
    readers: dict[str, Any] = {op.name: op.arg.reader for op in pickletools.opcodes if op.arg}
    readers["STRING"] = _escaped_string
    return {
        op.code.encode("latin1"): (op.name, readers.get(op.name), steps.get(op.name) or _refuse(op.name))
        for op in pickletools.opcodes
    }


_OPCODES = _opcodes()
