"""Tables that commands print."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def show(*tables: "Table") -> None:
    """Print tables as wide as the terminal; elsewhere as wide as they are, so that a row is a line."""
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=240)
    for table in tables:
        console.print(table)


def drawn(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of text, a row a line: rich takes seconds for the rows of ten thousand runs."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def rule(left: str, middle: str, right: str) -> str:
        return left + middle.join("─" * (width + 2) for width in widths) + right

    def line(cells: Sequence[str]) -> str:
        return "│ " + " │ ".join(map(str.ljust, cells, widths)) + " │"

    return "\n".join((rule("┌", "┬", "┐"), line(header), rule("├", "┼", "┤"), *map(line, rows), rule("└", "┴", "┘")))
