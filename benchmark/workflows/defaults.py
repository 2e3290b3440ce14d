"""Where things are when nobody says it: the command line and the Python front door agree on it here."""

import os
from pathlib import Path

STORE = Path("cssbench-store")


def store_folder(store: Path | str | None) -> Path:
    """The store that is named, else ``$CSSBENCH_STORE``, else ``cssbench-store`` in the current folder."""
    return Path(store if store is not None else os.environ.get("CSSBENCH_STORE") or STORE)


def data_folder(data_dir: Path | str | None) -> Path | None:
    """The folder of feature files that is named, else ``$CSSBENCH_DATA``, else None."""
    named = data_dir if data_dir is not None else os.environ.get("CSSBENCH_DATA") or None
    return None if named is None else Path(named)
