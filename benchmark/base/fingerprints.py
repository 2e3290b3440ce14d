"""Fingerprints of source code, taken from its files without importing them, and of JSON values."""

import hashlib
import json
from collections.abc import Collection, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmark.base.errors import UserError


def json_fingerprint(value: Any) -> str:
    """SHA-256 of a JSON value, however it would be laid out in a file."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def files_fingerprint(places: Iterable[str], without: Collection[str] = ()) -> str:
    """SHA-256 over the names and bytes of Python files of this project.

    Args:
        places: folders and files by their paths from the root, such as ``css`` and ``benchmark/data/splits.py``.
        without: paths of files, in these folders, that are left out.
    """
    digest = hashlib.sha256()
    for name in places:
        package, *rest = Path(name).parts
        top = package_places(package)[0]
        _feed(digest, top.joinpath(*rest), {top.parent / path for path in without})
    return digest.hexdigest()


def package_fingerprint(factory: str) -> str:
    """SHA-256 over the Python files of the package of ``module`` or ``module:Class``, or of the module that is a file.

    Raises UserError where there is no such module. It is not imported.
    """
    digest = hashlib.sha256()
    for place in package_places(factory):
        _feed(digest, place)
    return digest.hexdigest()


def package_places(factory: str) -> list[Path]:
    """Where the top-level package of ``module`` or ``module:Class`` is: its folders, or the file of a module.

    Raises UserError where there is none. It is not imported.
    """
    package = factory.partition(":")[0].partition(".")[0]
    spec = find_spec(package)
    if spec is None:
        raise UserError(f"no module {package!r}: install it, or start where it is")
    if spec.submodule_search_locations is not None:
        return list(map(Path, spec.submodule_search_locations))
    assert spec.origin is not None
    return [Path(spec.origin)]


def _feed(digest: "hashlib._Hash", place: Path, without: Collection[Path] = ()) -> None:
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        if file not in without:
            digest.update(file.relative_to(place.parent).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
