"""What is compared, declared in the store before a grid is run: reports tell plan from afterthought by it.

It decides no number of a run and is in no run's key. The file is described in docs/run-format.md.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmark.base.errors import UserError
from benchmark.base.files import read_object, write_json
from benchmark.base.fingerprints import json_fingerprint
from benchmark.base.names import split_list
from benchmark.experiment.spec import RunSpec

MARGIN = 0.5
"""δ, in points of weighted F1: what a difference has to exceed to matter."""
ALPHA = 0.05
LOOKS = (8, 12, 16, 20, 30)
"""The numbers of seeds after which a family is judged by default, where seeds are made until it is decided."""
SPENDING = ("obrien-fleming", "pocock")
REFERENCES = ("css", "css-released")
"""What the others are compared with by default: the first of these in the grid, else the grid's first method."""

Resolve = Callable[[str], Sequence[RunSpec]]
"""A method as it is written to one run of it on every data set."""


class Side(NamedTuple):
    """A method under a budget of a data set; of an imported one the budget says nothing."""

    dataset: str
    budget: str
    group: str
    label: str


Imports = Mapping[str, Sequence[Side]]
"""Imported methods on the grid's data sets, by name."""


def plan(
    methods: Sequence[str], contrasts: str | None, resolve: Resolve, imports: Imports = MappingProxyType({})
) -> list[dict[str, Any]]:
    """The comparisons of a grid, on each data set.

    Args:
        methods: of the grid, as written.
        contrasts: ``css:adam,css:concat+pgm``; None is the reference against each other method.
        imports: which contrasts may name too.

    Raises:
        UserError: a contrast that cannot be read, or of methods that are not in the grid.
    """
    grid: dict[str, dict[str, RunSpec]] = {}  # by data set, then by group: a method that is written twice is one
    for text in methods:
        for spec in resolve(text):
            grid.setdefault(spec.dataset, {}).setdefault(spec.group, spec)
    if contrasts is None:
        pairs = [
            (_side(_reference(list(by_group.values()))), _side(other))
            for by_group in grid.values()
            for other in by_group.values()
        ]
    else:
        pairs = [pair for text in split_list(contrasts) for pair in _read(text, resolve, grid, imports)]
        if not pairs:
            raise UserError(f"--contrasts names nothing: {contrasts!r}; leave it out for the default")
    budgets = {dataset: next(iter(by_group.values())).budget for dataset, by_group in grid.items()}
    return [
        {
            "dataset": a.dataset,
            "budget": next((s.budget for s in (a, b) if s.group in grid[s.dataset]), budgets[a.dataset]),
        }
        | {name: {"label": side.label, "group": side.group} for name, side in (("a", a), ("b", b))}
        for a, b in pairs
        if a.group != b.group
    ]


@dataclass(frozen=True)
class Preregistration:
    """What is going to be compared, to be declared before the runs.

    Attributes:
        comparisons: as :func:`plan` makes them.
        seeds: that the runs will have.
        margin: δ in points of weighted F1.
        insisted: the user wrote it; it is kept even where it comes too late to be a plan.
        looks: where seeds are made until it is decided, the numbers of seeds, in the order of ``seeds``, after which
            the comparisons are judged; None where all seeds are made and then judged.
        spending: how much of the error each look may spend, see :mod:`reports.statistics.sequential`.
        alpha: the error of the whole family, over all looks.
        continues: the name of a family with looks whose open comparisons get the error that it has not spent.
        rules: by data set, the rule that chooses the epoch, and the other rules under which runs of the same budget
            were there before it was declared; of data sets with the rule ``best`` and no such runs nothing is said.
    """

    comparisons: Sequence[dict[str, Any]]
    seeds: Sequence[int]
    margin: float
    insisted: bool = False
    looks: Sequence[int] | None = None
    spending: str = SPENDING[0]
    alpha: float = ALPHA
    continues: str = ""
    rules: Sequence[dict[str, Any]] = ()

    @property
    def content(self) -> dict[str, Any]:
        """What is declared; its hash is its name."""
        declared = {
            "format": 1 if self.looks is None else 2,
            "metric": "weighted_f1",
            "margin": check_margin(self.margin),
            "alpha": self.alpha,
            "seeds": sorted(self.seeds) if self.looks is None else list(self.seeds),
            "comparisons": list(self.comparisons),
        }
        if self.looks is not None:
            declared |= {"looks": list(self.looks), "spending": self.spending}
        if self.rules:
            declared |= {"rules": list(self.rules)}
        return declared | {"continues": self.continues} if self.continues else declared

    @property
    def name(self) -> str:
        """The name of its file, which follows from what it declares."""
        return _name(self.content)

    def path(self, root: Path) -> Path:
        """Its file in the store at ``root``."""
        return root / "preregistrations" / f"{self.name}.json"

    def declare(self, root: Path) -> Path | None:
        """Write it into the store at ``root``; None where the same one has been declared before, which stands.

        Raises:
            UserError: a margin that is not a positive number.
        """
        path = self.path(root)
        if path.exists():
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"declared": datetime.now(UTC).isoformat(timespec="seconds"), **self.content})
        return path


def read_declared(root: Path) -> dict[str, dict[str, Any]]:
    """What was declared in the store at ``root``, by name; raises UserError for a file that is damaged."""
    declared = {}
    for file in sorted((root / "preregistrations").glob("*.json")):
        try:
            content = read_object(file)
            if (name := _name(content)) != file.stem:
                raise ValueError(f"its name is the hash of its content, which is now {name}")
        except ValueError as error:
            raise UserError(
                f"{file} is damaged ({error}); put it back as it was written, or delete it, and its comparisons count "
                "as exploratory"
            ) from None
        declared[file.stem] = content
    return declared


def _name(content: Mapping[str, Any]) -> str:
    """The hash of all that is declared, but the time."""
    declared = {name: value for name, value in content.items() if name != "declared"}
    return json_fingerprint(declared)[:16]


def check_margin(margin: float) -> float:
    """The margin itself; raises UserError where it is no positive number."""
    if not (math.isfinite(margin) and margin > 0):
        raise UserError(f"--margin must be a positive number of F1 points, got {margin:g}; the default is {MARGIN:g}")
    return margin


def _reference(specs: Sequence[RunSpec]) -> RunSpec:
    by_label = {spec.method.label: spec for spec in specs}
    return next((by_label[label] for label in REFERENCES if label in by_label), specs[0])


def _read(
    text: str, resolve: Resolve, grid: dict[str, dict[str, RunSpec]], imports: Imports
) -> list[tuple[Side, Side]]:
    names = [side.strip() for side in text.split(":")]
    if len(names) != 2 or not all(names):
        raise UserError(f"cannot read contrast {text!r}; write A:B, for example css:adam")
    by_dataset = [
        {side.dataset: side for side in (imports[name] if name in imports else map(_side, resolve(name)))}
        for name in names
    ]
    for name, sides in zip(names, by_dataset, strict=True):
        for dataset, side in sides.items():
            if name not in imports and side.group not in grid[dataset]:
                known = ", ".join(s.method.label for s in grid[dataset].values())
                raise UserError(f"--contrasts names {name!r}, which is not in the grid ({known}); add it to --methods")
    shared = [dataset for dataset in grid if all(dataset in sides for sides in by_dataset)]
    if any(by_dataset[0][dataset].group == by_dataset[1][dataset].group for dataset in shared):
        raise UserError(f"--contrasts compares {names[0]!r} with itself ({names[1]!r})")
    return [(by_dataset[0][dataset], by_dataset[1][dataset]) for dataset in shared]


def _side(spec: RunSpec) -> Side:
    return Side(spec.dataset, spec.budget, spec.group, spec.method.label)
