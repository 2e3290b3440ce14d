"""The table of cost: time, gradient computations, size and memory of a run."""

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary_frame
from reports.tables.model import Table
from reports.tables.summaries import Block, Column, summary_table

NOTE = (
    "Per run, mean ± sd over seeds. Times are wall time and depend on how many workers shared the machine; "
    "backward passes do not. Peak memory: the worker's resident memory on a CPU, allocated device memory on CUDA."
)
COLUMNS = (
    Column("train_seconds", "training", digits=1, group="time, s"),
    Column("seconds_per_epoch", "per epoch", digits=2, group="time, s"),
    Column("backward_passes", "training", "mean", digits=0, group="backward passes"),
    Column("probe_backward_passes", "probe", "mean", digits=0, group="backward passes"),
    Column("parameters_total", "total", "mean", digits=0, group="parameters"),
    Column("parameters_encoder", "encoder", "mean", digits=0, group="parameters"),
    Column("parameters_fusion", "fusion", "mean", digits=0, group="parameters"),
    Column("peak_memory_mib", "peak memory, MiB", digits=0),
)


def cost(evidence: Evidence) -> Table:
    """Time in seconds, backward passes, parameters and peak memory in MiB of a run."""
    return summary_table(
        evidence,
        summary_frame(evidence, [column.measure for column in COLUMNS]),
        [Block("", COLUMNS)],
        name="cost",
        title="Cost",
        note=NOTE,
    )
