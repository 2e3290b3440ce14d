"""The report of a store's runs, written unless it is there already."""

from collections.abc import Collection
from pathlib import Path

import reports
from benchmark.base.errors import UserError
from benchmark.execution.listener import Listener


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
            f"cssbench report --store {store} --out FOLDER"
        ) from error
    except reports.ReportError as error:
        raise UserError(str(error)) from error
