"""Sessions held out in turn, from the command line to the report: one run a session, scored together."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import f1_score

import reports
from benchmark.data.datasets import dataset
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.store.store import Store
from benchmark.tracking import entries
from tests.benchmark.harness import Cli

DATA = "iemocap-sim(scale=0.05)"
FOLDS = [f"Ses0{session}" for session in range(1, 6)]
GRID = ("--preset", "smoke", "--epochs", 1, "--datasets", DATA, "--methods", "linear,concat", "--seeds", 1,
        "--device", "cpu", "--protocol", "sessions")  # fmt: skip


@pytest.fixture(scope="module")
def store(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A finished grid of two methods × one seed × five folds, with its report."""
    store = Store(tmp_path_factory.mktemp("sessions") / "store")
    made = cli("run", *GRID, "--store", store.root, "--workers", 1)
    assert made.returncode == 0, made.stderr
    assert "10 runs, 0 of them already" in made.stdout
    assert "linear · seed 0 · test Ses04" in made.stdout + made.stderr
    assert "sessions held out in turn" in made.stdout
    return store


def test_every_session_is_the_test_set_of_one_run_and_they_are_scored_together(store: Store) -> None:
    data = dataset(DATA, None).load()
    specs = list(store.specs())
    for label in ("linear", "concat"):
        of_method = sorted((spec for spec in specs if spec["label"] == label), key=lambda spec: spec["fold"]["test"])
        assert [spec["fold"]["test"] for spec in of_method] == FOLDS
        assert len({spec["group"] for spec in of_method}) == 1
        frames = [pd.read_parquet(store.folder(spec["key"]) / "predictions.parquet") for spec in of_method]
        for spec, frame in zip(of_method, frames, strict=True):
            assert {name[:5] for name in frame["conversation"]} == {spec["fold"]["test"]}
            manifest = json.loads((store.folder(spec["key"]) / "manifest.json").read_text())["data"]
            assert (manifest["ceiling"], manifest["references"]) == (None, None)  # of the published test set
        whole = pd.concat(frames)
        assert sorted(set(whole["conversation"])) == sorted(data.ids)
        assert len(whole) == data.utterances
        rows = reports.load(store.root).accuracy.set_index("method")
        pooled = 100 * f1_score(whole["label"], whole["predicted"], average="weighted")
        assert rows.loc[label, "selected_weighted_f1_mean"] == pytest.approx(pooled)
        assert rows.loc[label, "protocol"] == "sessions"


def test_folds_are_listed_locked_verified_and_not_made_again(cli: Cli, store: Store, tmp_path: Path) -> None:
    listed = cli("runs", "--store", store.root).stdout
    assert [listed.count(f"sessions {fold}") for fold in FOLDS] == [2] * 5
    rows = json.loads(cli("runs", "--store", store.root, "--json").stdout)
    assert [row["test_session"] for row in rows] == FOLDS * 2
    assert all(row["weighted_f1"] is not None for row in rows)
    verified = cli("verify", rows[3]["key"], "--store", store.root, "--workers", 1)
    assert (verified.returncode, "the same bits" in verified.stdout) == (0, True)
    assert "test Ses04" in verified.stdout
    lock = tmp_path / "grid.lock"
    assert cli("lock", *GRID, "--out", lock).returncode == 0
    assert {run["key"] for run in json.loads(lock.read_text())["runs"]} == {row["key"] for row in rows}
    again = cli("run", "--locked", lock, "--store", store.root)
    assert "10 runs, 10 of them already" in again.stdout


def test_a_fold_that_is_missing_is_named_and_made_by_the_same_command(cli: Cli, store: Store, tmp_path: Path) -> None:
    copy = Store(tmp_path / "store")
    shutil.copytree(store.root, copy.root)
    lost = next(spec["key"] for spec in copy.specs() if (spec["label"], spec["fold"]["test"]) == ("concat", "Ses02"))
    kept = (copy.folder(lost) / "predictions.parquet").read_bytes()
    shutil.rmtree(copy.folder(lost))
    assert cli("report", "--store", copy.root).returncode == 0
    page = (copy.root / "report" / "report.md").read_text()
    assert "concat, seed 0: no finished run with Ses02 as the test session" in page
    assert reports.load(copy.root).accuracy["method"].tolist() == ["linear"]
    made = cli("run", *GRID, "--store", copy.root, "--workers", 1)
    assert "10 runs, 9 of them already" in made.stdout
    assert (copy.folder(lost) / "predictions.parquet").read_bytes() == kept


def test_a_run_of_a_fold_has_a_name_of_its_own_in_mlflow(store: Store) -> None:
    spec = next(spec for spec in store.specs() if (spec["label"], spec["fold"]["test"]) == ("linear", "Ses05"))
    assert entries.name(spec) == "linear by session seed 0 test Ses05"
    assert entries.params(spec)["fold.test"] == "Ses05"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--datasets", "meld-sim(scale=0.02)"), "meld-sim(scale=0.02) has no sessions to hold out in turn"),
        (("--tuned", "x"), "so that its scores would not be of unseen data"),
        (("--refit",), "--protocol sessions has another"),
    ],
)
def test_what_cannot_be_held_out_in_turn_is_refused_before_anything_is_written(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    refused = cli("run", *GRID, *words, "--store", tmp_path / "store")
    assert refused.returncode == 2
    assert said in " ".join(refused.stderr.split())
    assert not (tmp_path / "store").exists()


@pytest.mark.real_data
def test_iemocap_is_run_in_five_folds(real_data: Path) -> None:
    data = dataset("iemocap", real_data)
    specs = expand(load_preset("full"), [data], ["css", "adam"], [0, 1], protocol="sessions")
    assert len({spec.key for spec in specs}) == 2 * 2 * 5
    assert [spec.seed for spec in specs] == [0] * 10 + [1] * 10  # a seed is complete before the next begins
    assert {spec.fold.test for spec in specs if spec.fold} == set(FOLDS)
