"""Features whose classes and speakers are neither IEMOCAP's nor MELD's go through every command."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.audit import audit_file
from benchmark.base.errors import DataError
from benchmark.data import Conversations, load_features
from benchmark.data.corpora import corpus_of
from benchmark.data.feature_files.open_format import save
from tests.benchmark.data.own_corpora import corpus
from tests.benchmark.harness import Say

FILE = "{}_multimodal_features.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 4 classes and 12 speakers as iemocap, and 3 classes and 2 speakers as meld."""
    place = tmp_path_factory.mktemp("own")
    save(place / FILE.format("iemocap"), corpus(4, 12), "iemocap")
    save(place / FILE.format("meld"), corpus(3, 2), "meld")
    return place


def test_they_are_trained_on_scored_and_reported_under_their_own_names(say: Say, folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    words = ("run", "--preset", "smoke", "--epochs", 1, "--methods", "css,css-released", "--seeds", 1, "--workers", 1)
    code, _, err = say(*words, "--device", "cpu", "--data-dir", folder, "--datasets", "iemocap,meld", "--store", store)
    assert code == 0, err
    page = (store / "report" / "index.html").read_text()
    assert all(f"mood {c}" in page for c in range(4))


@pytest.mark.parametrize("dataset", ["iemocap", "meld"])
def test_the_audit_compares_them_with_no_known_counts(say: Say, folder: Path, dataset: str) -> None:
    code, out, err = say("data", "audit", folder / FILE.format(dataset))
    assert code == 0, err
    assert "not of a known corpus" in out
    audit = audit_file(folder / FILE.format(dataset))
    assert (audit.dataset, audit.published) == (None, False)
    assert audit.layout is not None
    assert f"classes of its own, settings of {dataset}" in audit.layout


def test_a_corpus_is_known_by_its_classes_in_their_order(meld_classes: Conversations) -> None:
    assert corpus_of(meld_classes) == "meld"
    assert corpus_of(replace(meld_classes, class_names=meld_classes.class_names[::-1])) is None
    assert corpus_of(corpus(7, 9)) is None


@pytest.fixture
def meld_classes() -> Conversations:
    names = ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger")
    return replace(corpus(7, 9), class_names=names)


@pytest.mark.parametrize("names", [(), ("calm", "calm", "glad", "sad")])
def test_classes_without_names_of_their_own_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    save(tmp_path / "f.safetensors", replace(corpus(4, 2), class_names=names), "meld")
    with pytest.raises(DataError, match="all different"):
        load_features(tmp_path / "f.safetensors")
