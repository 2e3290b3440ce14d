"""The tables: for each a function Evidence -> frame (a row a method) and how its columns are shown.

To add a table, write the function and add a `Table` to `TABLES`; its files and its place on the pages follow.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from reports.evidence import Evidence
from reports.measures import SCORES, WEIGHTS
from reports.records import OBJECTIVES, PAIRS
from reports.statistics import Summary, summarize, variance_over_runs

CEILINGS = (
    *("weighted_f1", "weighted_f1_se", "accuracy", "accuracy_se"),
    *("test_weighted_f1", "test_accuracy"),
)


@dataclass(frozen=True)
class Column:
    """How one measure is shown: `mean ± sd`, `mean`, `interval` (95 % CI of the mean), or a plain `value` of a row."""

    measure: str
    header: str
    form: Literal["mean ± sd", "interval", "mean", "value"] = "mean ± sd"
    scale: float = 1.0
    digits: int = 2
    group: str = ""


@dataclass(frozen=True)
class Block:
    """Columns that are shown side by side."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Table:
    """A table: its file name, its title, how to read it, how its frame is made and which blocks of it are shown."""

    name: str
    title: str
    note: str
    frame: Callable[[Evidence], pd.DataFrame]
    blocks: tuple[Block, ...]


def accuracy(evidence: Evidence) -> pd.DataFrame:
    """Test scores (fractions) at the selected epoch, of the refit, at the last and best epoch; the ceiling."""
    names = [f"{where}_{score}" for where in ("selected", "refit", "last", "peak_test") for score in SCORES]
    known = evidence.comparison.runs[0].ceiling or {}
    ceiling = {f"ceiling_{name}": float(known.get(name, "nan")) for name in CEILINGS}
    return _summary_frame(evidence, [*names, "gap"], lambda method: ceiling)


def stability(evidence: Evidence) -> pd.DataFrame:
    """Spread of the final score and of the losses over seeds, and how calmly single runs train."""

    def spread(method: str) -> dict[str, float]:
        final = _summary(evidence, method, "selected_weighted_f1")
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
            "diverged_count": float(evidence.values(method, "diverged").sum()),
        }

    names = ["volatility_fused", "volatility_total", "spikes", "late_validation_f1_sd", "gradient_norm_q99"]
    return _summary_frame(evidence, names, spread)


def conflict(evidence: Evidence) -> pd.DataFrame:
    """Cosines between the objectives' gradients per pair and series, weights, and update conflict."""
    cosines = [
        f"{series}_{what}_{pair}"
        for series in ("probe", "batch")
        for pair in PAIRS
        for what in ("cos", "negative", "below_tenth")
    ]
    weights = [f"{series}_{name}" for series in ("pgm", "applied") for name in (*WEIGHTS, "distance")]
    return _summary_frame(evidence, [*cosines, *weights, *_UNUSABLE, "update_worst_cos", "update_negative"])


def cost(evidence: Evidence) -> pd.DataFrame:
    """Time (s), backward passes, parameters and peak memory (MiB) of a run."""
    return _summary_frame(evidence, [column.measure for column in _COST if column.form != "value"])


def _summary(evidence: Evidence, method: str, measure: str) -> Summary:
    return summarize(evidence.values(method, measure).to_numpy(dtype=float))


def _summary_frame(
    evidence: Evidence, names: Sequence[str], more: Callable[[str], dict[str, float]] = lambda method: {}
) -> pd.DataFrame:
    """A row a method: `<measure>_{mean,sd,low,high,n}` of every measure, then the plain columns of `more`."""
    rows: list[dict[str, Any]] = []
    for method in evidence.comparison.methods:
        row: dict[str, Any] = {
            "dataset": evidence.comparison.dataset,
            "data": evidence.comparison.provenance.kind,
            "protocol": evidence.comparison.runs[0].protocol,
            "method": method.label,
            "n": len(method.runs),
        }
        for name in names:
            summary = _summary(evidence, method.label, name)
            row |= {f"{name}_{part}": getattr(summary, part) for part in ("mean", "sd", "low", "high", "n")}
        rows.append(row | more(method.label))
    return pd.DataFrame(rows)


def finite_columns(block: Block, frame: pd.DataFrame) -> Block:
    """The block without column groups that no method has a value for."""

    def known(columns: Iterable[Column]) -> bool:
        names = [c.measure if c.form == "value" else f"{c.measure}_mean" for c in columns]
        return bool(np.isfinite(frame[names].to_numpy(dtype=float)).any())

    groups = {c.group for c in block.columns}
    kept = {group for group in groups if known(c for c in block.columns if c.group == group)}
    return Block(block.title, tuple(c for c in block.columns if c.group in kept))


def _scores(where: str, group: str) -> tuple[Column, ...]:
    result = where in ("selected", "refit")
    interval = (Column(f"{where}_weighted_f1", "95 % CI", "interval", 100.0, 1, group),) if result else ()
    f1, acc, macro = (
        Column(f"{where}_{score}", header, scale=100.0, digits=1, group=group)
        for score, header in zip(SCORES, ("weighted F1", "accuracy", "macro F1"), strict=True)
    )
    return (f1, *interval, acc, macro) if result else (f1, acc)


def _cosines(series: str) -> tuple[Column, ...]:
    def of_pair(pair: str) -> tuple[Column, ...]:
        group = pair.replace("_", "–")
        return (
            Column(f"{series}_cos_{pair}", "mean\u00a0cos", "mean", group=group),
            Column(f"{series}_cos_{pair}", "95 % CI", "interval", group=group),
            Column(f"{series}_negative_{pair}", "<\u00a00,\u00a0%", "mean", 100.0, 1, group),
            Column(f"{series}_below_tenth_{pair}", "<\u00a0−0.1,\u00a0%", "mean", 100.0, 1, group),
        )

    return tuple(column for pair in PAIRS for column in of_pair(pair))


def _weights(series: str, group: str) -> tuple[Column, ...]:
    named = tuple(Column(f"{series}_weight_{name}", name, "mean", digits=3, group=group) for name in OBJECTIVES)
    return (*named, Column(f"{series}_distance", "from uniform", digits=3, group=group))


_UNUSABLE = ("masked_objectives", "skipped_steps")
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
        "on average, at the last epoch; only this may stand beside published numbers. Peak test: at the epoch with the "
        "best test score, never a result. Gap: peak test minus selected. Ceiling, of simulated data: what the best "
        "rule that knows how they are made reaches on this test set.",
        accuracy,
        (
            Block(
                "",
                (
                    *_scores("selected", "selected (the result)"),
                    *_scores("refit", "refit (beside published numbers)"),
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
    Table(
        "conflict",
        "Gradient conflict",
        "Cosines between the gradients of two objectives over the shared parameters: a mean and shares per run first, "
        "then mean and 95 % CI over runs. Probe: evaluation mode, fixed conversations, the same for all methods and "
        "seeds. Weights: mean γ over probes or steps; from uniform: mean ‖γ − ⅓‖. Unusable: "
        "objectives that PGM gave weight 0 for a vanishing or non-finite gradient, and steps without any other, counts "
        "a run. Update: the method's own combined gradient; worst: its smallest cosine with an objective's gradient. A "
        "dash: no such gradient is computed.",
        conflict,
        (
            Block("Probe", _cosines("probe")),
            Block("Training batches", _cosines("batch")),
            Block(
                "Weights and update",
                (
                    *_weights("applied", "weights applied in training"),
                    *_weights("pgm", "weights PGM would give on the probe"),
                    Column("masked_objectives", "masked objectives", "mean", digits=1, group="unusable gradients"),
                    Column("skipped_steps", "skipped steps", "mean", digits=1, group="unusable gradients"),
                    Column("update_worst_cos", "worst cos", "mean", group="update"),
                    Column("update_worst_cos", "95 % CI", "interval", group="update"),
                    Column("update_negative", "<\u00a00,\u00a0%", "mean", 100.0, 1, "update"),
                ),
            ),
        ),
    ),
    Table(
        "cost",
        "Cost",
        "Per run, mean ± sd over seeds. Times are wall time and depend on how many workers shared the machine; "
        "backward passes do not. Peak memory: the worker's resident memory on a CPU, allocated device memory on CUDA.",
        cost,
        (Block("", _COST),),
    ),
)
