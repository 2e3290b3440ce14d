"""What was declared before the runs: the comparisons, their seeds and their margin (docs/run-format.md)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reports.errors import ReportError
from reports.reading.documents import document
from reports.reading.runs import FORMAT

METRIC = "weighted_f1"
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
    """A test family, declared: comparisons under one joint test. margin: δ in points of weighted F1."""

    declared: datetime
    margin: float
    alpha: float
    seeds: frozenset[int]
    pairs: tuple[Pair, ...]

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
    declared = [(_read(path), path.name) for path in (store / "preregistrations").glob("*.json")]
    return tuple(content for content, _ in sorted(declared, key=lambda f: (f[0].declared, f[1])))


def _read(path: Path) -> Preregistration:
    content = document(path, _FIELDS | {"comparisons": list})
    if (content["format"], content["metric"]) != (FORMAT, METRIC):
        raise ReportError(
            f"{path} has format {content['format']} and metric {content['metric']!r}, this version reads {FORMAT} and "
            f"{METRIC!r}: use the css-bench version that wrote it, or delete the file"
        )
    try:
        declared = datetime.fromisoformat(content["declared"])
        pairs = tuple(
            Pair(c["dataset"], c["budget"], *((c[side]["group"], c[side]["label"]) for side in "ab"))
            for c in content["comparisons"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ReportError(
            f"cannot use {path}: {error!r}; delete it, and its comparisons count as exploratory"
        ) from error
    return Preregistration(
        declared if declared.tzinfo else declared.replace(tzinfo=UTC),
        content["margin"],
        content["alpha"],
        frozenset(content["seeds"]),
        pairs,
    )
