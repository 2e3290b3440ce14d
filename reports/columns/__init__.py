"""What every column of the data frames of `reports.load`, and of the CSV files of a report, means, and its unit.

Scores, shares, gaps and differences are in per cent (points) in all of them.
"""

from collections.abc import Mapping
from typing import Final

from reports.columns import differences, runs, summaries, tuning

_BOTH = {
    "accuracy": summaries.ACCURACY,
    "stability": summaries.STABILITY,
    "conflict": summaries.CONFLICT,
    "comparisons": differences.COMPARISONS,
    "runs": runs.RUNS,
    "looks": differences.LOOKS,
    "claims": differences.CLAIMS,
}
COLUMNS: Final[Mapping[str, Mapping[str, str]]] = _BOTH | {
    "per_class": runs.CLASSES_OF_RUNS,
    "history": runs.HISTORY,
    "probes": runs.PROBES,
}
"""A sentence for every column of every frame."""
TABLES: Final[Mapping[str, Mapping[str, str]]] = _BOTH | {
    "conflict-blocks": summaries.CONFLICT_BLOCKS,
    "directions": summaries.DIRECTIONS,
    "cost": summaries.COST,
    "calibration": summaries.CALIBRATION,
    "leaderboard": differences.LEADERBOARD,
    "selection": differences.SELECTION,
    "selection-rules": differences.SELECTION_RULES,
    "robustness": differences.ROBUSTNESS,
    "ablation": differences.ABLATION,
    "factorial": differences.FACTORIAL,
    "instrument": differences.INSTRUMENT,
    "per_class": runs.PER_CLASS,
    "methods": runs.METHODS,
    "tuning": tuning.TUNING,
    "tuning_budget": tuning.TUNING_BUDGET,
}
"""A sentence for every column of every table's CSV file; a name that ends in `*` stands for all that begin like it."""


def meaning(table: str, column: str) -> str:
    """What a column of a table's CSV file means. Raises KeyError for one that there is not."""
    sentences = TABLES[table]
    for name, sentence in sentences.items():
        if name == column or (name.endswith("*") and column.startswith(name[:-1])):
            return sentence
    raise KeyError(f"{table}.csv has a column {column} without a meaning")
