"""The table of training stability: spread over seeds, and how steadily single runs train."""

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import spread_over_seeds, summary_frame
from reports.tables.model import Table
from reports.tables.summaries import Block, Column, summary_table

NOTE = (
    "Unweighted losses in nats. Loss variance: over seeds at each epoch, averaged over epochs. Volatility: sd over "
    "the last quarter of the steps of log L minus its centred rolling median over two epochs. Spikes: steps after "
    "the first 10 % where that residual is above 6 × 1.4826 MAD. Late: last quarter of the epochs. F1 in points "
    "(variance in points²). Diverged: a loss not finite, validation loss above twice its first value for 3 epochs, "
    "or a selected F1 no better than always answering the most frequent class."
)
COLUMNS = (
    Column("final_sd", "sd", "value", 100.0, 2, "selected weighted F1 over seeds"),
    Column("final_variance", "variance", "value", 100.0**2, 2, "selected weighted F1 over seeds"),
    Column("final_range", "range", "value", 100.0, 2, "selected weighted F1 over seeds"),
    Column("loss_variance_fused", "fused", "value", 1.0, 5, "loss variance over seeds"),
    Column("loss_variance_total", "total", "value", 1.0, 5, "loss variance over seeds"),
    Column("volatility_fused", "fused", digits=3, group="loss volatility"),
    Column("volatility_total", "total", digits=3, group="loss volatility"),
    Column("spikes", "spikes", digits=1),
    Column("late_validation_f1_sd", "late sd of validation F1", scale=100.0, digits=2),
    Column("gradient_norm_q99", "99 % gradient norm", digits=2),
    Column("diverged_count", "diverged runs", "value", digits=0),
)
MEASURES = ("volatility_fused", "volatility_total", "spikes", "late_validation_f1_sd", "gradient_norm_q99")


def stability(evidence: Evidence) -> Table:
    """Spread of the selected score and of the losses over seeds, and measures of single runs."""
    return summary_table(
        evidence,
        summary_frame(evidence, MEASURES, lambda method: spread_over_seeds(evidence, method)),
        [Block("", COLUMNS)],
        name="stability",
        title="Training stability",
        note=NOTE,
    )
