"""Main effects and interactions of two factors (fusion, aggregator), estimated over complete sub-grids only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from reports.statistics.paired import PairedComparison, from_differences
from reports.statistics.pairing import BySeed, align


@dataclass(frozen=True)
class Effect:
    """A contrast of cells, computed within each seed; None where a cell is missing, and `missing` names it.

    A main effect of levels `first` and `second` is the mean over the other factor of first - second. An interaction is
    the difference of two such differences: how much more the first row gains on the second in the first column.
    """

    name: str
    comparison: PairedComparison | None
    missing: tuple[tuple[str, str], ...]

    @property
    def sentence(self) -> str:
        """Why it cannot be estimated; empty where it can."""
        if self.comparison is not None:
            return ""
        cells = ", ".join(f"{row}+{column}" for row, column in self.missing)
        return f"{self.name}: not estimable: missing cells {cells}" if cells else f"{self.name}: no seed in all cells"


def factorial_effects(
    cells: Mapping[tuple[str, str], BySeed], rows: Sequence[str], columns: Sequence[str], *, sessions: int = 0
) -> tuple[Effect, ...]:
    """All pairwise main effects of rows and of columns, then all 2 × 2 interactions, over the sub-grid rows × columns.

    cells: (row, column) to values by seed. Only seeds that every cell of the sub-grid has are used, so that effects of
    one grid rest on the same runs. If a cell has no runs, nothing of this sub-grid is estimable: ask for a smaller one.
    sessions: as for `paired_comparison`.
    """
    grid = [(row, column) for row in rows for column in columns]
    missing = tuple(cell for cell in grid if not dict(cells.get(cell, {}).items()))
    names_and_weights = [
        *((f"{a} − {b}", _main(rows, a, b, axis=0, others=len(columns))) for a, b in combinations(rows, 2)),
        *((f"{a} − {b}", _main(columns, a, b, axis=1, others=len(rows))) for a, b in combinations(columns, 2)),
        *(
            (f"({a} − {b}) × ({c} − {d})", np.outer(_contrast(rows, a, b), _contrast(columns, c, d)))
            for a, b in combinations(rows, 2)
            for c, d in combinations(columns, 2)
        ),
    ]
    if missing:
        return tuple(Effect(name, None, missing) for name, _ in names_and_weights)
    aligned = align(*(cells[cell] for cell in grid))
    if not aligned.seeds:
        return tuple(Effect(name, None, ()) for name, _ in names_and_weights)
    return tuple(
        Effect(
            name,
            from_differences(aligned.seeds, weights.ravel() @ aligned.values, aligned.dropped, sessions=sessions),
            (),
        )
        for name, weights in names_and_weights
    )


def _contrast(levels: Sequence[str], first: str, second: str) -> np.ndarray:
    return np.array([float(level == first) - float(level == second) for level in levels])


def _main(levels: Sequence[str], first: str, second: str, axis: int, others: int) -> np.ndarray:
    average = np.full(others, 1 / others)
    contrast = _contrast(levels, first, second)
    return np.outer(contrast, average) if axis == 0 else np.outer(average, contrast)
