"""What the processes of one test session make once and share."""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmark.audit.examination import examine
from benchmark.data.corpora import DEFAULT
from benchmark.data.datasets import dataset
from benchmark.tracking.database import StoreDatabase
from benchmark.tracking.tracker import Tracker
from benchmark.tracking.uris import default_uri

MAKE_DATABASE = StoreDatabase._make
"""What makes a store's MLflow, by a second of migrations."""


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A temporary folder of the whole session, whatever number of processes it has."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """What ``make`` returns, in a folder of that name; the process that comes first makes it, others wait.

    For what tests only read.
    """
    folder = shared_folder(factory) / name
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        written = folder / "made"
        if not written.exists():
            folder.mkdir()
            written.write_text(str(make(folder)))
        return Path(written.read_text())


def examine_defaults(factory: pytest.TempPathFactory) -> Path:
    """The cache, which holds what a run must know of both default corpora: processes need not find it out."""

    def make(folder: Path) -> Path:
        for name in DEFAULT:
            examine(dataset(name, None), lambda _: None)
        return shared_folder(factory) / "cache"

    return made_once(factory, "examined", make)


def empty_database(factory: pytest.TempPathFactory) -> Path:
    """MLflow's database with nothing in it, to be copied."""

    def make(folder: Path) -> Path:
        Tracker(default_uri(folder), print)  # before MLflow is imported: it sets how much MLflow says
        database = StoreDatabase(folder)
        MAKE_DATABASE(database)
        return database.file

    return made_once(factory, "mlflow", make)


def database_maker(factory: pytest.TempPathFactory) -> Callable[[StoreDatabase], None]:
    """What makes a store's MLflow as :data:`MAKE_DATABASE` does, by a copy of the empty one."""

    def make(database: StoreDatabase) -> None:
        temporary = database.file.with_name(f".{database.file.name}.{os.getpid()}")
        shutil.copyfile(empty_database(factory), temporary)
        with closing(sqlite3.connect(temporary)) as connection, connection:
            place = f"{database.artifacts.as_uri()}/0"  # of the experiment that MLflow itself makes
            connection.execute("UPDATE experiments SET artifact_location = ?", (place,))
        temporary.replace(database.file)

    return make
