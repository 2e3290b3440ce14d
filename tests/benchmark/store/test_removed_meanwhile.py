"""Runs that another process removes at the worst moment: commands go on with the others."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.store.copying import Copied, copy
from benchmark.store.store import Store
from tests.benchmark.harness import Say
from tests.benchmark.synthetic import write_run

KEYS = ("1" * 16, "2" * 16)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    held = Store(tmp_path / "store")
    for seed, key in enumerate(KEYS):
        write_run(held.runs, key, seed=seed)
    return held


def removing(store: Store, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, before whose first call another process removes the first run."""

    def call(*arguments: Any, **options: Any) -> Any:
        if store.folder(KEYS[0]).exists():
            Store(store.root).remove(KEYS[0])  # but for a run that a command claims, as `merge` does
        return function(*arguments, **options)

    return call


@pytest.mark.parametrize(
    "moment",
    [
        "benchmark.store.store.read_record",
        "benchmark.store.store.Store.state",
        "benchmark.store.checksums.read_result",
        "benchmark.store.checksums._sha256",
    ],
)
@pytest.mark.parametrize(
    "words", [("runs",), ("verify", "--all", "--files"), ("store", "merge"), ("store", "prune", "--seed", "0", "--yes")]
)
def test_a_run_that_is_pruned_beside_a_command_is_no_error(
    say: Say, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, words: tuple[str, ...]
) -> None:
    module, _, name = moment.rpartition(".")
    owner = Store if module.endswith(".Store") else __import__(module, fromlist=[name])
    monkeypatch.setattr(owner, name, removing(store, getattr(owner, name)))
    place = (store.root, "--into", tmp_path / "into") if "merge" in words else ("--store", store.root)
    code, out, err = say(*words, *place)
    assert (code, "left out: " in err, "damaged" in out + err) == (0, False, False), (out, err)
    assert {path.name for path in store.runs.iterdir()} in ({KEYS[1]}, set(KEYS))  # no folder of another name
    if "merge" not in words:
        assert not store.folder(KEYS[0]).exists()  # nor an empty one in its place
    if "prune" not in words and "merge" not in words:
        assert KEYS[1] in out
    if "merge" in words:
        assert (tmp_path / "into" / "runs" / KEYS[1] / "result.json").exists()


def test_a_named_run_that_goes_is_not_said_to_be_verified(
    say: Say, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.workflows.verify.damage", removing(store, lambda folder: None))
    code, out, err = say("verify", KEYS[0], "--files", "--store", store.root)
    assert code == 2
    assert "was removed by another process meanwhile" in out + err


def test_a_copy_of_a_run_that_goes_is_left_out_and_makes_no_folder(store: Store, tmp_path: Path) -> None:
    target = Store(tmp_path / "into")
    target.prepare()
    store.remove(KEYS[0])
    assert copy(KEYS[0], store, target) is Copied.GONE
    assert not store.folder(KEYS[0]).exists()
    assert not target.folder(KEYS[0]).exists()


def test_two_who_remove_the_same_run_both_succeed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second tidies the store while the first is at it: the rest of the run goes without an error."""
    rmtree = shutil.rmtree

    def rmtree_beside_another(path: Path, **options: Any) -> None:
        monkeypatch.setattr(shutil, "rmtree", rmtree)
        store.tidy()
        rmtree(path, **options)

    monkeypatch.setattr(shutil, "rmtree", rmtree_beside_another)
    assert store.remove(KEYS[0])
    assert store.remove(KEYS[0])
    assert {path.name for path in store.runs.iterdir()} == {KEYS[1]}
