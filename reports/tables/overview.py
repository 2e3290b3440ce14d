"""The tables: for each a function Evidence -> frame (a row a method) and how its columns are shown.

To add a table, write the function and add a `Table` to `TABLES`; its files and its place on the pages follow.
"""

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.measures.runs import SCORES
from reports.statistics import variance_over_runs
from reports.tables.conflict import BLOCKS, CONFLICT, DIRECTIONS_TABLE
from reports.tables.model import Block, Column, Table, summary, summary_frame

WHERE = ("selected", "refit", "last", "peak_test")
CEILINGS = (
    *("weighted_f1", "weighted_f1_se", "accuracy", "accuracy_se"),
    *("test_weighted_f1", "test_accuracy"),
)


def accuracy(evidence: Evidence) -> pd.DataFrame:
    """Test scores (fractions) at the selected epoch, of the refit, at the last and best epoch, imported; ceiling."""
    names = [f"{where}_{score}" for where in (*WHERE, "imported") for score in SCORES]
    known = evidence.comparison.runs[0].ceiling or {}
    ceiling = {f"ceiling_{name}": float(known.get(name, "nan")) for name in CEILINGS}
    return summary_frame(evidence, [*names, "gap"], lambda method: ceiling)


def stability(evidence: Evidence) -> pd.DataFrame:
    """Spread of the final score and of the losses over seeds, and how calmly single runs train."""

    def spread(method: str) -> dict[str, float]:
        final = summary(evidence, method, "selected_weighted_f1")
        history = evidence.history[evidence.history["method"] == method]
        curves = {
            loss: history.pivot(index="seed", columns="epoch", values=loss).to_numpy(dtype=float)
            for loss in ("train_loss_fused", "train_total")
        }
        return {
            "final_sd": final.sd,
            "final_variance": final.variance,
            "final_range": final.range,
            "loss_variance_fused": variance_over_runs(curves["train_loss_fused"]),
            "loss_variance_total": variance_over_runs(curves["train_total"]),
            "diverged_count": float(evidence.values(method, "diverged").sum(min_count=1)),
        }

    names = ["volatility_fused", "volatility_total", "spikes", "late_validation_f1_sd", "gradient_norm_q99"]
    return summary_frame(evidence, names, spread)


def cost(evidence: Evidence) -> pd.DataFrame:
    """Time (s), backward passes, parameters and peak memory (MiB) of a run."""
    return summary_frame(evidence, [column.measure for column in _COST if column.form != "value"])


def _scores(where: str, group: str) -> tuple[Column, ...]:
    result = where in ("selected", "refit", "imported")
    interval = (Column(f"{where}_weighted_f1", "95 % CI", "interval", 100.0, 1, group),) if result else ()
    f1, acc, macro = (
        Column(f"{where}_{score}", header, scale=100.0, digits=1, group=group)
        for score, header in zip(SCORES, ("weighted F1", "accuracy", "macro F1"), strict=True)
    )
    return (f1, *interval, acc, macro) if result else (f1, acc)


_STABILITY = (
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
_COST = (
    Column("train_seconds", "training", digits=1, group="time, s"),
    Column("seconds_per_epoch", "per epoch", digits=2, group="time, s"),
    Column("backward_passes", "training", "mean", digits=0, group="backward passes"),
    Column("probe_backward_passes", "probe", "mean", digits=0, group="backward passes"),
    Column("parameters_total", "total", "mean", digits=0, group="parameters"),
    Column("parameters_encoder", "encoder", "mean", digits=0, group="parameters"),
    Column("parameters_fusion", "fusion", "mean", digits=0, group="parameters"),
    Column("peak_memory_mib", "peak memory, MiB", digits=0),
)

TABLES = (
    Table(
        "accuracy",
        "Accuracy",
        "Test scores in %, mean ± sd over seeds. Selected: at the epoch with the best validation weighted F1, the "
        "result. Refit: trained anew on training and validation data for as many epochs as the method's seeds selected "
        "on average, at the last epoch; only this may stand beside published numbers. Imported: another code base's "
        "predictions, scored here; the rest of such a run is not available. Peak test: at the epoch with the "
        "best test score, never a result. Gap: peak test minus selected. Ceiling, of simulated data: what the best "
        "rule that knows how they are made reaches on this test set.",
        accuracy,
        (
            Block(
                "",
                (
                    *_scores("selected", "selected (the result)"),
                    *_scores("refit", "refit (beside published numbers)"),
                    *_scores("imported", "imported (choice of epoch: see the method)"),
                    *_scores("last", "last epoch"),
                    *_scores("peak_test", "peak test (never a result)"),
                    Column("gap", "gap", scale=100.0, digits=1, group="peak test (never a result)"),
                    Column("ceiling_test_weighted_f1", "weighted F1", "value", 100.0, 1, "ceiling"),
                    Column("ceiling_test_accuracy", "accuracy", "value", 100.0, 1, "ceiling"),
                ),
            ),
        ),
    ),
    Table(
        "stability",
        "Training stability",
        "Unweighted losses in nats. Loss variance: over seeds at each epoch, averaged over epochs. Volatility: sd over "
        "the last quarter of the steps of log L minus its centred rolling median over two epochs. Spikes: steps after "
        "the first 10 % where that residual is above 6 × 1.4826 MAD. Late: last quarter of the epochs. F1 in points "
        "(variance in points²). Diverged: a loss not finite, validation loss above twice its first value for 3 epochs, "
        "or a selected F1 no better than always answering the most frequent class.",
        stability,
        (Block("", _STABILITY),),
    ),
    CONFLICT,
    BLOCKS,
    DIRECTIONS_TABLE,
    Table(
        "cost",
        "Cost",
        "Per run, mean ± sd over seeds. Times are wall time and depend on how many workers shared the machine; "
        "backward passes do not. Peak memory: the worker's resident memory on a CPU, allocated device memory on CUDA.",
        cost,
        (Block("", _COST),),
    ),
)
