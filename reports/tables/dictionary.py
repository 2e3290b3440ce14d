"""The dictionary of a report's CSV files: what every column means."""

import csv
from pathlib import Path

from reports.columns import meaning
from reports.text import markdown_cell

HEAD = """# The columns of the CSV files

Scores, shares, gaps and differences are in per cent (points) in every file, losses in nats, times in seconds;
p values, power and weights of objectives are from 0 to 1. An empty cell is a number that there is not. A text that a
spreadsheet would run as a formula begins with an apostrophe. `reports.load` has the same numbers as data frames.
"""


def write_dictionary(folder: Path) -> None:
    """Write `README.md` beside the CSV files of a folder, with every column that they have."""
    parts = [HEAD]
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file), [])
        rows = [f"| `{markdown_cell(name)}` | {markdown_cell(meaning(path.stem, name))} |" for name in header]
        parts.append("\n".join([f"## {path.name}", "", "| column | meaning |", "| --- | --- |", *rows, ""]))
    (folder / "README.md").write_text("\n".join(parts), encoding="utf-8")
