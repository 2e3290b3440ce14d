"""MLflow's database in a store: whole or absent, wherever the store is, and made again from the store where broken."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmark.store.store import Store
from benchmark.tracking.database import StoreDatabase, is_broken
from benchmark.tracking.logged import Logged
from benchmark.tracking.uris import artifacts_beside, database_file, default_uri
from tests.benchmark.harness import Say, StartCli, until
from tests.benchmark.synthetic import write_run
from tests.shared import MAKE_DATABASE

KEYS = ("1111000000000000", "2222000000000000")
NAMES = ("a b", "a%20b", "50%25", "a?b", "a#b", "café")


@pytest.fixture(autouse=True)
def _own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(StoreDatabase, "_make", MAKE_DATABASE)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of two finished runs, nowhere logged."""
    held = Store(tmp_path / "store")
    for key in KEYS:
        write_run(held.runs, key)
    return held


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of one finished run that is logged."""
    from benchmark.workflows.sync import sync

    held = Store(tmp_path_factory.mktemp("logged") / "store")
    write_run(held.runs, KEYS[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert sync(store=held.root).logged == 1
    return held


def runs_in(root: Path) -> dict[str, Any]:
    """MLflow's runs that stand for runs of the store, by key."""
    from mlflow import MlflowClient

    client = MlflowClient(default_uri(root))
    experiment = client.get_experiment_by_name("css-bench/meld-sim")
    runs = [run for run in client.search_runs([experiment.experiment_id]) if "key" in run.data.tags]
    by_key = {run.data.tags["key"]: run for run in runs}
    assert len(by_key) == len(runs)
    for run in runs:
        assert {"result.json", "confusion.csv"} <= {file.path for file in client.list_artifacts(run.info.run_id)}
    return by_key


def warnings(err: str) -> list[str]:
    """What was said, without what MLflow says of its tables where another test has imported it before the command."""
    return [line for line in err.splitlines() if "INFO mlflow." not in line]


def half_made(file: Path) -> None:
    """What a process leaves that is killed in a migration: MLflow's next attempt stumbles over the table."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE _alembic_tmp_tags (key TEXT)")


def no_database(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def empty(file: Path) -> None:
    file.touch()


@pytest.mark.parametrize(("spoil", "cause"), [(half_made, "already exists"), (no_database, "not a database")])
def test_a_broken_database_is_put_aside_and_made_again_from_the_store(
    say: Say, store: Store, spoil: Callable[[Path], None], cause: str
) -> None:
    spoil(store.root / "mlflow.db")
    Logged(store.root, default_uri(store.root)).add(KEYS[0], "of the database that is broken")
    content = (store.root / "mlflow.db").read_bytes()
    code, out, err = say("sync", "--store", store.root)
    (warning,) = warnings(err)
    assert (code, "was broken (" in warning, cause in warning) == (0, True, True)
    assert "2 complete runs, 0 of them already" in out
    assert "2 logged now" in out
    assert set(runs_in(store.root)) == set(KEYS)
    (aside,) = store.root.glob("mlflow.db.broken-*")
    assert aside.name in warning
    if spoil is no_database:
        assert aside.read_bytes() == content
    assert "2 of them already" in say("sync", "--store", store.root)[1]
    (store.root / "mlflow.db").unlink()  # what was logged is gone
    assert "0 of them already" in say("sync", "--store", store.root)[1]


def test_a_grid_logs_the_whole_store_again_where_the_database_was_broken(store: Store) -> None:
    from benchmark.tracking.tracker import Tracker

    half_made(store.root / "mlflow.db")
    told: list[str] = []
    logged = Logged(store.root, default_uri(store.root))
    with Tracker(default_uri(store.root), told.append, logged) as tracker:
        tracker.begin("grid", {})
        tracker.run_kept(store.folder(KEYS[1]))
        tracker.close(None)
    assert ["was broken" in warning for warning in told] == [True]
    assert set(runs_in(store.root)) == logged.keys() == set(KEYS)


def test_a_process_killed_while_it_makes_the_database_leaves_none(start_cli: StartCli, say: Say, store: Store) -> None:
    process = start_cli("sync", "--store", store.root, MLFLOW_TRACKING_URI="")
    until(lambda: [file for file in store.root.glob(".mlflow.db.*") if file.stat().st_size > 50_000])
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (store.root / "mlflow.db").exists()
    empty(store.root / "mlflow.db")  # as a full disk leaves it
    code, out, err = say("sync", "--store", store.root)
    assert (code, "2 logged now" in out, warnings(err)) == (0, True, [])
    assert set(runs_in(store.root)) == set(KEYS)
    assert not list(store.root.glob(".mlflow.db.*"))


def test_two_processes_may_make_the_database_at_once(store: Store) -> None:
    code = """
import sys
from pathlib import Path
from benchmark.tracking.tracker import Tracker
from benchmark.tracking.logged import Logged
from benchmark.tracking.uris import default_uri
root, key = Path(sys.argv[1]), sys.argv[2]
def refuse(warning):
    raise SystemExit(warning)
tracker = Tracker(default_uri(root), refuse, Logged(root, default_uri(root)))
tracker.begin(key, {})
tracker.run_kept(root / "runs" / key)
sys.exit(tracker.close(None))
"""
    processes = [subprocess.Popen([sys.executable, "-c", code, str(store.root), key]) for key in KEYS]
    assert [process.wait() for process in processes] == [0, 0]
    assert set(runs_in(store.root)) == set(KEYS)


@pytest.mark.parametrize("name", NAMES)
def test_artifacts_follow_a_store_that_moved(say: Say, logged: Store, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    moved = Store(tmp_path / name / "store")
    shutil.copytree(logged.root, moved.root)
    with closing(sqlite3.connect(moved.root / "mlflow.db")) as connection, connection:  # the old place is gone
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
            query = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
            connection.execute(query, (logged.root.as_uri(), (tmp_path / "gone").as_uri()))
    write_run(moved.runs, KEYS[1])
    code, out, err = say("sync", "--store", moved.root)
    assert (code, "2 complete runs, 0 of them already" in out, warnings(err)) == (0, True, [])
    runs = runs_in(moved.root)
    assert set(runs) == set(KEYS)
    for run in runs.values():
        assert run.info.artifact_uri.startswith((moved.root / "mlartifacts").as_uri())
        assert (moved.root / "mlartifacts" / "meld-sim" / run.info.run_id / "artifacts" / "result.json").exists()
    assert {path.name for path in tmp_path.iterdir()} == {name}
    assert {path.name for path in (tmp_path / name).iterdir()} == {"store"}


def test_a_new_database_is_in_a_store_of_any_name(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "a b%20c 50%25?d#é"
    held = Store(folder / "store")
    write_run(held.runs, KEYS[0])
    code, _, err = say("sync", "--store", held.root)
    assert (code, warnings(err)) == (0, [])
    assert set(runs_in(held.root)) == {KEYS[0]}
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (held.root / "mlflow.db").exists()


@pytest.mark.parametrize("name", NAMES)
def test_an_address_leads_to_its_file(tmp_path: Path, name: str) -> None:
    uri = default_uri(tmp_path / name)
    assert database_file(uri) == tmp_path / name / "mlflow.db"
    assert artifacts_beside(uri) == tmp_path / name / "mlartifacts"


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:", "http://host/mlflow.db", "sqlite:x"])
def test_other_addresses_have_no_file(uri: str) -> None:
    assert database_file(uri) is None


def test_the_users_own_place_of_artifacts_stays(logged: Store, tmp_path: Path) -> None:
    shutil.copytree(logged.root, tmp_path / "store")
    database = StoreDatabase(tmp_path / "store")
    with closing(sqlite3.connect(database.file)) as connection:
        with connection:
            connection.execute("UPDATE experiments SET artifact_location = 's3://bucket/mlartifacts/meld-sim'")
        database.follow()
        assert {row for (row,) in connection.execute("SELECT artifact_location FROM experiments")} == {
            "s3://bucket/mlartifacts/meld-sim"
        }


def test_neither_a_full_disk_nor_another_process_makes_a_database_broken(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db", timeout=0)) as connection:
        connection.execute("CREATE TABLE t (x BLOB)")
        connection.execute("PRAGMA max_page_count = 4")
        with pytest.raises(sqlite3.OperationalError, match="disk is full") as full, connection:
            connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
        connection.execute("BEGIN EXCLUSIVE")
        with (
            closing(sqlite3.connect(tmp_path / "x.db", timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked") as busy,
        ):
            other.execute("INSERT INTO t VALUES (1)")
    assert not is_broken(full.value)
    assert not is_broken(busy.value)
    assert not is_broken(ConnectionError("refused"))
