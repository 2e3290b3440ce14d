"""Files of run folders agree with each other, to the bit; and training never sees a test label."""

import copy
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from benchmark.base.errors import UserError
from benchmark.data.datasets import dataset
from benchmark.data.feature_files.open_format import save
from benchmark.execution.run_folder import begun
from benchmark.execution.running import execute
from benchmark.execution.tasks import Task
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.experiment.spec import Protocol, RefitOf, RunSpec
from benchmark.store.store import Store
from benchmark.training.trainer import Trainer
from benchmark.tuning.measuring import measure
from reports.evidence.comparisons import compare
from reports.reading.runs import read_run
from tests.benchmark.data.own_corpora import corpus, in_sessions
from tests.benchmark.harness import feature_items, write_features
from tests.paths import ROOT


@pytest.fixture(scope="module")
def folders(finished: Any) -> list[Path]:
    return sorted(finished.runs.iterdir())


TABLES = ("steps", "history", "conflict", "predictions", "test_predictions")
DOCUMENTS = ("spec", "manifest", "result")


def test_a_finished_run_holds_its_files_and_nothing_else(folders: list[Path]) -> None:
    methods = [json.loads((folder / "spec.json").read_text())["method"] for folder in folders]
    assert {method.endswith("+pgm") for method in methods} == {True, False}
    for folder, method in zip(folders, methods, strict=True):
        assert {path.name for path in folder.iterdir()} == {
            *(f"{name}.parquet" for name in TABLES),
            *(f"{name}.json" for name in DOCUMENTS),
            *(["directions.parquet"] if method == "spf+equal" else []),
            "weights.safetensors",
        }


def test_directions_stand_in_the_run_of_the_common_trajectory_by_probe_and_aggregator(folders: list[Path]) -> None:
    (folder,) = (folder for folder in folders if (folder / "directions.parquet").exists())
    assert "directions.parquet" in json.loads((folder / "result.json").read_text())["files"]
    found = pd.read_parquet(folder / "directions.parquet")
    probes = pd.read_parquet(folder / "conflict.parquet")

    for _, rows in found.groupby("aggregator"):
        for column in ("step", "epoch"):
            assert rows[column].tolist() == probes[column].tolist()
    own = found[found["aggregator"] == "equal"]
    assert own["update_cos_fused"].tolist() == pytest.approx(probes["update_cos_fused"].tolist(), abs=1e-9)


def test_tables_and_result_agree_with_each_other(folders: list[Path]) -> None:
    for folder in folders:
        read = {name: pq.read_table(folder / f"{name}.parquet").to_pydict() for name in TABLES}
        result = json.loads((folder / "result.json").read_text())
        manifest = json.loads((folder / "manifest.json").read_text())
        assert read["steps"]["step"] == list(range(result["steps"]))
        assert read["history"]["epoch"] == [1, 2, 3, 4]
        assert read["conflict"]["step"][0] == 0
        assert read["conflict"]["step"][-1] == result["steps"]
        best = max(read["history"]["validation_weighted_f1"])
        epoch = read["history"]["validation_weighted_f1"].index(best) + 1
        assert result["validation"] == {"epoch": epoch, "weighted_f1": best}
        assert result["selected"]["epoch"] == epoch
        assert read["predictions"]["predicted"] == read["test_predictions"][f"epoch_{epoch}"]
        assert len(read["predictions"]["label"]) == manifest["data"]["utterances"]["test"]
        hits = [p == t for p, t in zip(read["predictions"]["predicted"], read["predictions"]["label"], strict=True)]
        assert result["selected"]["accuracy"] == pytest.approx(sum(hits) / len(hits))
        assert result["timings"]["total"] >= sum(result["timings"][part] for part in ("train", "evaluate", "probe"))


def test_seeds_of_a_corpus_of_ones_own_that_hold_out_its_sessions_are_not_independent(tmp_path: Path) -> None:
    save(tmp_path / "mine.safetensors", in_sessions(corpus(2, 2), 4), "mine")
    data, store = dataset("mine", tmp_path), Store(tmp_path / "store")
    store.prepare()
    for spec in (specs := expand(load_preset("smoke"), [data], ["linear"], range(2), training={"epochs": 2})):
        assert execute(Task(spec, data, None), store, lambda _: None, lambda: False)
    runs = [read_run(store.folder(spec.key)) for spec in specs]
    (comparison,), _ = compare(runs)
    assert (comparison.sessions, comparison.data_origin.own) == (3, True)  # the fourth is the test set
    held_out = {run.seed: run.manifest["data"]["conversations"]["validation"] for run in runs}
    assert set(held_out.values()) == {10}


def make(features: Path, store: Path, method: str, protocol: Protocol = "validated") -> dict[str, Any]:
    """One tiny run in this process; its result. Without validation data it takes 3 epochs."""
    data = dataset("meld", features)
    (spec,) = expand(load_preset("smoke"), [data], [method], [0])
    if protocol != "validated":
        origin = RefitOf(group=spec.group, budget=spec.budget, epochs={spec.key: 3}) if protocol == "refit" else None
        training = spec.training.model_dump() | {"epochs": 3}
        spec = RunSpec(**spec.model_dump() | {"protocol": protocol, "refit_of": origin, "training": training})
    held = Store(store)
    held.prepare()
    assert execute(Task(spec, data, None), held, lambda _: None, lambda: False)
    return json.loads((held.folder(spec.key) / "result.json").read_text())


@pytest.mark.parametrize("protocol", ["published", "refit"])
def test_a_run_without_validation_has_nothing_selected_and_its_last_epoch_in_full(
    features: Path, tmp_path: Path, protocol: Protocol
) -> None:
    result = make(features, tmp_path, "adam", protocol)
    (folder,) = (tmp_path / "runs").iterdir()
    read = {name: pq.read_table(folder / f"{name}.parquet").to_pydict() for name in TABLES}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert result["selected"] is None
    assert result["validation"] is None
    assert result["diverged"] is False
    assert result["last"]["epoch"] == 3
    assert {"confusion", "per_class_f1", "nll", "ece", "brier"} < set(result["last"])
    assert read["predictions"]["predicted"] == read["test_predictions"]["epoch_3"]
    probabilities = np.array([read["predictions"][f"probability_{c}"] for c in range(7)])
    assert probabilities.argmax(0).tolist() == read["predictions"]["predicted"]
    validation = [column for name, column in read["history"].items() if name.startswith("validation")]
    assert len(validation) == 4
    assert np.isnan(validation).all()
    assert np.isfinite(read["history"]["train_total"]).all()
    assert manifest["data"]["conversations"] == {"train": 22, "validation": 0, "test": 6}


@pytest.mark.parametrize("protocol", ["validated", "published", "refit"])
@pytest.mark.parametrize("method", ["css", "adam"])
def test_test_labels_change_scores_and_nothing_else(tmp_path: Path, method: str, protocol: Protocol) -> None:
    items = feature_items()
    permuted = copy.deepcopy(items)
    for conversation in items[11]:
        permuted[2][conversation] = [(label + 1) % 7 for label in items[2][conversation]]
    told, lied = (
        make(write_features(tmp_path / f"data{n}", given), tmp_path / f"store{n}", method, protocol)
        for n, given in enumerate((items, permuted))
    )
    detailed = "selected" if protocol == "validated" else "last"
    assert lied[detailed]["confusion"] != told[detailed]["confusion"]
    assert lied["digests"] == told["digests"]


def test_training_labels_do_change_what_is_learnt(tmp_path: Path) -> None:
    items = feature_items()
    other = copy.deepcopy(items)
    other[2][0][0] = (other[2][0][0] + 1) % 7
    told, lied = (
        make(write_features(tmp_path / f"data{n}", given), tmp_path / f"store{n}", "adam")
        for n, given in enumerate((items, other))
    )
    assert all(lied["digests"][name] != told["digests"][name] for name in told["digests"])


def test_a_run_that_goes_on_keeps_when_it_began(features: Path, tmp_path: Path) -> None:
    data, store = dataset("meld", features), Store(tmp_path)
    (spec,) = expand(load_preset("smoke"), [data], ["adam"], [0])
    store.prepare()
    stops = iter((False, True))
    assert not execute(Task(spec, data, None), store, lambda _: None, lambda: next(stops))
    file = store.folder(spec.key) / "manifest.json"
    began = "2020-01-02T03:04:05+00:00"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"created": began}))
    assert execute(Task(spec, data, None), store, lambda _: None, lambda: False)
    assert json.loads(file.read_text())["created"] == began


@pytest.mark.parametrize("manifest", [None, "{", "{}", '{"created": 3}', '{"created": "2999-01-01T00:00:00+00:00"}'])
def test_a_beginning_that_nothing_says_is_now(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    assert begun(tmp_path)[:2] == "20"
    assert datetime.fromisoformat(begun(tmp_path)) <= datetime.now(UTC)


def test_a_complete_run_is_not_made_again(tmp_path: Path) -> None:
    features = write_features(tmp_path / "data", feature_items())
    first = make(features, tmp_path / "store", "adam")
    assert make(features, tmp_path / "store", "adam") == first  # timings too


def test_files_cut_off_while_written_are_cleared_away(tmp_path: Path) -> None:
    features = write_features(tmp_path / "data", feature_items())
    (spec,) = expand(load_preset("smoke"), [dataset("meld", features)], ["adam"], [0])
    folder = tmp_path / "store" / "runs" / spec.key
    folder.mkdir(parents=True)
    (folder / ".checkpoint.safetensors.0f").write_bytes(b"half")
    make(features, tmp_path / "store", "adam")
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(("what", "changed"), [("source_fingerprint", "source"), ("version", "torch, numpy")])
def test_a_run_whose_code_has_changed_since_is_not_stored_under_its_key(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, changed: str
) -> None:
    (spec,) = expand(load_preset("smoke"), [data := dataset("meld", features)], ["adam"], [0])
    store = Store(tmp_path)
    store.prepare()
    monkeypatch.setattr(f"benchmark.experiment.provenance.{what}", lambda *_: "another")
    with pytest.raises(RuntimeError, match=f"^{changed} changed .* would not be what its key says"):
        execute(Task(spec, data, None), store, lambda _: None, lambda: False)
    assert not list(tmp_path.rglob("spec.json"))


def overflowing_after(epochs: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the logits of every model overflow when it is evaluated after these epochs (from 1)."""
    train_epoch = Trainer.train_epoch

    def train(trainer: Trainer) -> dict[str, float]:
        epoch = trainer.progress.epoch + 1
        classifier = trainer.model.classifier
        evaluated = lambda module, _, out: out if module.training else out * torch.inf  # noqa: E731
        hook = classifier.register_forward_hook(evaluated) if epoch in epochs else None
        try:
            return train_epoch(trainer)
        finally:
            if hook:
                hook.remove()

    monkeypatch.setattr(Trainer, "train_epoch", train)


def test_an_overflowing_epoch_is_in_no_score_of_the_result(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overflowing_after({1, 3}, monkeypatch)
    result = make(features, tmp_path, "adam")

    (folder,) = (tmp_path / "runs").iterdir()
    history = pd.read_parquet(folder / "history.parquet")
    finite = [epoch not in (1, 3) for epoch in history["epoch"]]
    assert history["finite"].tolist() == finite
    assert history["validation_weighted_f1"].notna().tolist() == finite
    assert result["diverged"] is True
    usable = history.loc[finite]
    best = usable["validation_weighted_f1"].max()
    assert result["validation"] == {
        "epoch": int(usable.loc[usable["validation_weighted_f1"] == best, "epoch"].iloc[0]),
        "weighted_f1": best,
    }
    assert result["peak_test"]["epoch"] not in (1, 3)
    assert measure(folder, 0, lambda *_: 0.0).validation == best
    assert pd.read_parquet(folder / "predictions.parquet").filter(like="probability").notna().all(axis=None)


def test_a_run_without_a_finite_epoch_fails_and_says_so(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overflowing_after(set(range(1, 100)), monkeypatch)
    with pytest.raises(UserError, match=r"adam \(seed 0\) diverged: .* lower its learning rate"):
        make(features, tmp_path, "adam")
    assert not list(tmp_path.rglob("result.json"))


def test_a_manifest_says_which_instructions_are_used(folders: list[Path]) -> None:
    hardware = json.loads((folders[0] / "manifest.json").read_text())["hardware"]
    assert hardware["kernels"] == torch.backends.cpu.get_cpu_capability()
    script = "from benchmark.execution.run_folder import _kernels\nprint(_kernels())"
    limits = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
    environment = os.environ | limits | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout == "DEFAULT, MKL limited to SSE4_2\n"
