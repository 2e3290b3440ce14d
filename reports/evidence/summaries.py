"""The numbers of a data set summarised over seeds: a frame with a row a method, or a method and something else."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.statistics import Summary, summarize, variance_over_runs

PARTS = ("mean", "sd", "low", "high", "n")


def summary(evidence: Evidence, method: str, measure: str) -> Summary:
    """A measure over a method's runs; those that hold out the same session are a group."""
    values = evidence.values(method, measure)
    return summarize(values.to_numpy(dtype=float), evidence.groups(method, values.index))


def summary_frame(
    evidence: Evidence, names: Sequence[str], more: Callable[[str], dict[str, float]] = lambda method: {}
) -> pd.DataFrame:
    """A row a method: `<measure>_{mean,sd,low,high,n}` of every measure, then the plain columns of `more`."""
    rows: list[dict[str, Any]] = []
    for method in evidence.comparison.shown:
        row = _head(evidence, method.label) | {"protocol": method.runs[0].protocol, "n": len(method.runs)}
        for name in names:
            row |= _parts(name, summary(evidence, method.label, name))
        rows.append(row | more(method.label))
    return pd.DataFrame(rows)


def summary_frame_by(evidence: Evidence, runs: pd.DataFrame, key: str, names: Sequence[str]) -> pd.DataFrame:
    """A frame like `summary_frame`'s, but with a row a method and value of `key`; `runs` has a row a run and value."""
    rows: list[dict[str, Any]] = []
    groups = runs.groupby(["method", key], sort=False) if len(runs) else ()
    for (method, value), of_both in groups:
        row = _head(evidence, str(method)) | {key: value, "n": len(of_both)}
        sessions = evidence.groups(str(method), of_both["seed"])
        for name in names:
            row |= _parts(name, summarize(of_both[name].to_numpy(dtype=float), sessions))
        rows.append(row)
    head = ["dataset", "data", "protocol", "method", key, "n"]
    return pd.DataFrame(rows, columns=[*head, *(f"{name}_{part}" for name in names for part in PARTS)])


def spread_over_seeds(evidence: Evidence, method: str) -> dict[str, float]:
    """Spread of the selected weighted F1 and of the losses over a method's seeds, and how many of them diverged."""
    final = summary(evidence, method, "selected_weighted_f1")
    history = evidence.history_of(method)
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


def _head(evidence: Evidence, method: str) -> dict[str, Any]:
    return {
        "dataset": evidence.comparison.dataset,
        "data": evidence.comparison.data_origin.kind,
        "protocol": evidence.comparison.first.protocol,
        "method": method,
    }


def _parts(name: str, summarized: Summary) -> dict[str, float]:
    return {f"{name}_{part}": getattr(summarized, part) for part in PARTS}
