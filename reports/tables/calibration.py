"""The table of calibration: whether a probability means what it says."""

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary_frame
from reports.measures.calibration import SCORES
from reports.tables.model import Table
from reports.tables.summaries import Block, Column, summary_table

NOTE = (
    "Of the probabilities on the test set at the selected epoch; lower is better in all. Negative log likelihood in "
    "nats; expected calibration error in %, mean |accuracy − confidence| over 15 bins of equal width (Guo et al., ICML "
    "2017); Brier score, the squared error summed over classes. Class weights in the loss, where a preset has them, "
    "move probabilities away from how often classes occur."
)
COLUMNS = (
    Column("nll", "negative log likelihood, nats", digits=3),
    Column("ece", "expected calibration error, %", scale=100.0, digits=1),
    Column("brier", "Brier score", digits=3),
)


def calibration(evidence: Evidence) -> Table:
    """Scores of the probabilities, mean ± sd over seeds."""
    return summary_table(
        evidence,
        summary_frame(evidence, SCORES),
        [Block("", COLUMNS)],
        name="calibration",
        title="Calibration",
        note=NOTE,
    )
