"""What killed processes leave in a store and beside cached files is removed; what a living one holds stays."""

import errno
import os
from pathlib import Path

import pytest

from benchmark.base.files import kept, replacing, sweep
from benchmark.store.store import Store
from tests.benchmark.harness import Say
from tests.benchmark.synthetic import write_run

KEY, OTHER = "1" * 16, "2" * 16
TORN = f".result.json.{'0' * 32}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    held = Store(tmp_path / "store")
    write_run(held.runs, KEY)
    write_run(held.runs, OTHER, "unfinished")
    return held


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_nobody_writes_any_more_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    keeps = {".hidden", "a.json", f"b.{'0' * 32}", ".c.0123"}
    for name in (*keeps, TORN):
        (tmp_path / name).touch()
    (tmp_path / f".linked.{'1' * 32}").symlink_to(tmp_path / "a.json")
    with replacing(tmp_path / "d.json") as file:
        file.write(b"{}")
        sweep(tmp_path)
        assert len(names(tmp_path)) == len(keeps) + 2
    assert names(tmp_path) == {*keeps, "d.json", f".linked.{'1' * 32}"}


def test_without_locks_nothing_is_known_to_be_left_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / TORN).touch()
    monkeypatch.setattr("fcntl.flock", no_locks)
    sweep(tmp_path)
    assert names(tmp_path) == {TORN}


def test_a_file_that_is_swept_away_before_it_is_locked_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, swept = Path.open, []

    def open_then_swept(path: Path, mode: str = "r") -> object:
        file = opened(path, mode)
        if not swept:
            swept.append(path)
            sweep(tmp_path)
            assert not path.exists()
        return file

    monkeypatch.setattr(Path, "open", open_then_swept)
    with replacing(tmp_path / "a") as file:
        file.write(b"whole")
    assert (names(tmp_path), (tmp_path / "a").read_bytes()) == ({"a"}, b"whole")


def test_a_cache_is_swept_when_something_is_kept_in_it(tmp_path: Path) -> None:
    (tmp_path / TORN).touch()
    assert kept(tmp_path / "value.json", lambda: 1) == 1
    assert names(tmp_path) == {"value.json"}


def leave_behind(store: Store) -> None:
    for folder in (store.root, store.root / "studies", store.folder(KEY), store.folder(OTHER)):
        folder.mkdir(exist_ok=True)
        (folder / TORN).write_bytes(b"torn")
    for key in (KEY, OTHER):
        (store.folder(key) / "checkpoint.safetensors").write_bytes(b"weights")
    (store.runs / f".removed.{KEY}.{'0' * 32}").mkdir()
    (store.root / ".removed" / "of an earlier version").mkdir(parents=True)


def test_a_store_that_is_prepared_loses_what_the_dead_left(store: Store) -> None:
    leave_behind(store)
    store.prepare()
    assert not list(store.root.rglob(".*"))
    assert not (store.folder(KEY) / "checkpoint.safetensors").exists()  # killed after its result, at the last step
    assert (store.folder(OTHER) / "checkpoint.safetensors").read_bytes() == b"weights"  # it goes on from there


def test_a_run_that_is_being_made_keeps_its_files(store: Store) -> None:
    leave_behind(store)
    with store.claim(KEY):
        store.tidy()
    assert {TORN, "checkpoint.safetensors"} <= names(store.folder(KEY))


def test_runs_on_another_file_system_are_removed_and_moved(
    say: Say, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename out of the linked folder of runs fails there, as it does between two file systems."""
    elsewhere = tmp_path / "disk" / "runs"
    elsewhere.parent.mkdir()
    store.runs.rename(elsewhere)
    store.runs.symlink_to(elsewhere)
    rename = os.rename

    def within_a_file_system(source: Path, target: Path, **options: object) -> None:
        if len({Path(path).resolve().is_relative_to(elsewhere.parent) for path in (source, target)}) == 2:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", within_a_file_system)
    words = ("--store", store.root, "--dataset", "meld-sim")
    into = tmp_path / "into"
    assert say("store", "move", *words, "--state", "complete", "--into", into)[0] == 0
    assert (names(elsewhere), names(into / "runs")) == ({OTHER}, {KEY})
    code, out, _ = say("store", "prune", *words, "--yes")
    assert (code, "1 run removed" in out, names(elsewhere)) == (0, True, set())
