"""Whether files are what they were when they were written: the checksums of a run's files, and of a document itself."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.reading.documents import damaged


def digest(values: Any) -> str:
    """SHA-256 of JSON values, however they are laid out in a file."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def seal(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document's values but for ``checksum``, which holds it."""
    return digest({name: value for name, value in document.items() if name != "checksum"})


def file_seal(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_seals(folder: Path, result: Mapping[str, Any]) -> None:
    """Raise DamagedRunError where a file of a finished run is not what its ``result.json`` says.

    A run that was made before there were checksums has none that could be wrong.
    """
    files = result.get("files")
    if files is None and "checksum" not in result:
        return
    if result.get("checksum") != seal(result) or not isinstance(files, dict):
        raise damaged(folder / "result.json", "it is not what its checksum says")
    for name, expected in files.items():
        path = folder / name
        if path.parent != folder or path.is_symlink():
            raise damaged(folder / "result.json", f"it names {name[:40]!r}, which is no file of the folder")
        try:
            if file_seal(path) != expected:
                raise damaged(path, "it is not what its checksum says")
        except OSError as error:
            raise damaged(path, str(error.strerror)) from error
