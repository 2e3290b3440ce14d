"""What the folder of a run says that it is: read here alone, and believed only where it speaks of this very folder."""

import re
from pathlib import Path
from typing import Any

from benchmark.base.errors import UserError
from benchmark.base.files import read_object
from benchmark.store.links import unlike_written

_KEY = re.compile("[0-9a-f]{16}")
_FIELDS = {
    **dict.fromkeys(("key", "group", "budget", "dataset", "method", "label", "preset"), str),
    **{"seed": int, "provenance": dict},
}


class DamagedRunError(UserError):
    """A folder among the runs that is not as this suite writes it; ``cause`` is why, without place and remedy."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(f"{folder} is damaged ({cause}); remove it, and cssbench run makes its run again")
        self.folder, self.cause = folder, cause


def is_key(name: str) -> bool:
    """Whether this is a run's key, and so the name of its folder: 16 hexadecimal digits."""
    return _KEY.fullmatch(name) is not None


def run_folder(runs: Path, key: str) -> Path:
    """Where the run of that key is, or would be; raises DamagedRunError where that is, or leads, out of ``runs``."""
    folder = runs / key
    if not is_key(key):
        raise DamagedRunError(folder, f"{key!r} is no key, which has 16 hexadecimal digits")
    if folder.is_symlink():
        raise DamagedRunError(folder, "it is a symbolic link")
    return folder


def read_record(folder: Path) -> dict[str, Any] | None:
    """The content of a run folder's ``spec.json``; None where no attempt has got as far as writing it.

    Raises:
        DamagedRunError: it is missing beside what is written after it, it cannot be read, or it is another run's.
    """
    run_folder(folder.parent, folder.name)
    try:
        if odd := unlike_written(folder):
            raise DamagedRunError(folder, f"{odd} is a link or no file")
        record = read_object(folder / "spec.json")
    except FileNotFoundError:
        if any((folder / later).exists() for later in ("manifest.json", "result.json")):
            raise DamagedRunError(folder, "spec.json is missing") from None
        return None
    except (OSError, ValueError) as error:
        raise DamagedRunError(folder, f"spec.json cannot be read: {error}") from None
    if wrong := [name for name, kind in _FIELDS.items() if not isinstance(record.get(name), kind)]:
        raise DamagedRunError(folder, f"spec.json has no {wrong[0]} that could be used")
    fold = record.get("fold")
    if fold is not None and not (isinstance(fold, dict) and isinstance(fold.get("test"), str)):
        raise DamagedRunError(folder, "spec.json has no fold that could be used")
    if record["key"] != folder.name:
        raise DamagedRunError(folder, f"spec.json has the key {record['key'][:40]!r}")
    return record
