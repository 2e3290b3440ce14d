"""Where the runs of a store are. Standard library only."""

from collections.abc import Collection
from pathlib import Path


def run_folders(store: Path, keys: Collection[str] | None = None) -> list[Path]:
    """Folders of the store's runs, by key; none if the store has no `runs` folder."""
    runs = store / "runs"
    wanted = None if keys is None else set(keys)
    if not runs.is_dir():
        return []
    return sorted(p for p in runs.iterdir() if _is_key(p.name) and p.is_dir() and (wanted is None or p.name in wanted))


def _is_key(name: str) -> bool:
    return len(name) == 16 and not set(name) - set("0123456789abcdef")
