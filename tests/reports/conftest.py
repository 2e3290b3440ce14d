"""Synthetic stores as fixtures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reports.synthetic_runs import WriteRun, edit, write_run


@pytest.fixture
def add_run() -> WriteRun:
    """`add_run(store, dataset, label, seed, ...)` writes one complete run."""
    return write_run


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two data sets, one simulated and one real, × 3 methods × 3 seeds."""
    root = tmp_path / "store"
    for dataset in ("iemocap-sim", "meld"):
        for label in ("css", "adam", "concat"):
            for seed in range(3):
                write_run(root, dataset, label, seed)
    return root


@pytest.fixture
def edit_json() -> Callable[..., None]:
    """`edit_json(path, field=value)` replaces top-level fields of a JSON file."""
    return edit
