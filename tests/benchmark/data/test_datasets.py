import hashlib
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.base.errors import DataError, UserError
from benchmark.data import datasets
from benchmark.data.corpora import DEFAULT, SIMULATED
from benchmark.data.datasets import NAMES, DataSet, available, dataset, default, refusal
from benchmark.data.feature_files.reading import import_features
from benchmark.data.inputs import Inputs
from benchmark.data.simulation.spec import SPECS


@pytest.fixture
def folder(tmp_path: Path, iemocap_items: list[Any], meld_items: list[Any]) -> Path:
    """A folder with both feature files, tiny ones."""
    for name, items in (("iemocap", iemocap_items), ("meld", meld_items)):
        (tmp_path / f"{name}_multimodal_features.pkl").write_bytes(pickle.dumps(tuple(items), protocol=2))
    return tmp_path


def test_without_a_folder_the_simulated_pair_is_there_and_the_others_say_what_is_missing() -> None:
    found = available(None)

    assert tuple(found) == NAMES
    for name in NAMES:
        if name in SIMULATED:
            assert found[name] == dataset(name, None)
        else:
            assert found[name] == (
                f"data set {name!r} needs its feature file: get it with cssbench data fetch {name}, or name the folder "
                "that has it with --data-dir or $CSSBENCH_DATA"
            )
    assert default(None) == [dataset(name, None) for name in DEFAULT]


def test_what_was_fetched_is_found_unless_a_folder_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSSBENCH_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "cache" / "fetched"
    place.mkdir(parents=True)
    (folder / "meld_multimodal_features.pkl").rename(place / "meld_multimodal_features.pkl")

    assert dataset("meld", None).file == place / "meld_multimodal_features.pkl"
    assert isinstance(available(None)["iemocap"], str)
    assert default(None) == [dataset(name, None) for name in DEFAULT]
    with pytest.raises(DataError, match=f"in {folder}"):
        dataset("meld", folder)


def test_in_a_folder_its_feature_files_are_found(folder: Path) -> None:
    found = available(folder)

    assert all(isinstance(found[name], DataSet) for name in NAMES)
    assert [d.name for d in default(folder)] == ["iemocap", "meld"]
    assert dataset("meld", folder).file == folder / "meld_multimodal_features.pkl"
    assert [dataset(name, folder).corpus for name in NAMES] == ["iemocap", "meld"] * 3
    assert dataset("meld-sim", folder).file is None


def test_one_feature_file_is_enough_and_the_other_says_what_was_looked_for(folder: Path) -> None:
    (folder / "iemocap_multimodal_features.pkl").unlink()

    assert [d.name for d in default(folder)] == ["meld"]
    reason = available(folder)["iemocap"]
    assert isinstance(reason, str)
    assert reason.startswith(f"no iemocap_multimodal_features.pkl (or .safetensors) in {folder}")


def test_a_folder_without_feature_files_is_not_replaced_by_simulated_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no iemocap_multimodal_features\.pkl"):
        default(tmp_path)
    with pytest.raises(DataError, match="no folder"):
        default(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "said"), [("melt", "unknown data set 'melt', did you mean 'meld'?"), ("meld", "needs its feature file")]
)
def test_a_data_set_that_cannot_be_is_refused(name: str, said: str) -> None:
    with pytest.raises(UserError, match=said.replace("?", r"\?")):
        dataset(name, None)


def test_a_files_fingerprint_is_its_content_wherever_it_is(folder: Path, tmp_path: Path) -> None:
    file = folder / "meld_multimodal_features.pkl"
    data = dataset("meld", folder)
    content = file.read_bytes()
    assert data.fingerprint == hashlib.sha256(content).hexdigest()

    other = tmp_path / "other"
    other.mkdir()
    (other / file.name).write_bytes(content)
    assert dataset("meld", other).fingerprint == data.fingerprint

    file.write_bytes(content + b"x")  # the same object sees the change
    assert data.fingerprint == hashlib.sha256(content + b"x").hexdigest()


def test_a_file_is_read_once_for_its_fingerprint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(datasets, "fingerprint", lambda path: calls.append(path) or "f")
    data = dataset("meld", folder)

    assert [data.fingerprint for _ in range(3)] == ["f"] * 3
    assert len(calls) == 1


def test_a_simulated_corpus_fingerprint_is_its_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset("meld-sim", None)
    original = data.fingerprint
    assert original != dataset("iemocap-sim", None).fingerprint
    assert len(original) == 64

    spec = SPECS["meld-sim"]
    monkeypatch.setitem(SPECS, "meld-sim", replace(spec, inertia=spec.inertia + 0.01))
    assert data.fingerprint != original
    monkeypatch.setitem(SPECS, "meld-sim", replace(spec))
    assert data.fingerprint == original


def test_only_the_communitys_own_bytes_are_published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meld, iemocap = dataset("meld", folder), dataset("iemocap", folder)
    assert (meld.published, iemocap.published) == (False, False)
    assert "not the community's feature file" in meld.description

    monkeypatch.setitem(datasets.PUBLISHED_SHA256, "meld", meld.fingerprint)
    assert (meld.published, iemocap.published) == (True, False)
    assert meld.description == "meld_multimodal_features.pkl, the community's feature file"


def test_simulated_data_are_never_published_and_never_called_real(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SIMULATED:
        data = dataset(name, None)
        monkeypatch.setitem(datasets.PUBLISHED_SHA256, data.corpus, data.fingerprint)

        assert data.kind == "simulated"
        assert data.published is False
        assert "simulated" in data.description
        assert "real" not in data.description
        assert "community" not in data.description


def test_real_data_are_called_real_and_descriptions_are_one_line(folder: Path) -> None:
    for name in ("iemocap", "meld"):
        data = dataset(name, folder)
        assert data.kind == "real"
        assert "simulated" not in data.description
        assert str(folder) not in data.description
    assert all(len(dataset(name, folder).description.splitlines()) == 1 for name in NAMES)


def test_loading_gives_the_corpus_of_the_name(folder: Path) -> None:
    assert set(dataset("iemocap", folder).load().ids) == {"c1", "c2", "c3"}
    assert len(dataset("meld", folder).load()) == 4
    assert len(dataset("iemocap-sim", None).load()) == 151


def test_a_file_of_the_other_layout_is_refused(folder: Path) -> None:
    (folder / "meld_multimodal_features.pkl").write_bytes((folder / "iemocap_multimodal_features.pkl").read_bytes())

    with pytest.raises(DataError):
        dataset("meld", folder).load()


def test_what_is_used_of_the_data_is_loaded_and_said(folder: Path) -> None:
    inputs = Inputs(modalities=("text", "audio"), text_view="concat")
    data = dataset("meld", folder, inputs)
    assert {m: x.shape[1] for m, x in data.load().features.items()} == {"text": 20, "audio": 4}
    assert data.description.endswith(", text + audio only, text view concat")
    assert {d.inputs for d in default(folder, inputs)} == {inputs}

    simulated = dataset("meld-sim", None, Inputs(modalities=("visual",)))
    assert list(simulated.load().features) == ["visual"]
    assert simulated.description.endswith(", visual only")


def test_an_imported_file_is_found_where_there_is_no_pickle(folder: Path) -> None:
    pickled = folder / "meld_multimodal_features.pkl"
    expected = dataset("meld", folder).load()
    import_features(pickled, pickled.with_suffix(".safetensors"))
    assert dataset("meld", folder).file == pickled
    pickled.unlink()
    assert dataset("meld", folder).file == pickled.with_suffix(".safetensors")
    assert (dataset("meld", folder).load().features["text"] == expected.features["text"]).all()


def test_what_a_run_would_refuse_is_not_usable(tmp_path, features, say):
    assert refusal(dataset("meld", features)) is None
    assert refusal(dataset("meld-sim", None)) is None
    (tmp_path / "meld_multimodal_features.pkl").write_bytes(b"not,a,pickle\n")
    assert "not a pickle but CSV" in refusal(dataset("meld", tmp_path))
    code, out, _ = say("data", "list", "--data-dir", tmp_path)
    assert code == 0
    assert "CSV" in out
    assert out.count(" yes ") == len(SIMULATED)  # the simulated ones
