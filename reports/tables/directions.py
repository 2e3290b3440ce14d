"""The table of directions: the update that every aggregator would have made on one trajectory."""

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary_frame_by
from reports.tables.conflict import worst_cosine
from reports.tables.model import Table
from reports.tables.summaries import Block, Column, summary_table

NOTE = (
    "The update d = Σ γ g that each built-in aggregator, with its default options, would have made of the same "
    "gradients: those of the probes of the method named, which trains with equal weights. Worst: d's smallest "
    "cosine with an objective's gradient, mean over probes; below 0: share of probes where d raises an objective to "
    "first order. From uniform: mean ‖γ − ⅓‖."
)
MEASURES = ("worst_cos", "negative", "mean_cos", "distance")
COLUMNS = (
    *worst_cosine("", ""),
    Column("mean_cos", "cos with the mean gradient"),
    Column("distance", "from uniform", digits=3),
)


def directions(evidence: Evidence) -> Table:
    """Every aggregator's update on the common trajectory."""
    return summary_table(
        evidence,
        summary_frame_by(evidence, evidence.directions, "aggregator", MEASURES),
        [Block("", COLUMNS, ("method", "aggregator"))],
        name="directions",
        title="Every aggregator on one trajectory",
        note=NOTE,
    )
