"""Checksums of a finished run's files, kept in its ``result.json``: a torn or flipped one is noticed, not trusted."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.base.files import read_object
from benchmark.base.fingerprints import json_fingerprint
from benchmark.store.links import unlike_written
from benchmark.store.records import DamagedRunError, read_record

FILES = (
    *("spec.json", "manifest.json", "steps.parquet", "history.parquet"),
    *("conflict.parquet", "predictions.parquet", "test_predictions.parquet"),
)
"""What the folder of a run that was made here holds beside ``result.json``."""


SOMETIMES = ("directions.parquet",)
"""What is there besides for some methods."""


def with_checksums(folder: Path, result: Mapping[str, Any], files: Sequence[str] = FILES) -> dict[str, Any]:
    """The result with ``files``, the SHA-256 of the folder's other files, and ``checksum``, its own."""
    names = (*files, *(name for name in SOMETIMES if (folder / name).exists()))
    whole = dict(result) | {"files": {name: _sha256(folder / name) for name in names}}
    return whole | {"checksum": document_checksum(whole)}


def read_result(folder: Path, files: Collection[str] | None = None) -> dict[str, Any]:
    """The content of a finished run's ``result.json``, where that and ``files`` (None: all) are what was written.

    A run that was made before there were checksums has none that could be wrong.

    Raises:
        DamagedRunError: a file is another, or cannot be read.
    """
    try:
        result = read_object(folder / "result.json")
    except (OSError, ValueError) as error:
        raise DamagedRunError(folder, f"result.json cannot be read ({error})") from None
    checksum, known = result.get("checksum"), result.get("files")
    if checksum is None and known is None:
        if "selected" not in result:
            raise DamagedRunError(folder, "result.json says nothing of a selected epoch, not even that there is none")
        return result
    if checksum != document_checksum(result) or not isinstance(known, dict):
        raise DamagedRunError(folder, "result.json is not what its checksum says")
    if outside := next((name for name in known if name in (".", "..") or Path(name).name != name), None):
        raise DamagedRunError(folder, f"result.json names {outside[:40]!r}, which is no file of the folder")
    for name in known if files is None else files:
        try:
            if _sha256(folder / name) != known.get(name):
                raise DamagedRunError(folder, f"{name} is not what its checksum says")
        except OSError as error:
            raise DamagedRunError(folder, f"{name} cannot be read ({error.strerror})") from None
    return result


def damage(folder: Path) -> str | None:
    """Which file of a finished run is not what was written and why, or None where all are."""
    try:
        if odd := unlike_written(folder):
            return f"{odd} is a link or no file"
        read_result(folder)
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


def document_checksum(document: Mapping[str, Any]) -> str:
    """What ``checksum`` says of a document: it is of all other values, however they are laid out in the file."""
    return json_fingerprint({name: value for name, value in document.items() if name != "checksum"})
