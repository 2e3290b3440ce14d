"""What MLflow is told of a run: its params, tags, metrics, data set and confusion matrix, from the run's own files.

MLflow's pages make a section of the charts whose names are alike up to the last slash, and sort sections and charts by
name. So curves come first, as ``curve/…``, then the scores, as ``test/…``, then what only tells how the training went,
as ``training/…``: its counts are mostly constants.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Set
from numbers import Real
from pathlib import Path
from typing import Any

from benchmark.tracking.view import REPLICATES

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
_CURVES = ("train", "validation")  # how columns of the history begin that are curves
_IDENTITY = ("key", "group", "budget")  # fields of a spec that name it rather than describe it: tags, not params


def numbers(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The finite numbers of nested mappings: {"timings": {"train": 3}} gives ("timings/train", 3.0)."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from numbers(value, f"{prefix}{name}/")
        elif isinstance(value, Real) and math.isfinite(value):
            yield f"{prefix}{name}", float(value)


def epoch(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The finite numbers of an epoch, a row of the history: "train_total" is the metric "curve/train/total"."""
    for name, value in numbers(row):
        part, _, rest = name.partition("_")
        yield f"curve/{part}/{rest}" if part in _CURVES else f"training/{name}", value


def method(spec: Mapping[str, Any]) -> str:
    """What people call the run's method: trained again on all data a refit, with a fold one of sessions in turn."""
    more = " refit" if spec.get("refit_of") else " by session" if spec.get("fold") else ""
    return f"{spec['label']}{more}"


def name(spec: Mapping[str, Any]) -> str:
    """What people call the run among those of its data set."""
    fold = spec.get("fold")
    return f"{method(spec)} seed {spec['seed']}" + (f" test {fold['test']}" if fold else "")


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
    named[REPLICATES] = f"{method(spec)}, {spec['preset']} ({spec['group'][:6]})"
    if git := manifest["git"]:  # the commit under the name that MLflow's pages show
        named |= {"mlflow.source.git.commit": git["commit"], "git_dirty": json.dumps(git["dirty"])}
    return named


def result(folder: Path, time: int) -> list[Metric]:
    """The numbers of the run's result.json."""
    sections = {_SECTIONS.get(name, f"training/{name}"): value for name, value in _document(folder, "result").items()}
    return [(name, value, time, 0) for name, value in numbers(sections)]


def history(folder: Path, time: int, logged: Set[int]) -> Iterator[Metric]:
    """The epochs of a finished run that were not logged when they happened: before it was resumed, say."""
    import pyarrow.parquet as pq

    if not (folder / "history.parquet").exists():  # of an import nothing but predictions is known
        return
    for row in pq.read_table(folder / "history.parquet").to_pylist():
        step = row.pop("epoch")
        if step not in logged:
            yield from ((name, value, time, step) for name, value in epoch(row))


def dataset(spec: Mapping[str, Any], manifest: Mapping[str, Any]) -> Any:
    """The run's data set as MLflow knows data sets."""
    from mlflow.entities import Dataset, DatasetInput

    data = manifest["data"]
    source = json.dumps({name: data[name] for name in ("kind", "description", "fingerprint") if name in data})
    return DatasetInput(Dataset(spec["dataset"], data["fingerprint"][:_DIGEST], "css-bench", source))


def confusion(folder: Path) -> tuple[list[list[int]], list[str]]:
    """The confusion matrix [C, C] of the shown epoch, rows labels and columns predicted classes, and their names."""
    counts = _shown(folder)["confusion"]
    names = _document(folder, "manifest")["data"].get("classes") or range(len(counts))
    return counts, [str(name) for name in names]


def weighted_f1(folder: Path) -> float:
    """The test weighted F1 (a fraction) of the shown epoch."""
    return float(_shown(folder)["weighted_f1"])


def summary(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Metrics of a parent run from the weighted F1 of finished runs, by method and key: means, and numbers of runs."""
    means = {
        f"mean/test weighted_f1/{allowed(label)}": sum(by_key.values()) / len(by_key)
        for label, by_key in scores.items()
    }
    return means | {f"runs/finished/{allowed(label)}": float(len(by_key)) for label, by_key in scores.items()}


def allowed(name: str) -> str:
    """The name with a dash for what MLflow does not take in the name of a metric or a tag."""
    return re.sub(r"[^\w\-. ]+", "-", name).strip("- ")


def _shown(folder: Path) -> dict[str, Any]:
    """The scores of the selected epoch; where none was selected of the last, and of an import its own."""
    document = _document(folder, "result")
    shown: dict[str, Any] = document["selected"] or document["last"] or document["imported"]
    return shown


def _document(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return document
