"""Finished runs -> statistics, tables, figures, one self-contained page; and their numbers as data frames.

Reads run folders by their documented format (docs/run-format.md) and imports nothing else of the project. Importing
this package is cheap: pandas, matplotlib and Jinja2 are loaded only when a report is built or its numbers are loaded.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.build import build, is_current, read_left_out, read_scoreboards, refuse_foreign
from reports.errors import NothingToJudgeError, ReportError

if TYPE_CHECKING:
    from reports.frames import Frames

__all__ = [
    "NothingToJudgeError",
    "ReportError",
    "build",
    "check_looks",
    "expected_seeds",
    "is_current",
    "load",
    "read_left_out",
    "read_scoreboards",
    "refuse_foreign",
    "take_look",
]


def load(store: Path | str, keys: Collection[str] | None = None) -> "Frames":
    """Read a store's runs, or those of `keys`, and return the numbers of their report as data frames.

    Scores, shares and differences are in per cent (points) in every frame, losses in nats. Of the frames, `accuracy`,
    `stability` and `conflict` have a row a method on a data set, `comparisons` a row a comparison, `looks` a row a
    comparison and look, `claims` a row a part of a claim, `per_class` a row a class of a run, `history` a row an epoch
    of a run and `probes` a row a gradient probe of a run. `load(store).describe("accuracy")` says what every column of
    a frame means. A frame that has no rows has its columns. Raises ReportError as `build` does.
    """
    from reports import frames

    return frames.load(store, keys)


def take_look(store: Path | str, name: str) -> dict[str, Any] | None:
    """The next look at the family that a preregistration of this name follows until it is decided.

    Returns what is to be written to `looks/NAME/SEEDS.json` before further runs begin (docs/run-format.md), or None
    where no look is left or every comparison is decided. The runs of the look's seeds have to be there: a comparison
    that lacks one is withdrawn. Raises NothingToJudgeError where all of them lack runs, and ReportError for damaged
    files.
    """
    from reports.inference import looks

    return looks.take_look(Path(store), name)


def expected_seeds(store: Path | str, declared: Mapping[str, Any]) -> dict[str, float] | None:
    """How many seeds every method's group would take in the mean, if each difference of a followed family were δ.

    declared: what its preregistration says (docs/run-format.md). None where the store has no runs to know spreads from.
    """
    from reports.inference import expectation

    return expectation.expected_seeds(Path(store), declared)


def check_looks(store: Path | str) -> dict[str, tuple[int, str]]:
    """Whether the looks of every family that is followed follow from the store's runs, by the family's name.

    Returns how many looks were taken, and in words where the first of them differs from what its runs say; empty where
    none does. Raises ReportError for damaged files, and where a run is missing that a look has judged.
    """
    from reports.inference import looks

    return looks.check_looks(Path(store))
