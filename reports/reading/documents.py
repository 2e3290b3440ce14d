"""The JSON documents of a store, read and checked field by field."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reports.errors import DamagedRunError, ReportError
from reports.reading.folders import is_key


def damaged(path: Path, cause: str) -> DamagedRunError:
    """The error that names a file of a run folder, what is wrong with it, and the remedy."""
    folder = path if path.is_dir() or is_key(path.name) else path.parent
    return DamagedRunError(f"cannot use {path}: {cause}; delete {folder} and run again")


Refusal = Callable[[Path, str], ReportError]


def document(path: Path, fields: Mapping[str, type], refuse: Refusal = damaged) -> dict[str, Any]:
    """A JSON object with these fields, or more. Raises ReportError naming what is missing or of another type."""
    if path.is_symlink():
        raise refuse(path, "it is a symbolic link")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise refuse(path, str(error)) from error
    if not isinstance(document, dict):
        raise refuse(path, f"it holds a {type(document).__name__}, not an object")
    check(document, fields, path, refuse=refuse)
    return document


def check(
    document: Mapping[str, Any], fields: Mapping[str, type], path: Path, prefix: str = "", refuse: Refusal = damaged
) -> None:
    """Raise ReportError if one of the fields is missing or of another type."""
    for name, kind in fields.items():
        if name not in document:
            raise refuse(path, f"{prefix}{name} is missing")
        if not isinstance(document[name], kind) or (kind is int and isinstance(document[name], bool)):
            raise refuse(path, f"{prefix}{name} is {document[name]!r}, not a {kind.__name__}")
