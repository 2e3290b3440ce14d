"""The run format in one test: what is written, what reports read and what docs/run-format.md names are the same."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyarrow.parquet import read_schema

from tests.architecture.recording import read_by_reports
from tests.architecture.run_format import (
    Values,
    documented,
    imported,
    names,
    never_written,
    objects,
    read_faults,
    written_faults,
)
from tests.architecture.tiny_store import make_store
from tests.paths import ROOT
from tests.shared import made_once

TEXT = (ROOT / "docs" / "run-format.md").read_text(encoding="utf-8")
BLOCKS = ("inputs", "modality_aware", "interaction_aware", "reduction")
VALUES = {"c": range(7), "e": range(1, 4), "block": BLOCKS}
MADE = documented(TEXT)
IMPORTED = MADE | imported(TEXT)
ALL = {file: IMPORTED[file] | MADE[file] for file in MADE}
FILES = tuple(MADE)


@dataclass(frozen=True)
class Written:
    """One file: where it lies, what is in it, whether its run is imported, and what parts of names stand for."""

    path: Path
    objects: Collection[tuple[str, Collection[str]]]
    imported: bool
    values: Values


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "tiny-store", make_store)


@pytest.fixture(scope="module")
def written(store: Path) -> Mapping[str, list[Written]]:
    """Every file of the store that the document has a table of, by its name there."""
    files: dict[str, list[Written]] = defaultdict(list)
    for folder in (store / "runs").iterdir():
        spec, manifest = (json.loads((folder / f"{name}.json").read_text()) for name in ("spec", "manifest"))
        values = {
            "c": range(len(manifest["data"]["classes"])),
            "e": range(1, (spec.get("training") or spec["imported"]).get("epochs", 0) + 1),
            "block": BLOCKS,
        }
        for path in folder.iterdir():
            files[path.name].append(Written(path, _content(path), spec["protocol"] == "imported", values))
    for path in [*store.glob("preregistrations/*"), *store.glob("studies/*")]:
        files[f"{path.parent.name}/*.json"].append(Written(path, _content(path), False, {}))
    for path in store.glob("looks/*/*"):
        files["looks/*.json"].append(Written(path, _content(path), False, {}))
    return files


def _content(path: Path) -> Collection[tuple[str, Collection[str]]]:
    if path.suffix == ".parquet":
        return [("", read_schema(path).names)]
    return list(objects(json.loads(path.read_text()))) if path.suffix == ".json" else []


@pytest.fixture(scope="module")
def read(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    return read_by_reports(store, tmp_path_factory.mktemp("report") / "report")


@pytest.mark.parametrize("file", FILES)
def test_what_is_written_is_what_is_documented(written: Mapping[str, list[Written]], file: str) -> None:
    faults = {
        fault: one.path
        for one in written[file]
        for fault in written_faults(file, one.objects, (IMPORTED if one.imported else MADE)[file], one.values)
    }
    assert not faults, "\n".join(f"{fault}, as in {path}" for fault, path in faults.items())


@pytest.mark.parametrize("file", FILES)
def test_what_is_documented_is_written_by_some_run(written: Mapping[str, list[Written]], file: str) -> None:
    everything = [each for one in written[file] for each in one.objects]
    faults = never_written(file, everything, ALL[file], VALUES)
    assert not faults, "\n".join(faults)


def test_a_run_folder_holds_the_documented_files_and_no_others(written: Mapping[str, list[Written]]) -> None:
    others = TEXT.partition("\n## Other files in a run's folder\n")[2].partition("\n\nBeside")[0]
    assert set(names(others)) == {"checkpoint.safetensors", "weights.safetensors", "error.txt", "log.txt"}
    assert set(written) - set(names(others)) == set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_what_reports_read_is_documented(read: Mapping[str, set[str]], file: str) -> None:
    faults = read_faults(file, read[file], ALL[file], VALUES)
    assert not faults, "\n".join(faults)


def test_the_record_of_what_reports_read_holds_what_they_show(read: Mapping[str, set[str]]) -> None:
    """Names from every way of reading: declared, optional, nested, in lists, in maps, of a table and by block."""
    assert set(read) == set(FILES)
    assert {"key", "tuned", "training.epochs", "fusion.options.order", "refit_of.epochs", "imported.paired"} <= read[
        "spec.json"
    ]
    assert {"data.audit.defects", "data.ceiling.weighted_f1_se", "data.remedies[].counts"} <= read["manifest.json"]
    assert "data.ceiling.weighted_f1_without_synergy" in read["manifest.json"]
    assert {"selected.confusion", "timings.train", "digests.weights", "last.weighted_f1"} <= read["result.json"]
    assert {"comparisons[].a.group", "margin"} <= read["preregistrations/*.json"]
    assert {"looks", "spending"} <= read["preregistrations/*.json"]
    assert {"boundary", "comparisons[].decision"} <= read["looks/*.json"]
    assert {"trials[].runs[].validation", "fair.index", "space.rank.low"} <= read["studies/*.json"]
    assert {"loss_fused", "norm_fused", "inputs.cos_fused_unimodal"} <= read["steps.parquet"]
    assert {"displacement_cos_fused", "reduction.norm_fused"} <= read["conflict.parquet"]
    assert {"predicted", "label"} <= read["predictions.parquet"]
    assert {"epoch_1", "epoch_2"} <= read["test_predictions.parquet"]


@pytest.mark.parametrize("file", FILES)
def test_every_name_of_the_document_is_needed(written: Mapping[str, list[Written]], file: str) -> None:
    """Whichever name the document loses, something that is written differs from it."""
    for lost in MADE[file]:
        rest = {name: always for name, always in MADE[file].items() if name != lost}
        ours = (one for one in written[file] if not one.imported)
        assert any(written_faults(file, one.objects, rest, one.values) for one in ours), lost
