"""A report in MLflow: its files, the means and the verdicts, in the parent run that an invocation has on a data set."""

import csv
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.tracking import entries, view

_NOTE = 5000  # characters of a description that MLflow takes
_NOTE_TAG = "mlflow.note.content"  # which its page of a run shows as the description, in Markdown


def log_report(uri: str, invocation: str, report: Path, folders: Sequence[Path]) -> None:
    """Log the folder ``report`` about the complete runs in ``folders``.

    Of an invocation that made some of the runs it covers, the parent runs then have the means over all of them. Raises
    whatever MLflow raises.
    """
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client, now = MlflowClient(uri), time.time_ns() // 1_000_000
    for dataset, scores in _scores(folders).items():
        experiment = client.get_experiment_by_name(f"{view.PREFIX}{dataset}")
        if experiment is None:
            continue
        verdicts = _verdicts(report, dataset)
        differences = {f"difference/{_name(row)}": float(row["difference"]) for row in verdicts if row["difference"]}
        for parent in client.search_runs([experiment.experiment_id], f"tags.invocation = '{invocation}'"):
            run = parent.info.run_id
            metrics = (entries.summary(scores) | differences).items()
            new = [Metric(name, value, now, 0) for name, value in metrics if parent.data.metrics.get(name) != value]
            client.log_batch(run, new)
            for row in verdicts:
                client.set_tag(run, f"verdict/{_name(row)}", row["verdict"])
            client.set_tag(run, _NOTE_TAG, _note(scores, verdicts))
            client.log_artifacts(run, str(report), "report")


def _scores(folders: Sequence[Path]) -> dict[str, dict[str, dict[str, float]]]:
    """The weighted F1 of the runs, by data set, method and key."""
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for folder in folders:
        spec: dict[str, Any] = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
        by_key = scores.setdefault(spec["dataset"], {}).setdefault(entries.method(spec), {})
        by_key[spec["key"]] = entries.weighted_f1(folder)
    return scores


def _verdicts(report: Path, dataset: str) -> list[dict[str, str]]:
    """The rows of the report's table of comparisons on this data set; none where nothing is compared."""
    file = report / "tables" / "comparisons.csv"
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as table:
        return [row for row in csv.DictReader(table) if row["dataset"] == dataset]


def _name(row: Mapping[str, str]) -> str:
    return f"{entries.allowed(row['a'])} - {entries.allowed(row['b'])}"


def _note(scores: Mapping[str, Mapping[str, float]], verdicts: Sequence[Mapping[str, str]]) -> str:
    """The means and verdicts in Markdown, as many as MLflow takes."""
    means = {label: sum(by_key.values()) / len(by_key) for label, by_key in scores.items()}
    lines = ["The whole report is `report/index.html` among the artifacts.", ""]
    lines += ["| method | runs | mean test weighted F1, % |", "|---|--:|--:|"]
    lines += [
        f"| {_cell(label)} | {len(scores[label])} | {100 * mean:.2f} |"
        for label, mean in sorted(means.items(), key=lambda item: -item[1])
    ]
    if verdicts:
        lines += ["", "| comparison | points | 95 % interval | verdict |", "|---|--:|--:|---|"]
    for row in verdicts:
        points, low, high = (f"{float(row[n]):+.2f}" if row[n] else "" for n in ("difference", "low", "high"))
        interval = f"[{low}, {high}]" if low and high else ""
        lines.append(f"| {_cell(row['a'])} − {_cell(row['b'])} | {points} | {interval} | {_cell(row['verdict'])} |")
    note = "\n".join(lines)
    return note if len(note) <= _NOTE else note[: note.rindex("\n", 0, _NOTE)]


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|")
