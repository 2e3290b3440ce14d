"""The report of a store's runs, written unless it is there already, and logged to MLflow."""

import shlex
from collections.abc import Collection
from pathlib import Path

import reports
from benchmark.base.errors import UserError
from benchmark.execution.listener import Listener
from benchmark.execution.places import Places
from benchmark.store.store import Store


def refuse_foreign(out: Path) -> None:
    """Raise UserError where the folder holds something that is no report: better before hours of training."""
    try:
        reports.refuse_foreign(out.resolve())
    except reports.ReportError as error:
        raise UserError(str(error)) from error


def write_report(store: Path, out: Path, keys: Collection[str] | None, listener: Listener) -> Path:
    """Write the report of these runs (None: of all) into ``out`` and return its page; raises UserError like a report.

    A report that shows these very runs is left as it is.
    """
    if reports.is_current(store, out, keys):
        return out / "index.html"
    listener.message("writing the report …")
    try:
        return reports.build(store, out, keys)
    except PermissionError as error:
        raise UserError(
            f"cannot write the report to {out} ({error.strerror}); name another folder: "
            f"cssbench report --store {shlex.quote(str(store))} --out FOLDER"
        ) from error
    except reports.ReportError as error:
        raise UserError(str(error)) from error


def log_report(where: Places, store: Store, keys: Collection[str], shown: Collection[str], listener: Listener) -> None:
    """Put the report into MLflow's parent runs of the invocation; a warning where that fails.

    Where MLflow lacks finished runs, a warning has said so before, and nothing is tried.

    Args:
        keys: the runs that were asked for.
        shown: those that the report is about.
    """
    from benchmark.tracking.database import cause_of
    from benchmark.tracking.logged import Logged
    from benchmark.tracking.report import log_report as log
    from benchmark.tracking.uris import resolve_uri, without_password

    uri = resolve_uri(where.tracking_uri, store.root)
    place = without_password(uri)
    if not Logged(store.root, place).keys() >= {key for key in keys if store.is_complete(key)}:
        return
    try:
        log(uri, where.invocation, where.report, [store.folder(key) for key in shown if store.is_complete(key)])
    except Exception as error:  # whatever MLflow, its database or the network may raise: the report is written
        listener.notice(f"warning: the report is not in MLflow at {place} ({cause_of(error)}); it is in {where.report}")
