"""Whole corpora, made once: to be copied by a test that damages them."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.data import Conversations
from tests.benchmark.data.defects.corpora import corpus, items_of, leak_visual


@pytest.fixture(scope="session")
def _made() -> dict[str, Conversations]:
    return {dataset: corpus(dataset) for dataset in ("iemocap", "meld")}


@pytest.fixture
def iemocap(_made: dict[str, Conversations]) -> Conversations:
    """IEMOCAP's sizes, no defect."""
    return copy.deepcopy(_made["iemocap"])


@pytest.fixture
def meld(_made: dict[str, Conversations]) -> Conversations:
    """MELD's sizes, no defect."""
    return copy.deepcopy(_made["meld"])


@pytest.fixture(scope="session")
def leaking(_made: dict[str, Conversations], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A file of MELD's layout and size with MELD's visual defect; copies at the place of their source, by split."""
    damaged = copy.deepcopy(_made["meld"])
    places = leak_visual(damaged)
    path = tmp_path_factory.mktemp("leaking") / "meld_multimodal_features.pkl"
    path.write_bytes(pickle.dumps(tuple(items_of(damaged))))
    return path, places


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """``write(conversations, sentences)`` makes a feature file of them."""

    def to_file(conversations: Conversations, sentences: list[str] | None = None) -> Path:
        path = tmp_path / "features.pkl"
        path.write_bytes(pickle.dumps(tuple(items_of(conversations, sentences))))
        return path

    return to_file
