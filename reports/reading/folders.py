"""Where the runs of a store are. Standard library only."""

from collections.abc import Collection
from pathlib import Path


def run_folders(store: Path, keys: Collection[str] | None = None) -> list[Path]:
    """Folders of the store's runs, by key, and links in their place; none if the store has no `runs` folder."""
    runs = store / "runs"
    wanted = None if keys is None else set(keys)
    if not runs.is_dir():
        return []
    named = (p for p in runs.iterdir() if is_key(p.name) and (wanted is None or p.name in wanted))
    return sorted(p for p in named if p.is_symlink() or p.is_dir())


def is_key(name: str) -> bool:
    """Whether this is a run's key, and so the name of its folder: 16 hexadecimal digits."""
    return len(name) == 16 and not set(name) - set("0123456789abcdef")
