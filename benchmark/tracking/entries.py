"""What MLflow is told of a run: its params, tags, metrics, data set and confusion matrix, from the run's own files."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Set
from numbers import Real
from pathlib import Path
from typing import Any

Metric = tuple[str, float, int, int]
"""Name, value, milliseconds, step."""

_DIGEST = 36  # characters of a data set's digest that MLflow takes
_SECTIONS = {  # of result.json, as metrics
    "selected": "test/selected",
    "last": "test/last",
    "peak_test": "test/peak",
    "validation": "validation/selected",
    "imported": "test/imported",
}
_IDENTITY = ("key", "group", "budget")  # fields of a spec that name it rather than describe it: tags, not params


def numbers(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The finite numbers of nested mappings: {"timings": {"train": 3}} gives ("timings/train", 3.0)."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from numbers(value, f"{prefix}{name}/")
        elif isinstance(value, Real) and math.isfinite(value):
            yield f"{prefix}{name}", float(value)


def params(spec: Mapping[str, Any]) -> dict[str, str]:
    """What describes the run: {"fusion": {"options": {"rank": 8}}} gives {"fusion.rank": "8"}."""
    return dict(_leaves({name: value for name, value in spec.items() if name not in ("format", *_IDENTITY)}))


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, prefix if name == "options" else f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)


def tags(spec: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, str]:
    """What names the run, and where its data and source come from."""
    named = {name: str(spec[name]) for name in _IDENTITY} | {"data_kind": manifest["data"]["kind"]}
    if git := manifest["git"]:  # the commit under the name that MLflow's pages show
        named |= {"mlflow.source.git.commit": git["commit"], "git_dirty": json.dumps(git["dirty"])}
    return named


def result(folder: Path, time: int) -> list[Metric]:
    """The numbers of the run's result.json."""
    sections = {_SECTIONS.get(name, name): value for name, value in _document(folder, "result").items()}
    return [(name, value, time, 0) for name, value in numbers(sections)]


def history(folder: Path, time: int, logged: Set[int]) -> Iterator[Metric]:
    """The epochs of a finished run that were not logged when they happened: before it was resumed, say."""
    import pyarrow.parquet as pq

    if not (folder / "history.parquet").exists():  # of an import nothing but predictions is known
        return
    for row in pq.read_table(folder / "history.parquet").to_pylist():
        epoch = row.pop("epoch")
        if epoch not in logged:
            yield from ((name, value, time, epoch) for name, value in numbers(row))


def dataset(spec: Mapping[str, Any], manifest: Mapping[str, Any]) -> Any:
    """The run's data set as MLflow knows data sets."""
    from mlflow.entities import Dataset, DatasetInput

    data = manifest["data"]
    source = json.dumps({name: data[name] for name in ("kind", "description", "fingerprint") if name in data})
    return DatasetInput(Dataset(spec["dataset"], data["fingerprint"][:_DIGEST], "css-bench", source))


def confusion(folder: Path) -> str:
    """The confusion matrix of the shown epoch as CSV: rows are labels, columns predicted classes, by their names."""
    counts = _shown(folder)["confusion"]
    names = _document(folder, "manifest")["data"].get("classes") or range(len(counts))
    lines = [["label", *names], *([name, *row] for name, row in zip(names, counts, strict=True))]
    return "".join(",".join(map(str, line)) + "\n" for line in lines)


def weighted_f1(folder: Path) -> float:
    """The test weighted F1 (a fraction) of the shown epoch."""
    return float(_shown(folder)["weighted_f1"])


def summary(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Metrics of a parent run from the weighted F1 of its finished runs, by method and key: means, and numbers of runs.

    A character that MLflow does not take in a metric's name becomes a dash.
    """
    metrics = {}
    for label, by_key in scores.items():
        name = re.sub(r"[^\w\-. /]+", "-", label).strip("- ")
        metrics[f"mean test weighted_f1/{name}"] = sum(by_key.values()) / len(by_key)
        metrics[f"finished runs/{name}"] = float(len(by_key))
    return metrics


def _shown(folder: Path) -> dict[str, Any]:
    """The scores of the selected epoch; where none was selected of the last, and of an import its own."""
    document = _document(folder, "result")
    shown: dict[str, Any] = document["selected"] or document["last"] or document["imported"]
    return shown


def _document(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return document
