from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark.fetching import fetch, source_of, transfer
from tests.benchmark.fetching.served import CONTENT, Served, serving, sha256

Get = Callable[..., str]


@pytest.fixture
def served() -> Iterator[Served]:
    """The web server, well-behaved until told otherwise."""
    with serving() as served:
        yield served


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file goes."""
    return tmp_path / "fetched" / "meld_multimodal_features.pkl"


@pytest.fixture
def get(served: Served, target: Path, monkeypatch: pytest.MonkeyPatch) -> Get:
    """``get(expected=…)`` fetches what is served, with short pauses; what delays it is in ``get.notes``."""
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    notes: list[str] = []

    def run(expected: str | None = sha256(CONTENT), url: str | None = None) -> str:
        return fetch(target, source_of(served.url if url is None else url), expected, lambda *_: None, notes.append)

    run.notes = notes  # type: ignore[attr-defined]
    return run
