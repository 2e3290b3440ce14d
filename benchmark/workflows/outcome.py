"""What became of a grid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import reports
from benchmark.base.words import counted


@dataclass(frozen=True)
class Outcome:
    """What became of a grid.

    Attributes:
        store: the folder of the run store; ``reports.load(outcome.store, outcome.keys)`` has its numbers.
        keys: the runs that were asked for, refits included, whether they are there or not.
        made, failed: how many runs this call finished, and how many of them failed.
        interrupted: a signal stopped the grid; the same call goes on from there.
        left_out: names of the store's folders that hold a damaged run, which this call was not asked to make.
        report: the report's page, after an interruption of the runs that are there; None where there is none.
    """

    store: Path
    keys: Sequence[str]
    made: int = 0
    failed: int = 0
    interrupted: bool = False
    left_out: Sequence[str] = ()
    report: Path | None = None

    def _repr_html_(self) -> str:
        """What a notebook shows: what was made, the scores of every data set, and where the report is."""
        ended = " The grid was interrupted: the same call goes on." if self.interrupted else ""
        runs = f"{counted(self.made, 'run')} made, {self.failed} of them failed, {len(self.keys)} asked for.{ended}"
        if self.report is None:
            return f"<p>{runs}</p>"
        boards = "".join(board._repr_html_() for board in reports.read_scoreboards(self.report.parent))
        page = escape(str(self.report))
        return f'<p>{runs}</p>{boards}<p>Report: <a href="{self.report.resolve().as_uri()}">{page}</a></p>'

    def __add__(self, other: "Outcome") -> "Outcome":
        """Both together, in the order in which they were."""
        return replace(
            other,
            keys=[*dict.fromkeys([*self.keys, *other.keys])],
            made=self.made + other.made,
            failed=self.failed + other.failed,
            interrupted=self.interrupted or other.interrupted,
        )
