"""The report folder: built aside, swapped in whole, recognised by its marker.

Standard library only: asking whether a report is current must not load what draws one.
"""

import hashlib
import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from reports.errors import ReportError
from reports.reading.folders import run_folders
from reports.reading.seals import file_seal, seal
from reports.scoreboard import Scoreboard
from reports.swap import draft_of, put_in_place, recover, settled

MARKER = "report.json"
MADE_BY = "css-bench reports"


def build(store: Path, out: Path, keys: Collection[str] | None = None) -> Path:
    """Draw the report of a store's complete runs and return the path of its `index.html`.

    `keys` restricts the report to those runs. Everything is written into a hidden sibling of `out` first, so a failure
    leaves a previous report as it was. Raises ReportError if there is nothing to report, a run folder is damaged, or
    `out` holds something that is not a report.
    """
    target = out.resolve()
    recover(target)
    refuse_foreign(target)
    # Taken before the runs are read: a run that ends meanwhile makes the report stale, never silently missing.
    digest = _digest(store, keys)

    from reports.pages import write_report

    target.parent.mkdir(parents=True, exist_ok=True)
    with draft_of(target) as draft:
        boards, left_out = write_report(store, draft, keys)
        marker: dict[str, Any] = {
            "made_by": MADE_BY,
            "digest": digest,
            "scoreboards": [board.as_json() for board in boards],
        }
        marker |= {"left_out": dict(left_out)}
        marker["files"] = {str(path.relative_to(draft)): file_seal(path) for path in sorted(_files(draft))}
        marker["checksum"] = seal(marker)
        (draft / MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
        put_in_place(draft, target, _refuse_foreign)  # which may have changed: drawing takes a while
    return out / "index.html"


def is_current(store: Path, out: Path, keys: Collection[str] | None = None) -> bool:
    """Whether `out` holds what `build` would draw now, whole: of the same files of runs and source of this package."""
    recover(out.resolve())
    marker = _marker(out)
    if marker is None or marker.get("checksum") != seal(marker):
        return False
    try:
        files = marker["files"].items()
        is_whole = "index.html" in marker["files"] and all(file_seal(out / name) == known for name, known in files)
    except (OSError, KeyError, TypeError, AttributeError):
        return False
    return is_whole and marker.get("digest") == _digest(store, keys)


def read_scoreboards(out: Path) -> list[Scoreboard]:
    """The scoreboards of the report in `out`, one a data set; none where there is no report of this version."""
    try:
        return [Scoreboard.from_json(entry) for entry in (_marker(out) or {})["scoreboards"]]
    except (KeyError, TypeError):
        return []


def read_left_out(out: Path) -> dict[str, str]:
    """The damaged runs that the report in `out` leaves out: the names of their folders, and what is wrong."""
    left_out = (_marker(out) or {}).get("left_out")
    return left_out if isinstance(left_out, dict) else {}


def _digest(store: Path, keys: Collection[str] | None) -> str:
    """SHA-256 over this package, what was declared and decided, and the files of each run that a report reads."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    parts = (path for path in package.rglob("*") if path.suffix in (".py", ".toml", ".html", ".md", ".css", ".js"))
    patterns = ("preregistrations/*.json", "looks/*/*.json", "studies/*.json")
    declared = (path for pattern in patterns for path in sorted(store.glob(pattern)))
    for source in [*sorted(parts), *declared]:
        digest.update(f"{source.name}\0".encode() + source.read_bytes() + b"\0")
    for folder in run_folders(store, keys):
        with suppress(FileNotFoundError):  # removed meanwhile: what is built next is of other runs, and says so
            names = () if folder.is_symlink() else (path.name for path in _files(folder))
            for name in sorted(name for name in names if name.endswith((".json", ".parquet")) or name == "error.txt"):
                digest.update(f"{folder.name}/{name} {file_seal(folder / name)}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    """The files in a folder and below it, links left out."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def _marker(folder: Path) -> dict[str, Any] | None:
    """The folder's marker if a report is there, else None."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return marker if isinstance(marker, dict) and marker.get("made_by") == MADE_BY else None


def refuse_foreign(target: Path) -> None:
    """Raise ReportError if `target` is, or is in, something that `build` would not replace."""
    with settled(target):
        _refuse_foreign(target)


def _refuse_foreign(target: Path) -> None:
    if blocker := next((path for path in (target, *target.parents) if path.exists() and not path.is_dir()), None):
        raise ReportError(f"{blocker} is a file: choose another output folder")
    if target.exists() and any(target.iterdir()) and _marker(target) is None:
        raise ReportError(
            f"{target} exists and is not a report (it has no {MARKER} of this package): choose another output folder"
        )
