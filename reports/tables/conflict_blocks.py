"""The table of gradient conflict over each block of the shared parameters."""

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary_frame_by
from reports.measures.conflict import BLOCK_MEASURES
from reports.reading.runs import PAIRS
from reports.tables.conflict import pair_name
from reports.tables.model import Table
from reports.tables.summaries import Block, Column, summary_table

NOTE = (
    "As above, over one block of the shared parameters at a time; encoders differ in their blocks. Mean cosine with "
    "its sd over runs, and the share of probes or steps below 0. Quantiles, trend and lengths: in the CSV."
)


def conflict_blocks(evidence: Evidence) -> Table:
    """The same cosines as in the table of conflict, over each block."""
    columns = (*_brief("probe", "probe"), *_brief("batch", "training batches"))
    return summary_table(
        evidence,
        summary_frame_by(evidence, evidence.blocks, "block", BLOCK_MEASURES),
        [Block("", columns, ("method", "block"))],
        name="conflict-blocks",
        title="Gradient conflict by block of the shared parameters",
        note=NOTE,
    )


def _brief(series: str, prefix: str) -> tuple[Column, ...]:
    return tuple(
        column
        for pair in PAIRS
        for column in (
            Column(f"{series}_cos_{pair}", "mean\u00a0cos", group=f"{prefix}, {pair_name(pair)}"),
            Column(f"{series}_negative_{pair}", "<\u00a00,\u00a0%", "mean", 100.0, 1, f"{prefix}, {pair_name(pair)}"),
        )
    )
