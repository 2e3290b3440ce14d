"""Files that are whole or absent."""

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4


def cache_folder() -> Path:
    """The user's cache of what can be made again: ``$CSSBENCH_CACHE``, else the platform's place for caches."""
    import platformdirs

    return Path(os.environ.get("CSSBENCH_CACHE") or platformdirs.user_cache_dir("css-bench", appauthor=False))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``; a crash at any moment leaves the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with temporary.open("xb") as file:  # not mkstemp, which hides files from all but their owner
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; non-finite numbers are refused, since JSON has none."""
    write_atomically(path, json.dumps(value, indent=1, allow_nan=False).encode())
