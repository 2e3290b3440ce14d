"""The run store: a folder of run folders (docs/run-format.md). What it holds is the truth."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.errors import UserError


class Store:
    """A run store at ``root``, created when the first run is written."""

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise UserError(f"the store {root} is a file; name a folder with --store")
        self.root = root
        self.runs = root / "runs"

    def folder(self, key: str) -> Path:
        """Where the run of that key is, or would be."""
        return self.runs / key

    def is_complete(self, key: str) -> bool:
        """Whether the run is finished: its result is written last."""
        return (self.folder(key) / "result.json").exists()

    def specs(self) -> Iterator[dict[str, Any]]:
        """The ``spec.json`` of every run folder, finished or not, in the order of their keys."""
        for file in sorted(self.runs.glob("*/spec.json")):
            yield json.loads(file.read_text())

    def state(self, key: str) -> str:
        """``complete``, ``failed`` or ``unfinished``."""
        if self.is_complete(key):
            return "complete"
        return "failed" if (self.folder(key) / "error.txt").exists() else "unfinished"
