"""Finished runs evaluated where a modality is missing: what is kept beside them, and what is left out and why."""

import json
from pathlib import Path
from typing import Any

import pytest

import benchmark
from benchmark.base.errors import UserError
from benchmark.data.datasets import dataset
from benchmark.execution.running import execute
from benchmark.execution.tasks import Task
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.store.store import Store
from reports.reading.runs import read_store
from tests.benchmark.harness import Say

METHODS = ("adam", "text-only")


@pytest.fixture
def store(features: Path, tmp_path: Path) -> Store:
    """Two runs of a moment."""
    store, data = Store(tmp_path / "store"), dataset("meld", features)
    store.prepare()
    for spec in expand(load_preset("smoke"), [data], METHODS, [0], training={"epochs": 2}):
        assert execute(Task(spec, data, None), store, lambda _: None, lambda: False)
    return store


def content(store: Store, key: str) -> dict[str, Any]:
    return json.loads((store.folder(key) / "robustness.json").read_text())


def test_scores_are_kept_beside_the_runs_once_and_reports_read_them(store: Store, features: Path, say: Say) -> None:
    outcome = benchmark.robustness(store=store.root, data_dir=features)
    keys = {record["label"]: record["key"] for record in store.specs()}
    assert (set(outcome.evaluated), outcome.already, outcome.left_out) == (set(keys.values()), [], {})
    seen = {label: {c["modality"] for c in content(store, key)["conditions"]} for label, key in keys.items()}
    assert seen == {"adam": {"text", "audio", "visual"}, "text-only": {"text"}}
    for run in read_store(store.root).runs:
        assert run.robustness == content(store, run.key)
        assert run.robustness["intact"]["weighted_f1"] == run.result["selected"]["weighted_f1"]
        assert store.is_whole(run.key)

    before = {key: (store.folder(key) / "robustness.json").stat().st_mtime_ns for key in keys.values()}
    (store.folder(keys["adam"]) / "robustness.json").write_text("{}")  # damaged: it is made again
    code, out, err = say("robustness", "--store", store.root, "--data-dir", features)
    assert (code, out.split(";")[0]) == (0, "1 evaluated, 1 before, 0 left out"), err
    after = {key: (store.folder(key) / "robustness.json").stat().st_mtime_ns for key in keys.values()}
    assert [key for key in before if before[key] != after[key]] == [keys["adam"]]


def test_runs_without_their_weights_are_left_out_and_say_why(store: Store, features: Path, say: Say) -> None:
    gone, changed = (record["key"] for record in store.specs())
    (store.folder(gone) / "weights.safetensors").unlink()
    weights = store.folder(changed) / "weights.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    weights.write_bytes(damaged)
    assert store.is_whole(gone)
    code, out, err = say("robustness", "--store", store.root, "--data-dir", features)
    said = " ".join(err.split())
    assert (code, out.split(";")[0]) == (1, "0 evaluated, 0 before, 2 left out")
    assert f"{gone}/weights.safetensors was removed: make the run again in another store" in said
    assert "its weights have another digest than result.json says" in said
    assert not list(store.root.rglob("robustness.json"))


def test_what_is_no_run_to_evaluate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(UserError, match=r"no complete run in .*: cssbench run makes some"):
        benchmark.robustness(store=tmp_path)
    with pytest.raises(UserError, match="no run begins with 'abc'"):
        benchmark.robustness(["abc"], store=tmp_path)
