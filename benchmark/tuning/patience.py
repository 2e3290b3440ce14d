"""Optuna's storage in a database whose connection may be lost: what failed for that is tried again, for some time."""

import sqlite3
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from benchmark.tracking.uris import without_password

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

PATIENCE_SECONDS = 120.0
"""So long a database may be away."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 5.0
_PASSING = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)  # as where a network's folder is away for a moment
_METHODS = (
    *("create_new_study", "set_study_user_attr", "set_study_system_attr", "get_study_id_from_name"),
    *("get_study_name_from_id", "get_study_directions", "get_study_user_attrs", "get_study_system_attrs"),
    *("create_new_trial", "_create_new_trial", "set_trial_param", "_set_trial_param", "get_trial_param"),
    *("set_trial_state_values", "set_trial_intermediate_value", "set_trial_user_attr", "set_trial_system_attr"),
    *("get_trial", "get_all_trials", "_get_trials", "get_best_trial", "get_trial_id_from_study_id_trial_number"),
    *("get_trial_user_attrs", "get_trial_system_attrs", "get_n_trials", "_get_stale_trial_ids"),
)


def patient_storage(url: str, notice: Callable[[str], None], **options: Any) -> "RDBStorage":
    """Open the database; ``notice`` takes one line whenever its connection is lost and when it is back.

    The heartbeat alone is not tried again: the next one follows.
    """
    from optuna.storages import RDBStorage

    patience = _Patience(without_password(url), notice)
    methods = {name: patience.tries(getattr(RDBStorage, name)) for name in _METHODS}
    return type("PatientStorage", (RDBStorage,), methods)(url, **options)


class _Patience(threading.local):
    """Calls that are made again; one within another is the outer one's."""

    def __init__(self, database: str, notice: Callable[[str], None]) -> None:
        self._database, self._notice = database, notice
        self._is_trying = False

    def tries(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method, made again where the connection was lost."""

        @wraps(method)
        def tried(*values: Any, **named: Any) -> Any:
            if self._is_trying:
                return method(*values, **named)
            self._is_trying = True
            try:
                return self._until_it_works(lambda: method(*values, **named))
            finally:
                self._is_trying = False

        return tried

    def _until_it_works(self, call: Callable[[], Any]) -> Any:
        from optuna.exceptions import UpdateFinishedTrialError

        lost: float | None = None
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                value = call()
            except UpdateFinishedTrialError:
                if lost is None:
                    raise
                value = True  # the attempt that heard no answer was the one that finished the trial
            except Exception as error:
                cause = lost_connection(error)
                now = time.monotonic()
                if cause is None or (lost is not None and now - lost >= PATIENCE_SECONDS):
                    raise
                if lost is None:
                    lost = now
                    self._notice(
                        f"the storage {self._database} does not answer ({without_password(cause)}): it is asked again "
                        f"for {PATIENCE_SECONDS:g} s"
                    )
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                continue
            if lost is not None:
                self._notice(f"the storage {self._database} answers again")
            return value


def lost_connection(error: BaseException | None) -> str | None:
    """What a database or its driver said where a connection was lost or not had; None for any other error."""
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

    while error is not None and not isinstance(error, DBAPIError):
        error = error.__cause__
    if not isinstance(error, OperationalError | InterfaceError) and not getattr(error, "connection_invalidated", False):
        return None
    assert isinstance(error, DBAPIError)
    if isinstance(error.orig, sqlite3.Error) and error.orig.sqlite_errorcode & 0xFF not in _PASSING:
        return None
    return " ".join(f"{type(error.orig).__name__}: {error.orig}".split())[:200]
