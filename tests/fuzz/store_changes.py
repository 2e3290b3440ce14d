"""What may befall a file of a store: cut, flipped, replaced, linked, gone. Each change is drawn from a generator."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

OTHERS = (
    b"",
    b"[]",
    b"{}",
    b"null",
    b"3",
    b'"text"',
    b"[" * 100_000,
    b"NaN",
    b"1e999",
    b"9" * 5000,
    b'{"a": "\\ud800"}',
)
"""JSON of another kind, and what is none."""
Change = Callable[[Path, Path, Random], None]


def truncate(file: Path, _: Path, draw: Random) -> None:
    """Cut it short."""
    content = file.read_bytes()
    file.write_bytes(content[: draw.randrange(len(content))] if content else b"")


def flip(file: Path, _: Path, draw: Random) -> None:
    """Flip a bit."""
    content = bytearray(file.read_bytes() or b"0")
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(content)


def flip_digit(file: Path, other: Path, draw: Random) -> None:
    """Have one of its digits be another one."""
    content = bytearray(file.read_bytes())
    if not (digits := [at for at, byte in enumerate(content) if byte in b"0123456789"]):
        return flip(file, other, draw)
    at = draw.choice(digits)
    content[at] = ord(str((int(chr(content[at])) + draw.randrange(1, 10)) % 10))
    file.write_bytes(content)
    return None


def replace(file: Path, _: Path, draw: Random) -> None:
    """Have JSON of another kind, or nothing, in its place."""
    file.write_bytes(draw.choice(OTHERS))


def randomise(file: Path, _: Path, draw: Random) -> None:
    """Have random bytes in its place."""
    file.write_bytes(draw.randbytes(draw.choice((1, 40, 4000))))


def change_value(file: Path, other: Path, draw: Random) -> None:
    """Have one value of its JSON be another one, or not be there."""
    try:
        content = json.loads(file.read_bytes())
    except ValueError:
        return flip(file, other, draw)
    if not (places := list(_places(content))):
        return replace(file, other, draw)
    holder, name = draw.choice(places)
    value = draw.choice((None, "", "../../elsewhere", -1, 0, 1e300, 10**400, True, [], {}, [{}], {"a": []}, "gone"))
    if value == "gone":
        del holder[name]
    else:
        holder[name] = value
    file.write_text(json.dumps(content))
    return None


def _places(value: Any) -> Any:
    names = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from _places(value[name])


def exchange(file: Path, _: Path, draw: Random) -> None:
    """Have the content of another file of its store in its place."""
    root = next(folder for folder in file.parents if (folder / "runs").is_dir())
    content = file.read_bytes()
    others = {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    differing = {path: other for path, other in others.items() if other != content}
    alike = [path for path in differing if path.name == file.name]
    file.write_bytes(differing[draw.choice(alike or [*differing])])


def remove(file: Path, _: Path, draw: Random) -> None:
    """Have it gone."""
    file.unlink()


def link(file: Path, outside: Path, draw: Random) -> None:
    """Have a link to a file or a folder outside in its place, or in that of its folder, or of nothing."""
    place = draw.choice((file, file, file, file.parent))
    if place == file:
        place.unlink()
    elif not (place.parent / "runs").is_dir() and place.parent.name != "runs":  # not the store's own folder
        place = file
        place.unlink()
    else:
        shutil.rmtree(place)
    place.symlink_to(draw.choice((outside / "id", outside, outside / "run", outside / "run" / file.name, Path("gone"))))


def make_folder(file: Path, _: Path, draw: Random) -> None:
    """Have a folder in its place."""
    file.unlink()
    file.mkdir()
    (file / "x").write_bytes(b"x")


CHANGES: tuple[Change, ...] = (
    *(truncate, flip, flip, flip_digit, flip_digit, replace, randomise, change_value, change_value, exchange, remove),
    *(link, link, make_folder),
)
