"""Reads a pickle as data, never as a program: a small machine that knows few opcodes and the few names arrays need.

Python's own unpickler looks up and calls what the content names, hashes what it nests and allocates what it claims.
This machine calls nothing of the content's choosing: a name stands for one of the proxies of unpickle_names, which
check what they are given; lengths are checked before memory is asked for; keys are plain.

The content is gone through twice: first for the memo entries that are fetched, of hundreds of thousands that are put.
The others are not kept, so that what an array was made of is let go as soon as it is made; and values of large arrays
stay in the file (benchmark.data.feature_files.stored).
"""

import codecs
import pickletools
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from types import FunctionType
from typing import Any, BinaryIO

from benchmark.base.errors import DataError
from benchmark.data.feature_files.stored import Content, SetItems, counted_bytes, counted_latin1, counted_text
from benchmark.data.feature_files.unpickle_names import ADMITTED, DType, Refused, Unfilled, filled, shown

MAX_OPCODES = 8_000_000  # MELD's features need 2.3 million; bounds time (seconds) and memory (some 100 bytes each)
_REMEDY = "use the published file, or save the tuple again with plain lists, dicts and arrays of numbers or strings"
_MALFORMED = (ArithmeticError, LookupError, MemoryError, TypeError, ValueError, Warning)


def read_pickle(source: bytes | BinaryIO) -> Any:
    """Read one pickle of any protocol (Python 2's too: its strings are taken as latin1).

    Returns only None, bool, int (64 bits), float, str, bytes, tuple, list, dict with keys str or int, and arrays of
    numbers or strings, those of many numbers as :class:`~.stored.StoredArray`, which stay in the source.
    Numpy scalars come back as Python's, sets as lists. (A name, a dtype or an array without values that was left lying
    about comes back as an inert object.)

    Args:
        source: the content, or the file that it is, which must stay open while stored arrays are used.

    Raises:
        DataError: the content names anything but what arrays need, or is not a whole pickle. Nothing was executed.
    """
    content = Content(BytesIO(source) if isinstance(source, bytes) else source)
    step, name = 0, ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a malformed escape is an error of the content
        try:
            machine = _Machine(fetched=_fetched(content))
            content.rewind()
            read = content.read
            for step in range(MAX_OPCODES):  # noqa: B007  # which an error is located by
                name = ""
                name, reader, act = _OPCODES[read(1)]
                argument = reader(content) if reader else None
                if name == "STOP":
                    return machine.stack.pop()
                act(machine, argument)
        except Refused as refused:
            at = _position(content, step)
            raise DataError(f"refused {refused} at byte {at}; nothing was executed; {_REMEDY}") from None
        except _MALFORMED as error:
            at = _position(content, step)
            cause = f"{name}, {str(error)[:200]!r}" if name else "no opcode" if at < content.size else "the end"
            message = f"not a whole pickle ({cause} at byte {at} of {content.size}); copy or download the file again"
            raise DataError(message) from None
    raise DataError(f"more than {MAX_OPCODES} opcodes, far more than features in numpy arrays need; {_REMEDY}")


def _fetched(content: Content) -> frozenset[int]:
    """The memo entries that the content fetches, up to its end or to where it is broken, as the reading will find."""
    fetched: set[Any] = set()
    try:
        for _ in range(MAX_OPCODES):
            name, reader, _step = _OPCODES[content.read(1)]
            argument = reader(content) if reader else None
            if name in ("GET", "BINGET", "LONG_BINGET"):
                fetched.add(argument)
            elif name == "STOP":
                break
    except _MALFORMED:
        pass
    return frozenset(fetched)


def _position(content: Content, steps: int) -> int:
    """Where an opcode begins, of which there are so many before it."""
    content.rewind()
    for _ in range(steps):
        _, reader, _step = _OPCODES[content.read(1)]
        if reader:
            reader(content)
    return content.tell()


@dataclass
class _Machine:
    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)  # heights of the stack
    fetched: frozenset[int] = frozenset()
    memo: dict[int, Any] = field(default_factory=dict)  # of what is fetched
    puts: int = 0

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
        raise Refused("an integer of more than 64 bits")
    machine.stack.append(value)


def _put(machine: _Machine, index: int) -> None:
    if not 0 <= index < MAX_OPCODES:
        raise Refused(f"memo entry {index}")
    value = machine.stack[-1]
    machine.puts += 1  # no pickler puts an entry twice, so that this is the number of entries
    if index in machine.fetched:
        machine.memo[index] = value
        if isinstance(value, Unfilled):
            value.memo.append(index)


def _extend(machine: _Machine, values: list[Any]) -> None:
    target = machine.stack[-1]
    if type(target) not in (list, SetItems):
        raise Refused(f"values appended to {shown(target)}")
    target.extend(values)


def _update(machine: _Machine, values: list[Any]) -> None:
    target = machine.stack[-1]
    if type(target) is not dict:
        raise Refused(f"items set in {shown(target)}")
    for key, value in zip(values[::2], values[1::2], strict=True):
        # Hashing deep tuples overflows the C stack, and chosen huge integers all collide.
        if not (type(key) is str or (type(key) is int and abs(key) < 2**31)):
            raise Refused(f"a dict key that is {shown(key)}, not a short string or a 32-bit integer")
        target[key] = value


def _dict(machine: _Machine, _: None) -> None:
    values = machine.take_marked()
    machine.stack.append({})
    _update(machine, values)


def _name(machine: _Machine, module: object, name: object) -> None:
    if not isinstance(module, str) or not isinstance(name, str):
        raise Refused(f"a name of {shown(module)} and {shown(name)}")  # as text, nested lists could be without end
    if (module, name) not in ADMITTED:
        raise Refused("the name " + shown(f"{module}.{name}"))
    machine.stack.append(ADMITTED[module, name])


def _instance(_: _Machine, names: str) -> None:
    raise Refused("an instance of " + shown(names.replace(" ", ".")))


def _reduce(machine: _Machine, _: None) -> None:
    function, arguments = machine.take(2)
    if not isinstance(function, FunctionType) or not isinstance(arguments, tuple):
        raise Refused(f"a call of {shown(function)}")
    machine.stack.append(function(*arguments))  # the only functions on the stack are the proxies


def _build(machine: _Machine, _: None) -> None:
    (state,) = machine.take(1)
    target = machine.stack[-1]
    if isinstance(target, Unfilled):
        machine.stack[-1] = array = filled(state)
        for index in target.memo:
            if machine.memo[index] is target:
                machine.memo[index] = array
        target.memo.clear()
    elif isinstance(target, DType):
        target.set_state(state)
    else:
        raise Refused(f"state set on {shown(target)}")


def _escaped_string(source: Content) -> str:
    """Read Python 2's text form of a string. (Pickletools' reader takes ASCII only, but arrays were stored so.)"""
    line = source.readline()
    if not re.fullmatch(rb"""(['"]).*\1\n""", line):
        raise ValueError("a string without quotes")
    return codecs.escape_decode(line[1:-2])[0].decode("latin1")  # as pickle does; "unicode_escape" imports for \N{…}


_COUNTED = {
    "SHORT_BINBYTES": counted_bytes(1),
    "BINBYTES": counted_bytes(4),
    "BINBYTES8": counted_bytes(8),
    "BYTEARRAY8": counted_bytes(8),
    "SHORT_BINUNICODE": counted_text(1),
    "BINUNICODE": counted_text(4),
    "BINUNICODE8": counted_text(8),
    "SHORT_BINSTRING": counted_latin1(1),
    "BINSTRING": counted_latin1(4),
}
"""Readers of values that begin with their length."""

_Step = Callable[[_Machine, Any], None]

_STEPS: dict[str, _Step] = {
    "PROTO FRAME STOP": lambda m, _: None,
    "BININT BININT1 BININT2 FLOAT BINFLOAT": lambda m, value: m.stack.append(value),
    "STRING BINSTRING SHORT_BINSTRING": lambda m, value: m.stack.append(value),
    "UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8": lambda m, value: m.stack.append(value),
    "BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8": lambda m, value: m.stack.append(value),
    "INT LONG LONG1": _push_integer,
    "NONE": lambda m, _: m.stack.append(None),
    "NEWTRUE": lambda m, _: m.stack.append(True),
    "NEWFALSE": lambda m, _: m.stack.append(False),
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "POP": lambda m, _: m.take(1).clear(),
    "POP_MARK": lambda m, _: m.take_marked().clear(),
    "DUP": lambda m, _: m.stack.append(m.stack[-1]),
    "PUT BINPUT LONG_BINPUT": _put,
    "MEMOIZE": lambda m, _: _put(m, m.puts),
    "GET BINGET LONG_BINGET": lambda m, index: m.stack.append(m.memo[index]),
    "EMPTY_TUPLE": lambda m, _: m.stack.append(()),
    "TUPLE1": lambda m, _: m.stack.append(tuple(m.take(1))),
    "TUPLE2": lambda m, _: m.stack.append(tuple(m.take(2))),
    "TUPLE3": lambda m, _: m.stack.append(tuple(m.take(3))),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.take_marked())),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "EMPTY_SET": lambda m, _: m.stack.append(SetItems()),
    "LIST": lambda m, _: m.stack.append(m.take_marked()),
    "FROZENSET": lambda m, _: m.stack.append(SetItems(m.take_marked())),
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
        raise Refused(f"the opcode {opcode}")  # extension codes, persistent ids, NEWOBJ, ...

    return step


def _opcodes() -> dict[bytes, tuple[str, Callable[[Any], Any] | None, _Step]]:
    """Per opcode byte: its name, what reads its argument, what it does."""
    steps = {name: step for names, step in _STEPS.items() for name in names.split()}
    # LONG4 is refused before its argument, which may claim gigabytes, is read.
    readers: dict[str, Any] = {op.name: op.arg.reader for op in pickletools.opcodes if op.arg and op.name != "LONG4"}
    readers |= {"STRING": _escaped_string, **_COUNTED}
    return {
        op.code.encode("latin1"): (op.name, readers.get(op.name), steps.get(op.name) or _refuse(op.name))
        for op in pickletools.opcodes
    }


_OPCODES = _opcodes()
