"""Checksums of a finished run's files, kept in its ``result.json``: a torn or flipped one is noticed, not trusted."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.base.files import read_object
from benchmark.store.links import unlike_written
from benchmark.store.records import DamagedRunError, read_record

FILES = (
    *("spec.json", "manifest.json", "steps.parquet", "history.parquet"),
    *("conflict.parquet", "predictions.parquet", "test_predictions.parquet"),
)
"""What the folder of a run that was made here holds beside ``result.json``."""


def with_checksums(folder: Path, result: Mapping[str, Any], files: Sequence[str] = FILES) -> dict[str, Any]:
    """The result with ``files``, the SHA-256 of the folder's other files, and ``checksum``, its own."""
    whole = dict(result) | {"files": {name: _sha256(folder / name) for name in files}}
    return whole | {"checksum": _checksum(whole)}


def damage(folder: Path) -> str | None:
    """Which file of a finished run is not what was written and why, or None where all are.

    A run that was made before there were checksums has none that could be wrong.
    """
    try:
        if odd := unlike_written(folder):
            return f"{odd} is a link or no file"
        result = read_object(folder / "result.json")
    except (OSError, ValueError) as error:
        return f"result.json cannot be read ({error})"
    checksum, files = result.pop("checksum", None), result.get("files")
    if checksum is not None or files is not None:
        if checksum != _checksum(result) or not isinstance(files, dict):
            return "result.json is not what its checksum says"
        if outside := next((name for name in files if name in (".", "..") or Path(name).name != name), None):
            return f"result.json names {outside[:40]!r}, which is no file of the folder"
        for name, expected in files.items():
            try:
                if _sha256(folder / name) != expected:
                    return f"{name} is not what its checksum says"
            except OSError as error:
                return f"{name} cannot be read ({error.strerror})"
    elif "selected" not in result:
        return "result.json says nothing of a selected epoch, not even that there is none"
    try:
        read_object(folder / "manifest.json")
        return None if read_record(folder) is not None else "spec.json is missing"
    except (OSError, ValueError) as error:
        return f"manifest.json cannot be read ({error})"
    except DamagedRunError as error:
        return error.cause


def has_checksums(folder: Path) -> bool:
    """Whether the finished run was made since there are checksums."""
    return "checksum" in json.loads((folder / "result.json").read_bytes())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _checksum(result: Mapping[str, Any]) -> str:
    """The checksum of the document's values: how it is laid out in the file does not matter."""
    text = json.dumps({name: value for name, value in result.items() if name != "checksum"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
