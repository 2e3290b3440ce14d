"""A file in the open format as a data set of its own: by name in a folder, or by its path."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.audit import audit_file
from benchmark.base.errors import DataError, UserError
from benchmark.data.corpora import SIMULATED, own_name
from benchmark.data.datasets import DataSet, available, dataset, default
from benchmark.data.feature_files.open_format import Source, save
from benchmark.data.inputs import Inputs
from benchmark.experiment.grid import cost, expand
from benchmark.experiment.method_lists import ablation
from benchmark.experiment.presets import load_preset
from benchmark.methods.parsing import parse_method
from benchmark.training.building import refuse_unbuildable
from benchmark.workflows.grid import plan_grid
from tests.benchmark.data.own_corpora import corpus
from tests.benchmark.harness import Say


def save_as(folder: Path, name: str, called: str | None = None, modalities: Sequence[str] = ("text", "audio")) -> Path:
    """A file of two classes and one speaker."""
    conversations = corpus(2, 1)
    features = {m: conversations.features[m] for m in modalities}
    save(folder / f"{name}.safetensors", replace(conversations, features=features), called or name)
    return folder / f"{name}.safetensors"


def test_it_is_found_by_its_name_in_a_folder_and_by_its_path(tmp_path: Path) -> None:
    file = save_as(tmp_path, "mosi")
    data = dataset("mosi", tmp_path)
    assert data == dataset(str(file), None)
    assert (data.name, data.file, data.kind, data.published, data.own) == ("mosi", file, "real", False, True)
    assert data.description == "mosi.safetensors, a corpus of its own, text + audio only"
    loaded = data.load()
    assert (loaded.class_names, loaded.speakers, set(loaded.split)) == (
        ("mood 0", "mood 1"),
        1,
        {"train", "dev", "test"},
    )


def test_its_modalities_are_those_that_it_has_unless_fewer_are_asked_for(tmp_path: Path) -> None:
    save_as(tmp_path, "mosi")
    assert dataset("mosi", tmp_path).inputs.modalities == ("text", "audio")
    assert dataset("mosi", tmp_path, Inputs(modalities=("audio",))).inputs.modalities == ("audio",)
    with pytest.raises(DataError, match="no visual in it, which holds text, audio"):
        dataset("mosi", tmp_path, Inputs(modalities=("audio", "visual"))).load()
    save_as(tmp_path, "mute", modalities=("audio", "visual"))
    with pytest.raises(UserError, match="mute has no text: leave out --text-view mean"):
        dataset("mute", tmp_path, Inputs(text_view="mean"))


@pytest.mark.parametrize(("called", "settings"), [("mosi", "meld"), ("meld", "meld"), ("iemocap", "iemocap")])
def test_its_settings_are_melds_unless_its_file_names_iemocap(tmp_path: Path, called: str, settings: str) -> None:
    file = save_as(tmp_path, "mosi", called)
    data, quick = dataset("mosi", tmp_path), load_preset("quick")
    (spec,) = expand(quick, [data], ["css"], [0])
    assert spec.training == quick.training(settings, {})
    assert spec.dataset == "mosi"
    assert (spec.provenance.data, spec.inputs.modalities) == (data.content, ("text", "audio"))
    assert cost(spec) > 0
    layout = audit_file(file).layout
    assert layout is not None
    assert layout.endswith(f"2 classes of its own, settings of {settings})")


def test_a_method_that_needs_a_modality_which_it_lacks_is_refused(tmp_path: Path) -> None:
    save_as(tmp_path, "mosi")
    with pytest.raises(UserError, match="visual too; leave it out, if mosi has not got that"):
        expand(load_preset("smoke"), [dataset("mosi", tmp_path)], ["visual-only"], [0])


def test_its_ablation_is_of_the_modalities_that_it_has(tmp_path: Path) -> None:
    save_as(tmp_path, "mosi")
    save_as(tmp_path, "mute", modalities=("audio", "visual"))
    where: dict[str, Any] = {"data_dir": tmp_path, "preset": "smoke", "grid": "ablation", "seeds": 1, "device": "cpu"}
    specs = plan_grid(tmp_path / "store", datasets="mosi", **where).specs
    assert {spec.method.label for spec in specs} >= {"css", "css-shared", "paper(interaction_aware=false)/css"}
    assert len(specs) == len(ablation(("text", "audio"))) == 14
    refuse_unbuildable(specs)
    shared = plan_grid(tmp_path / "store", datasets=["mosi", "mute"], **where).specs  # audio is what both have
    assert {s.method.canonical for s in shared} == {
        parse_method(t, {"rank": 8, "order": 4}).canonical for t in ablation(("audio",))
    }


def test_a_folder_lists_its_corpora_and_has_them_where_there_is_no_other(tmp_path: Path, say: Say) -> None:
    save_as(tmp_path, "mosi")
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    listed = available(tmp_path)
    assert isinstance(listed["mosi"], DataSet)
    assert "broken.safetensors" in str(listed["broken"])
    code, out, _ = say("data", "list", "--data-dir", tmp_path)
    assert (code, out.count(" yes ")) == (0, len(SIMULATED) + 1)
    assert [data.name for data in default(tmp_path)] == ["mosi"]
    save_as(tmp_path, "meld_multimodal_features", "meld")
    assert [data.name for data in default(tmp_path)] == ["meld"]
    assert dataset(f"{tmp_path}/meld_multimodal_features.safetensors", None).name == "meld"


@pytest.mark.parametrize("name", ["meld-mine", "IEMOCAP2", "common", "2mosi", "mö", "a b", "", "a" * 61])
def test_names_that_speak_of_other_corpora_or_cannot_be_written_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be called"):
        own_name(name)
    with pytest.raises(ValueError, match="cannot be called"):
        save(tmp_path / "x.safetensors", corpus(2, 1), name)


def test_what_is_no_corpus_of_its_own_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"unknown data set 'mosi'.*mosi\.safetensors in the folder of --data-dir"):
        dataset("mosi", tmp_path)
    with pytest.raises(DataError, match=r"none/mosi\.safetensors: cannot be read"):
        dataset("none/mosi.safetensors", None)
    (tmp_path / "features.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(DataError, match=r"features\.pkl: not in the open format.*cssbench data import"):
        dataset(str(tmp_path / "features.pkl"), None)
    save_as(tmp_path, "renamed", "mosi")
    with pytest.raises(DataError, match=r"its data set is called mosi; name the file mosi\.safetensors"):
        dataset("renamed", tmp_path)
    source = Source(file="meld-sim(scale=0.5)", sha256="0" * 64, text_view="1", reader="0" * 64)
    save(tmp_path / "drawn.safetensors", corpus(2, 1), "meld", source)
    with pytest.raises(DataError, match=r"a simulated corpus; run it as --datasets 'meld-sim\(scale=0\.5\)'"):
        dataset("drawn", tmp_path)


def test_melds_classes_make_no_meld_of_it(tmp_path: Path) -> None:
    names = ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger")
    save(tmp_path / "mine.safetensors", replace(corpus(7, 9), class_names=names), "mine")
    audit = audit_file(tmp_path / "mine.safetensors")
    assert audit.dataset is None
    assert not [finding for finding in audit.findings if "meld's" in finding.message]
