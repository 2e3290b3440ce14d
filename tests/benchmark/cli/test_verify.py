"""``cssbench verify``, ``lock``, ``run --locked`` and ``run --dry-run`` on real runs."""

import json
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.data.datasets import dataset
from benchmark.execution.estimate import makespan
from benchmark.experiment.grid import expand
from benchmark.experiment.preregistration import Preregistration
from benchmark.experiment.presets import load_preset
from benchmark.experiment.spec import RunSpec
from benchmark.store.store import Store
from tests.benchmark.harness import GRID, HUNG, Cli, Say, StartCli, digests, feature_items, until, write_features
from tests.benchmark.synthetic import rewrite, rewrite_result, write_run


def content(store: Store) -> dict[str, bytes]:
    return {str(f.relative_to(store.runs)): f.read_bytes() for f in store.runs.rglob("*") if f.is_file()}


@pytest.fixture
def copied(finished: Any, tmp_path: Path) -> Store:
    """The finished grid's store, to be spoilt; it has a run of css and one of adam."""
    shutil.copytree(finished.runs, tmp_path / "copied" / "runs")
    return Store(tmp_path / "copied")


def key_of(store: Store, label: str) -> str:
    return next(spec["key"] for spec in store.specs() if spec["label"] == label)


def elsewhere(store: Store, key: str) -> str:
    """Have the run be one of another version of torch; its new key."""
    old, record = store.folder(key), json.loads((store.folder(key) / "spec.json").read_text())
    spec = RunSpec.from_record(record)
    other = spec.model_copy(update={"provenance": spec.provenance.model_copy(update={"torch": "1.0"})})
    folder = old.rename(store.folder(other.key))
    (folder / "spec.json").write_text(json.dumps(other.record()))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["versions"]["torch"] = "1.0"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    rewrite_result(folder)
    return other.key


def test_runs_are_executed_again_and_compared(cli: Cli, copied: Store) -> None:
    spoilt, other = key_of(copied, "css"), elsewhere(copied, key_of(copied, "adam"))
    rewrite(copied.folder(spoilt), "steps", "loss_fused", 5, 9.5)
    before = content(copied)
    said = cli("verify", "--all", "--store", copied.root, "--workers", "2")
    assert said.returncode == 1, said.stderr
    lines = said.stdout.splitlines()
    verdict = next(n for n, line in enumerate(lines) if line.startswith(f"{spoilt} iemocap-sim · css"))
    steps = json.loads((copied.folder(spoilt) / "result.json").read_text())["steps"]
    epoch = 5 // (steps // 4) + 1
    assert f"differs, first at epoch {epoch}, step 5: loss_fused is " in lines[verdict]
    assert "9.5 in the store (steps.parquet)" in lines[verdict]
    assert lines[verdict + 1 : verdict + 3] == [
        "    every score is the same",
        "    versions, hardware and source are the same",
    ]
    verdict = next(n for n, line in enumerate(lines) if line.startswith(other))
    assert lines[verdict].endswith("the same bits")
    assert lines[verdict + 1].startswith("    torch: 1.0 in the store, ")
    assert "best validation F1" in said.stderr  # progress
    assert content(copied) == before

    said = cli("verify", spoilt[:6], "--tolerance", "0", "--store", copied.root)
    assert (said.returncode, "differs within the tolerance 0, first at" in said.stdout) == (0, True)


def test_an_interrupted_verification_leaves_nothing_behind(start_cli: StartCli, finished: Any, tmp_path: Path) -> None:
    process = start_cli("verify", "--all", "--store", finished.root, TMPDIR=str(tmp_path))
    until(lambda: list(tmp_path.glob("cssbench-verify-*/runs/*/spec.json")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=HUNG)
    assert (process.returncode, err) == (130, "interrupted: nothing was compared, and the store is as it was\n")
    assert not list(tmp_path.glob("cssbench-*"))


def record(features: Path, **provenance: str) -> RunSpec:
    (spec,) = expand(load_preset("smoke"), [dataset("meld", features)], ["css"], [0])
    return spec.model_copy(update={"provenance": spec.provenance.model_copy(update=provenance)})


def test_a_run_that_cannot_be_verified_here_says_why(say: Say, features: Path, tmp_path: Path) -> None:
    held = Store(tmp_path / "store")
    spec = record(features, data="0" * 64)
    write_run(held.runs, spec.key, **spec.record())
    words = ("verify", "--all", "--store", held.root)
    code, _, err = say(*words, "--data-dir", features)
    assert code == 2
    assert f"{spec.key} meld · css · seed 0: cannot be verified: run {spec.key} was made from other data" in err
    assert "needs its feature file: get it with cssbench data fetch meld, or name the folder" in say(*words)[2]

    shutil.rmtree(held.runs)
    fusion = spec.method.fusion.model_copy(update={"name": "spff"})
    spec = spec.model_copy(update={"method": spec.method.model_copy(update={"fusion": fusion})})
    write_run(held.runs, spec.key, **spec.record())
    code, _, err = say(*words, "--data-dir", features)
    assert (code, "unknown fusion 'spff', did you mean 'spf'?" in err) == (2, True)

    shutil.rmtree(held.runs)
    write_run(held.runs, "1" * 16, **(spec.record() | {"key": "1" * 16}))
    code, _, err = say(*words, "--data-dir", features)
    assert (code, f"its key is {spec.key}" in err) == (2, True)


def test_a_damaged_run_is_made_again(cli: Cli, copied: Store) -> None:
    right, key = digests(copied.root), key_of(copied, "adam")
    (copied.folder(key) / "history.parquet").write_bytes(b"torn")
    said = cli(*GRID, "--store", copied.root)
    assert said.returncode == 0, said.stderr
    assert said.stderr.startswith(f"warning: run {key} in {copied.root} is damaged (history.parquet is not what")
    assert "2 runs, 1 of them already in" in said.stdout
    assert copied.is_whole(key)
    assert digests(copied.root) == right


LOCK = ("--preset", "smoke", "--methods", "css,adam", "--seeds", "2", "--datasets", "meld")


@pytest.fixture
def locked(say: Say, tmp_path: Path) -> tuple[Path, Path]:
    """A lock and the folder of the features it locks."""
    features = write_features(tmp_path / "features", feature_items())
    file = tmp_path / "paper.json"
    code, out, err = say("lock", *LOCK, "--data-dir", features, "--out", file)
    assert (code, out) == (0, f"4 runs locked in {file}\n"), err
    return file, features


def test_a_lock_names_specifications_data_and_versions(locked: tuple[Path, Path]) -> None:
    content = json.loads(locked[0].read_text())
    assert set(content) == {"format", "versions", "git", "data", "family", "runs"}
    assert [RunSpec.from_record(run).seed for run in content["runs"]] == [0, 0, 1, 1]
    assert content["data"]["meld"]["fingerprint"] == content["runs"][0]["provenance"]["data"]
    assert {"python", "torch", "numpy", "scikit-learn", "css-bench"} <= set(content["versions"])


def test_a_lock_that_holds_chooses_the_runs(say: Say, locked: tuple[Path, Path], tmp_path: Path) -> None:
    file, features = locked
    words = ("run", "--locked", file, "--data-dir", features, "--store", tmp_path / "store", "--dry-run")
    code, out, _ = say(*words)
    assert (code, out.splitlines()[0]) == (0, f"4 runs, 0 of them already in {tmp_path / 'store'}")
    assert not (tmp_path / "store").exists()
    for choice in (("--seeds", "1"), ("--epochs", "1"), ("--device", "cpu"), ("--preset", "quick")):
        code, _, err = say(*words, *choice)
        assert (code, f"leave out {choice[0]}" in err) == (2, True)
    code, _, err = say("lock", *LOCK, "--data-dir", features, "--out", file)
    assert (code, "is there already" in err) == (2, True)


@pytest.mark.parametrize(
    ("options", "pairs", "margin"),
    [((), [("css", "adam"), ("css", "concat")], 0.5), (("--contrasts", "adam:concat", "--margin", "1.5"), None, 1.5)],
)
def test_a_lock_carries_what_is_compared(
    say: Say, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: Any, pairs: Any, margin: float
) -> None:
    grid = ("--preset", "smoke", "--methods", "css,adam,concat", "--seeds", "3,5", "--datasets", "meld")
    file, where = tmp_path / "paper.json", ("--data-dir", features)
    assert say("lock", *grid, *options, *where, "--out", file)[0] == 0
    declared: list[Any] = []
    monkeypatch.setattr(Preregistration, "declare", lambda family, root: declared.append(family))
    monkeypatch.setattr("benchmark.execution.coordinator.run_grid", lambda *_, **__: Counter())
    for words in (("run", "--locked", file), ("run", *grid, *options)):
        say(*words, *where, "--store", tmp_path / "store", "--workers", "1")
    locked, direct = declared
    assert locked == direct
    assert (locked.seeds, locked.margin, locked.looks) == ([3, 5], margin, None)
    assert [(c["a"]["label"], c["b"]["label"]) for c in locked.comparisons] == (pairs or [("adam", "concat")])


def edit(change: Callable[[dict[str, Any]], None]) -> Callable[[Path, Path], None]:
    def apply(file: Path, features: Path) -> None:
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content))

    return apply


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edit(lambda lock: lock["versions"].update(torch="1.0")), "torch 1.0 in the lock, "),
        (edit(lambda lock: lock["versions"].pop("numpy")), "numpy None in the lock, "),
        (edit(lambda lock: lock["runs"][2].update(seed=7)), "its key is "),
        (edit(lambda lock: lock.update(runs=[])), "it names no run"),
        (edit(lambda lock: lock.pop("family")), "is not a lock"),
        (edit(lambda lock: lock["family"].pop("margin")), "is not a lock"),
        (edit(lambda lock: lock.update(format=2)), "format 2, this version reads 1"),
        (lambda file, features: file.write_text("{"), "is not a lock"),
        (lambda file, features: file.unlink(), "cannot read the lock"),
        (lambda file, features: write_features(features, feature_items(1)), "data of meld "),
    ],
)
def test_a_lock_that_does_not_hold_says_what_differs(
    say: Say, locked: tuple[Path, Path], tmp_path: Path, change: Callable[[Path, Path], object], message: str
) -> None:
    change(*locked)
    code, _, err = say("run", "--locked", locked[0], "--data-dir", locked[1], "--store", tmp_path / "s", "--dry-run")
    assert (code, message in err, err.count("\n")) == (2, True, 1), err


def test_other_source_does_not_hold(say: Say, locked: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.experiment.provenance.source_fingerprint", lambda: "edited")
    code, _, err = say("run", "--locked", locked[0], "--data-dir", locked[1], "--dry-run")
    assert (code, "source " in err, "in the lock, edited here" in err) == (2, True, True)


def test_a_dry_run_estimates_from_runs_like_these(say: Say, finished: Any) -> None:
    before = content(finished)
    results = [json.loads(file.read_text()) for file in finished.runs.glob("*/result.json")]
    words = (*GRID, "--store", finished.root, "--dry-run")
    assert say(*words)[1].splitlines() == [f"2 runs, 2 of them already in {finished.root}", "nothing to run"]
    code, out, _ = say(*words, "--seeds", "3", "--epochs", "8")
    assert code == 0
    hours = sum(3 * 2 * result["timings"]["total"] for result in results) / 3600
    assert "6 runs to make: about 0:" in out
    assert f"({hours:.2f} hours of runs)" in out
    assert f"{2 * max(result['peak_memory'] for result in results) / 2**30:.1f} GiB in 2 workers" in out
    assert "from 2 finished runs like these in the store" in out
    out = say(*words, "--methods", "css,concat")[1]
    assert "; not counted" not in out.splitlines()[0]
    assert "time and memory unknown" in out
    out = say(*words, "--methods", "css,concat", "--seeds", "2")[1]
    assert "; not counted, for nothing is like them: 2 runs" in out
    assert content(finished) == before


def test_time_is_that_of_the_worker_who_ends_last() -> None:
    assert makespan([3.0, 3.0, 2.0, 2.0, 2.0], 2) == 7.0
    assert makespan([2.0, 2.0, 2.0, 3.0, 3.0], 2) == 7.0
    assert makespan([2.0, 2.0, 3.0], 2) == 5.0  # in their order: the longest may come last
    assert makespan([5.0], 4) == 5.0
    assert makespan([1.0, 2.0, 3.0], 1) == 6.0
