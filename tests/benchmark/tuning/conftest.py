"""A database for studies, and a workshop that makes their runs in no time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmark.tuning.studies import Score, Workshop


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/optuna.db"


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Score], Workshop]:
    return lambda score: Workshop(monkeypatch, tmp_path, score)
