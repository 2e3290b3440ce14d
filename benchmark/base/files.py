"""Files that are whole or absent, and claims on them."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast
from uuid import uuid4

from benchmark.base.fingerprints import json_fingerprint
from benchmark.base.locks import take

T = TypeVar("T")
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}")


def cache_folder() -> Path:
    """The user's cache of what can be made again: ``$CSSBENCH_CACHE``, else the platform's place for caches."""
    import platformdirs

    return Path(os.environ.get("CSSBENCH_CACHE") or platformdirs.user_cache_dir("css-bench", appauthor=False))


def fetched_folder() -> Path:
    """Where ``cssbench data fetch`` puts feature files, and where they are looked for when no folder is named."""
    return cache_folder() / "fetched"


@contextmanager
def claimed(path: Path, *, strict: bool = False) -> Iterator[bool]:
    """Keep other processes from claiming this file or folder, which exists; False where another one has it.

    The kernel ends a claim with the process that holds it. On file systems without locks every claim is granted, or
    with ``strict`` none. What was removed while it was opened is nobody's: who asks again gets what is in its place.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield take(descriptor, strict=strict) and _is(descriptor, path)
    finally:
        os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` when the block ends; an error or a crash leaves the old one.

    What a killed process has left of one is removed by :func:`sweep`.
    """
    temporary, file = _temporary(path)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)  # while it is locked: it is nobody's leftover
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _temporary(path: Path) -> tuple[Path, BinaryIO]:
    """A new file beside ``path``, open and locked."""
    while True:
        temporary = path.with_name(f".{path.name}.{uuid4().hex}")
        file = temporary.open("xb")  # not mkstemp, which hides files from all but their owner
        take(file.fileno(), wait=True)
        if _is(file.fileno(), temporary):  # else swept away before it was locked
            return temporary, file
        file.close()


def sweep(folder: Path) -> None:
    """Remove the files that killed processes have left half written in a folder; those of living ones stay."""
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if _TEMPORARY.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                with suppress(OSError), claimed(path, strict=True) as granted:
                    if granted:
                        path.unlink()


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``; a crash at any moment leaves the old file or the new one."""
    with replacing(path) as file:
        file.write(content)


def kept(path: Path, make: Callable[[], T]) -> T:
    """The JSON value of a file in a cache, or where there is none, or a damaged one, what ``make`` gives, kept there.

    The file has the value's checksum. A cache that cannot be written costs the time of making it again.
    """
    with suppress(OSError, ValueError):
        content = read_object(path)
        if content.get("checksum") == json_fingerprint(content.get("value")):
            return cast(T, content["value"])
    value = make()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"value": value, "checksum": json_fingerprint(value)})
        sweep(path.parent)
    return value


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; raises ValueError, its message on one line, where there is none in it."""
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())[:100]) from None
    if not isinstance(value, dict):
        raise ValueError(f"it holds a {type(value).__name__}, not an object")
    return value


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; non-finite numbers are refused, since JSON has none."""
    write_atomically(path, json.dumps(value, indent=1, allow_nan=False).encode())
