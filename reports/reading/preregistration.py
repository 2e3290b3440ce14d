"""What was declared before the runs: the comparisons, their seeds and their margin (docs/run-format.md)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reports.errors import ReportError
from reports.reading.documents import document
from reports.reading.looks import RecordedLook, read_looks
from reports.reading.seals import digest
from reports.statistics.sequential import Design

METRIC = "weighted_f1"
FORMATS = (1, 2)
"""2: with looks, which earlier versions would take for a fixed number of seeds."""
_FIELDS = {"format": int, "declared": str, "metric": str, "margin": float, "alpha": float, "seeds": list}


@dataclass(frozen=True)
class Pair:
    """Two methods of one data set and budget, each as (group, label)."""

    dataset: str
    budget: str
    a: tuple[str, str]
    b: tuple[str, str]


@dataclass(frozen=True)
class Preregistration:
    """A test family, declared: comparisons under one joint test.

    name: of its file. margin: δ in points of weighted F1. order: the seeds, as declared. design: of a family that is
    judged at several looks, and looks: those that were taken; None and none where the number of seeds is fixed.
    continues: the name of the family whose open comparisons these are, under the error that it had not spent.
    changed_from: by data set, the other rules for the choice of the epoch under which there were runs before it.
    """

    name: str
    declared: datetime
    margin: float
    alpha: float
    order: tuple[int, ...]
    pairs: tuple[Pair, ...]
    design: Design | None = None
    looks: tuple[RecordedLook, ...] = ()
    continues: str = ""
    changed_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def seeds(self) -> frozenset[int]:
        """The declared seeds."""
        return frozenset(self.order)

    def covers(self, budgets: Iterable[str]) -> bool:
        """Whether it says what is compared under one of these budgets."""
        return not {pair.budget for pair in self.pairs}.isdisjoint(budgets)


def read_preregistrations(store: Path) -> tuple[Preregistration, ...]:
    """The preregistrations of a store, earliest first. Raises ReportError on a damaged file or another format."""
    if (store / "families").is_dir():
        raise ReportError(
            f"{store / 'families'} is where css-bench 0.1 declared comparisons: rename the folder to "
            f"{store / 'preregistrations'}, and they count as declared"
        )
    declared = [(read_preregistration(path), path.name) for path in (store / "preregistrations").glob("*.json")]
    return tuple(content for content, _ in sorted(declared, key=lambda f: (f[0].declared, f[1])))


def read_preregistration(path: Path) -> Preregistration:
    """The preregistration of a file, with its looks. Raises ReportError like `read_preregistrations`."""
    content = document(path, _FIELDS | {"comparisons": list}, _damaged)
    _check_version(content, path)
    name = digest({name: value for name, value in content.items() if name != "declared"})[:16]
    if name != path.stem:
        raise _damaged(path, f"its name is the hash of its content, which is now {name}")
    return preregistration_of(content, path)


def preregistration_of(content: Mapping[str, Any], path: Path) -> Preregistration:
    """The preregistration that a file with this content, at this place, would be. Raises ReportError like a file."""
    _check_version(content, path)
    try:
        declared = datetime.fromisoformat(content.get("declared", datetime.now(UTC).isoformat()))
        pairs = tuple(
            Pair(c["dataset"], c["budget"], *((c[side]["group"], c[side]["label"]) for side in "ab"))
            for c in content["comparisons"]
        )
        changed_from = {rule["dataset"]: tuple(rule["changed_from"]) for rule in content.get("rules", ())}
        looks = content.get("looks")
        design = None
        if looks is not None:
            design = Design(tuple(looks), content["alpha"], content["spending"], content["margin"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, repr(error)) from error
    return Preregistration(
        name=path.stem,
        declared=declared if declared.tzinfo else declared.replace(tzinfo=UTC),
        margin=content["margin"],
        alpha=content["alpha"],
        order=tuple(content["seeds"]),
        pairs=pairs,
        design=design,
        looks=() if design is None else read_looks(path, design, len(pairs)),
        continues=str(content.get("continues", "")),
        changed_from=changed_from,
    )


def _check_version(content: Mapping[str, Any], path: Path) -> None:
    if content["format"] not in FORMATS or content["metric"] != METRIC:
        raise ReportError(
            f"{path} has format {content['format']} and metric {content['metric']!r}, this version reads "
            f"{' and '.join(map(str, FORMATS))} and {METRIC!r}: use the css-bench version that wrote it, or delete "
            "the file"
        )


def _damaged(path: Path, cause: str) -> ReportError:
    return ReportError(
        f"cannot use {path}: {cause}; put it back as it was written, or delete it, and its comparisons count as "
        "exploratory"
    )
