"""The database that studies live in: opened, kept alive, and its errors in one line."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

from benchmark.base.errors import UserError
from benchmark.tracking.uris import sqlite_uri, without_password
from benchmark.tuning.patience import patient_storage

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

HEARTBEAT_SECONDS = 5
GRACE_SECONDS = 20
"""A trial that nobody vouched for during so long is abandoned, unless its lock is held, and tried again."""
_ATTEMPTS, _AGAIN_SECONDS = 3, 0.3
_LOCK_SECONDS = 60  # that SQLite waits for another process's write


def default_url(store: Path) -> str:
    """The database beside the runs of a store."""
    return sqlite_uri(store / "optuna.db")


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn an error of the database into a UserError with its cause, the address without password, and a remedy."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        raise _unusable(url, error) from error


def _unusable(url: str, error: BaseException) -> UserError:
    while error.__cause__ is not None:
        error = error.__cause__
    cause = without_password(f"{type(error).__name__}: {error}".split("\n")[0][:200])
    return UserError(
        f"cannot use the storage {without_password(url)} ({cause}); see that the database answers and "
        "its driver is installed, or name another one with --storage; runs that were made are in the store"
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings that Optuna gives of its experimental parts; its log says errors alone."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def connect(url: str, notice: Callable[[str], None] = lambda _: None) -> "RDBStorage":
    """Open the database, made where there is none; raises UserError where that cannot be.

    ``notice`` takes one line where its connection is lost afterwards, which is waited for.
    """
    from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

    is_file = url.startswith("sqlite")
    options: dict[str, Any] = {"connect_args": {"timeout": _LOCK_SECONDS}} if is_file else {"pool_pre_ping": True}

    def open_it() -> "RDBStorage":
        return patient_storage(
            url, notice, engine_kwargs=options, heartbeat_interval=HEARTBEAT_SECONDS, grace_period=GRACE_SECONDS
        )

    with explained(url), quiet():
        try:
            for _ in range(_ATTEMPTS):
                with suppress(IntegrityError, OperationalError, ProgrammingError):
                    return open_it()
                time.sleep(_AGAIN_SECONDS)  # another process makes the tables at this very moment
            return open_it()
        except (ImportError, RuntimeError) as error:  # no driver; tables of another version of Optuna
            raise _unusable(url, error) from error


class Heartbeat:
    """Vouches for open trials, by their ids, from a thread; ``with`` ends it."""

    def __init__(self, storage: "RDBStorage") -> None:
        self._storage = storage
        self._trials: set[int] = set()
        self._lock = Lock()
        self._end = Event()
        self._thread = Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def add(self, trial: int) -> None:
        """Vouch for the trial from now on."""
        with self._lock:
            self._trials.add(trial)

    def remove(self, trial: int) -> None:
        """No more."""
        with self._lock:
            self._trials.discard(trial)

    def _beat(self) -> None:
        while not self._end.wait(HEARTBEAT_SECONDS):
            with self._lock:
                trials = list(self._trials)
            for trial in trials:
                with suppress(Exception):  # a database that is away for a moment; the next beat may reach it
                    self._storage.record_heartbeat(trial)
