"""The database of MLflow's that lies in a store: made whole, moved with the store, and made again where it is broken.

It follows from the store, so that whatever is wrong with it costs the time of logging the runs once more.
"""

import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from benchmark.tracking.uris import artifacts_beside, default_uri, sqlite_uri

_BROKEN = (  # what SQLite says of content; a full disk, a lock or a missing permission is no fault of the database's
    sqlite3.SQLITE_ERROR,  # a statement of a migration finds what an earlier one, cut off, has left: "already exists"
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
)
_LOCK_SECONDS = 60  # that SQLite waits for another process's write


class StoreDatabase:
    """MLflow's database in the store at ``root``, at the address ``uri``, with its artifacts in a folder beside it."""

    def __init__(self, root: Path) -> None:
        self.uri = default_uri(root)
        self.file = root.absolute() / "mlflow.db"
        self.artifacts = artifacts_beside(self.uri) or root

    @property
    def is_readable(self) -> bool:
        """Whether there is a database with runs in it, for all that can be seen without MLflow."""
        if not self.file.exists():
            return False
        try:
            with closing(self._connect()) as connection:
                connection.execute("SELECT count(*) FROM runs")
        except sqlite3.Error as error:
            return not is_broken(error)
        return True

    def prepare(self) -> str | None:
        """Have a database there that MLflow can open; returns one sentence where a broken one had to be put aside.

        The caller keeps other processes out (:func:`locked`). Raises what MLflow or SQLite raise where the database is
        not to blame: the disk is full, say.
        """
        cause = self._fault() if self._exists else None
        aside = None if cause is None else self._put_aside()
        if not self._exists:  # MLflow's migrations break a new database that two processes create at once
            self._make()
        if aside is None:
            return None
        return (
            f"MLflow's database {self.file} was broken ({cause}): it is now {aside.name}, and the finished runs of "
            "the store are logged into a new one"
        )

    def follow(self) -> None:
        """Have the addresses of artifacts follow the database: where the store was moved they name its old place."""
        here = self.artifacts.as_uri()
        with closing(self._connect()) as connection, connection:
            query = "SELECT DISTINCT artifact_location FROM experiments WHERE name LIKE 'css-bench/%'"
            folders = {location.rpartition("/")[0] for (location,) in connection.execute(query).fetchall()}
            for old in folders - {here}:
                if not old.startswith("file:") or not old.endswith(f"/{self.artifacts.name}"):
                    continue  # the user's choice
                for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                        (here, len(old) + 1, len(old) + 1, f"{old}/"),
                    )

    @property
    def _exists(self) -> bool:
        return self.file.exists() and self.file.stat().st_size > 0  # an empty file is a database that was never begun

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.file, timeout=_LOCK_SECONDS)

    def _fault(self) -> str | None:
        """Why MLflow can never open the database, or None where it can."""
        from mlflow import MlflowClient

        try:
            with closing(self._connect()) as connection:  # MLflow tries for minutes to read what is no database
                connection.execute("SELECT count(*) FROM sqlite_master")
            MlflowClient(self.uri)
            self.follow()
        except Exception as error:
            if not is_broken(error):
                raise
            return cause_of(error)
        return None

    def _put_aside(self) -> Path:
        aside = self.file.with_name(f"{self.file.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        for ending in ("-journal", "-wal", "-shm"):  # which SQLite would apply to the new database
            with suppress(FileNotFoundError):
                self.file.with_name(self.file.name + ending).rename(aside.with_name(aside.name + ending))
        return self.file.rename(aside)

    def _make(self) -> None:
        """Make the database under another name, for MLflow never gets over tables that are half made."""
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        hidden = f".{self.file.name}."
        temporary = self.file.with_name(f"{hidden}{uuid4().hex}")
        try:
            SqlAlchemyStore(sqlite_uri(temporary), self.artifacts.as_uri()).engine.dispose()
            if not self._exists:  # on a file system without locks another process may have been quicker
                temporary.replace(self.file)
        finally:
            for left in self.file.parent.glob(f"{hidden}*"):  # of processes that were killed, too
                left.unlink(missing_ok=True)


def innermost(error: BaseException) -> BaseException:
    """The telling exception: MLflow wraps "connection refused" in three layers of text."""
    while (inner := error.__cause__ or error.__context__) and not isinstance(inner, LookupError):
        error = inner
    return error


def cause_of(error: BaseException) -> str:
    """What went wrong, on one line."""
    error = innermost(error)
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def is_broken(error: BaseException) -> bool:
    """Whether an error of opening a database lies in its content, so that opening it again would end alike."""
    inner = innermost(error)
    if isinstance(inner, sqlite3.Error):
        return getattr(inner, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF in _BROKEN
    kinds = [f"{type(e).__module__}.{type(e).__name__}" for e in (error, inner)]
    if any(kind.startswith("alembic.") for kind in kinds):  # a version of the tables that this MLflow does not know
        return True
    return "mlflow.exceptions.MlflowException" in kinds and "database schema" in str(error)
