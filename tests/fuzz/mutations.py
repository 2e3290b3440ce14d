"""Changes of a pickle, of its opcodes and of its bytes, each drawn from a generator."""

import pickletools
import struct
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from random import Random

Chunks = list[bytes]  # one for each opcode with its argument, and one for what is no opcode

_CODES = [op.code.encode("latin1") for op in pickletools.opcodes]
_LENGTHS = (0, 1, 127, 128, 255, 256, 511, 512, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)
_INTERESTING = [
    b"cos\nsystem\n",
    b"cbuiltins\neval\n",
    b"cbuiltins\nset\n",
    b"c_codecs\nencode\n",
    b"cnumpy\nndarray\n",
    b"cnumpy\ndtype\n",
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"cnumpy.core.multiarray\nscalar\n",
    b"cnumpy._core.numeric\n_frombuffer\n",
    b"X\x0c\x00\x00\x00touch canary",
    b"X\x02\x00\x00\x00f4",
    b"X\x02\x00\x00\x00O8",
    b"X\x02\x00\x00\x00U9",
    b"X\x06\x00\x00\x00latin1",
    b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x82\x01",
    b"Pid\n",
    b"q\x00",
    b"h\x00",
    b"j\x00\x00\x00\x00",
]


def chunks_of(content: bytes) -> Chunks:
    """The opcodes of a pickle, as far as it can be parsed, and the rest."""
    places: list[int] = []
    with suppress(Exception):  # broken seeds: the rest is one chunk
        places.extend(at for _, _, at in pickletools.genops(content) if at is not None)
    return [content[begin:end] for begin, end in pairwise([*(places or [0]), len(content)])]


def _some(chunks: Chunks, draw: Random) -> tuple[int, int]:
    begin = draw.randrange(len(chunks))
    return begin, min(len(chunks), begin + draw.choice((1, 1, 2, 3, 8, 40)))


def _delete(chunks: Chunks, _other: Chunks, draw: Random) -> None:
    begin, end = _some(chunks, draw)
    del chunks[begin:end]


def _duplicate(chunks: Chunks, _other: Chunks, draw: Random) -> None:
    begin, end = _some(chunks, draw)
    chunks[end:end] = chunks[begin:end] * draw.choice((1, 1, 1, 2, 50))


def _move(chunks: Chunks, _other: Chunks, draw: Random) -> None:
    begin, end = _some(chunks, draw)
    part = chunks[begin:end]
    del chunks[begin:end]
    at = draw.randint(0, len(chunks))
    chunks[at:at] = part


def _splice(chunks: Chunks, other: Chunks, draw: Random) -> None:
    begin, end = _some(other, draw)
    at, to = _some(chunks, draw)
    chunks[at : draw.choice((at, to))] = other[begin:end]


def _cross(chunks: Chunks, other: Chunks, draw: Random) -> None:
    chunks[draw.randrange(len(chunks)) :] = other[draw.randrange(len(other)) :]


def _recode(chunks: Chunks, _other: Chunks, draw: Random) -> None:
    at = draw.randrange(len(chunks))
    chunks[at] = draw.choice(_CODES) + chunks[at][1:]


def _insert(chunks: Chunks, _other: Chunks, draw: Random) -> None:
    chunks.insert(draw.randint(0, len(chunks)), draw.choice(draw.choice((_CODES, _INTERESTING))))


def _reargue(chunks: Chunks, other: Chunks, draw: Random) -> None:
    """Another argument: another chunk's, another length or index before it, or another byte in it."""
    at = draw.randrange(len(chunks))
    code, argument = chunks[at][:1], chunks[at][1:]
    kind = draw.randrange(4)
    if kind == 0:
        argument = draw.choice(other)[1:]
    elif kind == 1:
        width = draw.choice((1, 2, 4, 8))
        argument = struct.pack("<Q", draw.choice(_LENGTHS))[:width] + argument[width:]
    elif kind == 2 and argument.endswith(b"\n"):
        argument = str(draw.choice((-1, 1)) * draw.choice(_LENGTHS)).encode() + b"\n"
    elif argument:
        place = draw.randrange(len(argument))
        argument = argument[:place] + bytes([draw.randrange(256)]) + argument[place + 1 :]
    chunks[at] = code + argument


_STRUCTURED: list[Callable[[Chunks, Chunks, Random], None]] = [
    _delete,
    _duplicate,
    _move,
    _splice,
    _cross,
    _recode,
    _insert,
    _reargue,
    _reargue,
]


def _bytes_changed(content: bytes, draw: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        at = draw.randrange(len(changed)) if changed else 0
        match draw.randrange(4):
            case 0:
                changed[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                del changed[at : at + draw.choice((1, 2, 7))]
            case 2:
                changed[at:at] = draw.randbytes(draw.choice((1, 2, 7)))
            case 3 if changed:
                changed[at] ^= 1 << draw.randrange(8)
    return bytes(changed[: draw.randrange(len(changed) + 1)] if draw.random() < 0.1 else changed)


def mutated(content: Chunks, other: Chunks, draw: Random) -> bytes:
    """A changed pickle: mostly its opcodes, with parts of another pickle, and often some bytes."""
    chunks = list(content)
    for _ in range(draw.choice((0, 1, 1, 1, 2, 3, 6))):
        if chunks:
            draw.choice(_STRUCTURED)(chunks, other, draw)
    whole = b"".join(chunks)[:200_000]
    return _bytes_changed(whole, draw) if draw.random() < 0.3 else whole
