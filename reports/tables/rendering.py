"""Table frames -> text cells -> CSV, Markdown and LaTeX files."""

from itertools import groupby

import pandas as pd

from reports.tables.model import Block, Column, Table, finite_columns
from reports.text import LATEX, MISSING, UNAVAILABLE, number


def cell(column: Column, row: "pd.Series[float]") -> str:
    """One cell: `71.2 ± 0.4`, `[70.7, 71.7]`, or a number; a dash where there is none."""

    def part(name: str) -> str:
        return number(float(row[name]) * column.scale, column.digits, tiny=column.form == "value")

    if column.form == "value":
        return part(column.measure)
    mean, sd = part(f"{column.measure}_mean"), part(f"{column.measure}_sd")
    if column.form == "interval":
        low, high = part(f"{column.measure}_low"), part(f"{column.measure}_high")
        return MISSING if low == MISSING else f"[{low}, {high}]"
    return mean if column.form == "mean" or sd == MISSING else f"{mean} ± {sd}"


def rows(block: Block, frame: pd.DataFrame) -> list[list[str]]:
    """The block's rows as text: what names the row, number of seeds, then a cell a column."""

    def shown(column: Column, row: "pd.Series[float]") -> str:
        text = cell(column, row)
        return UNAVAILABLE if text == MISSING and str(row.get("protocol")) == "imported" else text

    return [
        [*(str(row[key]) for key in block.keys), str(row["n"]), *(shown(column, row) for column in block.columns)]
        for _, row in frame.iterrows()
    ]


def header_groups(block: Block) -> list[tuple[str, int]]:
    """Groups of neighbouring columns and how many columns each spans."""
    return [(group, len(list(columns))) for group, columns in groupby(block.columns, key=lambda c: c.group)]


def shown_blocks(table: Table, frame: pd.DataFrame) -> list[Block]:
    """The table's blocks with at least one known number."""
    blocks = [finite_columns(block, frame) for block in table.blocks]
    return [block for block in blocks if block.columns]


def markdown(block: Block, frame: pd.DataFrame) -> str:
    """The block as a Markdown table; column groups are written into the headers."""
    header = [*block.keys, "n", *(f"{c.group}: {c.header}" if c.group else c.header for c in block.columns)]
    rule = ["---", *("---:" for _ in header[1:])]
    lines = [header, rule, *rows(block, frame)]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines)


def latex(block: Block, frame: pd.DataFrame, caption: str) -> str:
    """The block as a LaTeX table (packages booktabs and graphicx), as wide as the text at most."""
    groups = [("", len(block.keys) + 1), *header_groups(block)]
    top = " & ".join(rf"\multicolumn{{{span}}}{{c}}{{{name.translate(LATEX)}}}" for name, span in groups)
    starts = [sum(span for _, span in groups[:i]) + 1 for i in range(len(groups))]
    rules = " ".join(
        rf"\cmidrule(lr){{{start}-{start + span - 1}}}"
        for start, (name, span) in zip(starts, groups, strict=True)
        if name
    )
    lines = [[*block.keys, "$n$", *(c.header.translate(LATEX) for c in block.columns)]]
    body = [[text.translate(LATEX) for text in line] for line in rows(block, frame)]
    text = [" & ".join(line) + r" \\" for line in [*lines, *body]]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption.translate(LATEX)}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{'l' * len(block.keys)}{'r' * (len(block.columns) + 1)}}}",
            r"\toprule",
            *([rf"{top} \\", rules] if any(name for name, _ in groups) else []),
            text[0],
            r"\midrule",
            *text[1:],
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
            "",
        ]
    )
