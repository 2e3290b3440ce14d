"""What a run scores where a modality is missing at test time: its ``robustness.json``, checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.errors import DamagedRunError
from reports.reading.documents import check, document
from reports.reading.fields import SCORES
from reports.reading.seals import seal

NAME = "robustness.json"
FORMAT = 1
HOW = ("zeroed", "shuffled")


def read_robustness(folder: Path, result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The file's content; None where nobody has had it made.

    Raises DamagedRunError where it is not what was written, or not of the weights that the run's result names.
    """
    path = folder / NAME
    if not path.exists() and not path.is_symlink():
        return None
    content = document(path, {"format": int, "key": str, "weights": str, "intact": dict, "conditions": list}, _damaged)
    if content.get("checksum") != seal(content):
        raise _damaged(path, "it is not what its checksum says")
    if content["format"] != FORMAT:
        raise _damaged(path, f"it has format {content['format']}, this version reads {FORMAT}")
    if content["key"] != folder.name or content["weights"] != (result.get("digests") or {}).get("selected_weights"):
        raise _damaged(path, "it is of another run, or of other weights than this one's")
    check(content["intact"], SCORES, path, "intact.", _damaged)
    for condition in content["conditions"]:
        check(condition, SCORES | {"modality": str, "how": str}, path, "conditions[].", _damaged)
        if condition["how"] not in HOW:
            raise _damaged(path, f"conditions[].how is {condition['how']!r}")
    return content


def _damaged(path: Path, cause: str) -> DamagedRunError:
    return DamagedRunError(f"cannot use {path}: {cause}; delete it, and cssbench robustness makes it again")
