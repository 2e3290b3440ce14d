"""A store's files lie in it: what would lead out of it is neither followed nor written through.

The folder of the store and its ``runs`` may be symbolic links themselves, to another disk for example.
"""

import os
from pathlib import Path

from benchmark.base.errors import UserError

_PLACES = (
    *(
        "preregistrations",
        "looks",
        "studies",
        "logged",
        "report",
        ".removed",
        "mlartifacts",
        "mlflow.db*",
        "optuna.db*",
    ),
    *("preregistrations/*", "looks/*", "looks/*/*", "studies/*", "logged/*", "runs/.removed*"),
)
"""What commands read and write beside ``runs``."""


def refuse_links(root: Path) -> None:
    """Raise UserError where a part of the store is a symbolic link; those in run folders damage their run alone."""
    for place in _PLACES:
        for path in root.glob(place):
            if path.is_symlink():
                raise UserError(
                    f"{path} is a symbolic link, which could lead out of the store: remove it, or put what it points "
                    "to in its place"
                )


def unlike_written(folder: Path) -> str | None:
    """The name of what this suite puts into no run folder, a link, a pipe or a device; None where all is in order."""
    with os.scandir(folder) as entries:
        kinds = {e.name: e.is_file(follow_symlinks=False) or e.is_dir(follow_symlinks=False) for e in entries}
    return min((name for name, is_plain in kinds.items() if not is_plain), default=None)
