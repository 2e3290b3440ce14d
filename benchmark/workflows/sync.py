"""``benchmark.workflows.sync``: log to MLflow the finished runs of a store that are not there yet."""

from dataclasses import dataclass
from pathlib import Path

from benchmark.base.errors import UserError
from benchmark.base.words import counted
from benchmark.execution.listener import Listener
from benchmark.store.checksums import damage
from benchmark.store.query import Filter
from benchmark.store.records import DamagedRunError
from benchmark.store.store import Store
from benchmark.tracking.database import StoreDatabase
from benchmark.tracking.logged import Logged
from benchmark.tracking.reachability import hindrance
from benchmark.tracking.uris import default_uri, resolve_uri, without_password
from benchmark.workflows.defaults import store_folder
from benchmark.workflows.preparation import existing


@dataclass(frozen=True)
class Synced:
    """What became of the finished runs of a store.

    Attributes:
        uri: MLflow's, without a password.
        complete: how many finished runs the store holds.
        already, logged: how many of them were in MLflow before, and how many this call logged.
        damaged, failed: how many are damaged and left out, and how many could not be logged.
    """

    uri: str
    complete: int
    already: int
    logged: int
    damaged: int
    failed: int


def sync(
    *, store: Path | str | None = None, tracking_uri: str | None = None, listener: Listener | None = None
) -> Synced:
    """Log the finished runs that are not in MLflow yet, each once; arguments are those of :func:`benchmark.run`.

    Raises:
        UserError: there is no store, or another process is logging its runs to the same place.
    """
    listener = listener or Listener()
    held = Store(existing(store_folder(store)))
    uri = resolve_uri(tracking_uri, held.root)
    shown = without_password(uri)
    logged = Logged(held.root, shown)
    with logged.held(alone=True) as alone:
        if not alone:
            raise UserError(f"another process is logging runs of {held.root} to {shown}: sync when it has ended")
        if uri == default_uri(held.root) and not StoreDatabase(held.root).is_readable:
            logged.forget()  # nothing is there, whatever was logged once
        unusable: list[DamagedRunError] = []
        complete, before = {run.key for run in Filter(state="complete").select(held, unusable)}, logged.keys()
        whole = sorted(key for key in complete - before if held.is_whole(key))
        for error in unusable:
            listener.notice(f"left out: {error}")
        for key in sorted(complete - before - set(whole)):
            listener.notice(f"left out: {held.folder(key)} is damaged ({damage(held.folder(key))})")
        if whole and (cause := hindrance(uri)):
            listener.notice(cause)
        elif whole:
            from benchmark.tracking.tracker import Tracker

            tracker = Tracker(uri, listener.notice, logged)
            tracker.begin(f"sync: {counted(len(whole), 'run')}", {})
            for key in whole:
                tracker.run_kept(held.folder(key))
            tracker.close(timeout=None)
            if tracker.is_rebuilt:
                before = set()
        absent = complete - logged.keys()
        failed = sum(map(held.is_whole, absent))
    return Synced(
        uri=shown,
        complete=len(complete),
        already=len(complete & before),
        logged=len(complete - absent - before),
        damaged=len(absent) - failed + len(unusable),
        failed=failed,
    )
