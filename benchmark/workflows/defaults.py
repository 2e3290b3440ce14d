"""Where things are when nobody says it: the command line and the Python front door agree on it here."""

import os
from pathlib import Path

from benchmark.base.errors import UserError

STORE = Path("cssbench-store")


def store_folder(store: Path | str | None) -> Path:
    """The store that is named, else ``$CSSBENCH_STORE``, else ``cssbench-store`` in the current folder.

    Raises:
        UserError: its path is not UTF-8, which the addresses of databases and the files of a store are.
    """
    return utf8(Path(store if store is not None else os.environ.get("CSSBENCH_STORE") or STORE))


def utf8(path: Path) -> Path:
    """The path itself, raises UserError where it is not UTF-8."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        raise UserError(f"the path {str(path.absolute())!a} is not UTF-8: rename it, or name another one") from None
    return path


def data_folder(data_dir: Path | str | None) -> Path | None:
    """The folder of feature files that is named, else ``$CSSBENCH_DATA``, else None."""
    named = data_dir if data_dir is not None else os.environ.get("CSSBENCH_DATA") or None
    return None if named is None else Path(named)
