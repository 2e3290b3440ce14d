import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.tracking.report import log_report
from benchmark.tracking.tracker import Tracker
from benchmark.tracking.uris import default_uri

ROWS = [
    "dataset,a,b,verdict,difference,low,high",
    "meld,css,adam [tuned],supported,1.5,0.5,2.5",
    "meld,css,a|b,too few seeds,,,",
    "iemocap,css,adam,shown equal,0.1,-0.2,0.4",
]
MakeRun = Callable[[str, str, float], Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a finished run's files: its key, label and test weighted F1."""

    def make(key: str, label: str, score: float) -> Path:
        folder = tmp_path / "runs" / key
        folder.mkdir(parents=True)
        names = {"key": key, "group": "g", "budget": "b", "dataset": "meld", "label": label, "seed": 0, "preset": "p"}
        scores = {"weighted_f1": score, "confusion": [[1]]}
        data = {"kind": "simulated", "fingerprint": "f" * 64, "classes": ["calm"]}
        manifest = {"git": None, "data": data, "created": "2026-01-01T00:00:00+00:00"}
        for name, content in (("spec", names), ("manifest", manifest), ("result", {"selected": scores})):
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        return folder

    return make


def write_report(folder: Path, rows: list[str]) -> None:
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "comparisons.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "index.html").write_text("<p>the report</p>", encoding="utf-8")


def logged(uri: str, runs: list[Path]) -> None:
    with Tracker(uri, pytest.fail) as tracker:
        tracker.begin("grid", {}, "token")
        for folder in runs:
            tracker.run_kept(folder)
        tracker.close(120)


def parents(uri: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("css-bench/meld")
    return [run for run in client.search_runs([experiment.experiment_id]) if "invocation" in run.data.tags]


def test_the_parent_run_has_the_report_its_means_and_its_verdicts(tmp_path: Path, make_run: MakeRun) -> None:
    from mlflow import MlflowClient

    uri, report = default_uri(tmp_path), tmp_path / "report"
    earlier, now = make_run("earlier", "css", 0.3), make_run("now", "css", 0.5)
    write_report(report, ROWS)
    logged(uri, [now])
    assert parents(uri)[0].data.metrics["mean/test weighted_f1/css"] == 0.5
    log_report(uri, "another", report, [now])
    assert not any("difference" in name for name in parents(uri)[0].data.metrics)
    log_report(uri, "token", report, [earlier, now])
    (parent,) = parents(uri)
    assert parent.data.metrics == {
        "mean/test weighted_f1/css": 0.4,  # of all that the report is about
        "runs/finished/css": 2,
        "difference/css - adam -tuned": 1.5,
    }
    tags = {name: value for name, value in parent.data.tags.items() if name.startswith("verdict/")}
    assert tags == {"verdict/css - adam -tuned": "supported", "verdict/css - a-b": "too few seeds"}
    note = parent.data.tags["mlflow.note.content"].splitlines()
    assert "| css | 2 | 40.00 |" in note
    assert note[-2:] == [
        "| css − adam [tuned] | +1.50 | [+0.50, +2.50] | supported |",
        r"| css − a\|b |  |  | too few seeds |",
    ]
    copy = MlflowClient(uri).download_artifacts(parent.info.run_id, "report/index.html")
    assert Path(copy).read_text(encoding="utf-8") == "<p>the report</p>"
    log_report(uri, "token", report, [earlier, now])
    history = MlflowClient(uri).get_metric_history(parent.info.run_id, "difference/css - adam -tuned")
    assert len(history) == 1  # a second point would be drawn as a curve


def test_of_many_comparisons_the_description_has_as_many_whole_lines_as_mlflow_takes(
    tmp_path: Path, make_run: MakeRun
) -> None:
    uri, report = default_uri(tmp_path), tmp_path / "report"
    rows = [f"meld,css,method number {number},supported,1.5,0.5,2.5" for number in range(120)]
    write_report(report, [*ROWS[:1], *rows])
    run = make_run("now", "css", 0.5)
    logged(uri, [run])
    log_report(uri, "token", report, [run])
    (parent,) = parents(uri)
    note = parent.data.tags["mlflow.note.content"]
    assert 4900 < len(note) <= 5000
    assert note.endswith("| supported |")
    assert len([name for name in parent.data.tags if name.startswith("verdict/")]) == 120
