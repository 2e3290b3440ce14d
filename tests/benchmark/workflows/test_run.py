"""The Python front door: what ``cssbench run`` does, without a terminal."""

import csv
import inspect
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import benchmark
from benchmark.cli import run as command
from benchmark.execution.events import Epoch, Event, Finished, Started
from benchmark.execution.listener import Hear
from benchmark.experiment.settings import Settings
from benchmark.experiment.spec import RunSpec
from benchmark.tracking.uris import default_uri
from benchmark.workflows.grid import plan_grid
from tests.benchmark.harness import Say, digests
from tests.benchmark.workflows.heard import Heard
from tests.paths import ROOT

pytestmark = pytest.mark.usefixtures("undrawn")
HEAVY = ("torch", "mlflow", "optuna", "pandas", "matplotlib", "sklearn", "pyarrow")


@pytest.fixture
def asked(features: Path, tmp_path: Path) -> dict[str, Any]:
    """A run of a moment on the tiny feature file."""
    return {
        "datasets": ["meld"], "methods": ["concat"], "seeds": 1, "preset": "smoke", "epochs": 1, "device": "cpu",
        "data_dir": features, "store": tmp_path / "store", "workers": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "light"),
    [("import benchmark", (*HEAVY, "numpy", "pydantic", "typer")), ("import benchmark; benchmark.run", HEAVY)],
)
def test_importing_it_is_cheap(code: str, light: tuple[str, ...]) -> None:
    script = f"{code}\nimport sys\nprint(*(name for name in {light} if name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"


def test_every_name_of_the_package_is_there_and_documented() -> None:
    for name in benchmark.__all__:
        assert getattr(benchmark, name).__doc__, name
    assert set(benchmark.__all__) == set(dir(benchmark))
    with pytest.raises(AttributeError, match="no attribute 'ran'"):
        benchmark.ran  # noqa: B018


def test_a_script_that_runs_a_grid_is_run_once_whatever_stands_around_the_call(
    asked: dict[str, Any], tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    given = {name: str(value) if isinstance(value, Path) else value for name, value in asked.items()}
    script.write_text(
        "import benchmark\n"
        "print('the script begins')\n"
        f"outcome = benchmark.run(**{given!r}, report=False)\n"
        "print(outcome.made, outcome.failed)\n"
    )
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert ran.stdout == "the script begins\n1 0\n", ran.stderr


def test_a_run_is_made_told_and_reported_and_nothing_is_printed(
    asked: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    heard = Heard()
    outcome = benchmark.run(**asked, listener=heard)
    assert (outcome.made, outcome.failed, outcome.interrupted) == (1, 0, False)
    assert outcome.report == asked["store"] / "report" / "index.html"
    assert outcome.report.is_file()
    assert [type(event) for event in heard.events] == [Started, Epoch, Finished]
    assert {event.key for event in heard.events} == set(outcome.keys) == set(digests(asked["store"]))
    assert heard.messages[0] == f"1 run, 0 of them already in {asked['store']}"
    assert heard.messages[-1] == "writing the report …"
    again = benchmark.run(**asked)
    assert (again.made, again.keys, again.report) == (0, outcome.keys, outcome.report)
    assert capfd.readouterr() == ("", "")


def test_refits_are_under_the_parent_run_of_the_runs_they_follow(asked: dict[str, Any]) -> None:
    from mlflow import MlflowClient

    outcome = benchmark.run(**asked, refit=True)
    assert outcome.made == 2
    client = MlflowClient(default_uri(asked["store"]))
    experiment = client.get_experiment_by_name("css-bench/meld")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    parent = runs.pop("smoke: 1 run")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert set(runs) == {"concat seed 0", "concat refit seed 0"}
    for name, run in runs.items():
        mean = parent.data.metrics[f"mean/test weighted_f1/{name.removesuffix(' seed 0')}"]
        assert mean in (run.data.metrics.get("test/selected/weighted_f1"), run.data.metrics["test/last/weighted_f1"])


def test_a_report_that_mlflow_does_not_take_is_written_and_one_line_says_so(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.tracking import report

    def refuse(*arguments: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(report, "log_report", refuse)
    heard = Heard()
    outcome = benchmark.run(**asked, listener=heard)
    assert (outcome.made, outcome.failed) == (1, 0)
    assert outcome.report is not None
    assert outcome.report.is_file()
    (warning,) = [notice for notice in heard.notices if "report" in notice]
    assert "the report is not in MLflow" in warning
    assert "(ConnectionError: no route to host)" in warning
    assert str(asked["store"] / "report") in warning


def test_the_command_and_the_front_door_make_the_same_runs(asked: dict[str, Any], say: Say) -> None:
    outcome = benchmark.run(**asked, report=False)
    assert outcome.report is None
    assert not (asked["store"] / "report").exists()
    words = ("run", "--datasets", "meld", "--methods", "concat", "--seeds", "1", "--preset", "smoke", "--epochs", "1")
    code, out, _ = say(*words, "--device", "cpu", "--data-dir", asked["data_dir"], "--store", asked["store"])
    assert (code, out.splitlines()[0]) == (0, f"1 run, 1 of them already in {asked['store']}")


class Impatient(Heard):
    """Presses Ctrl-C as soon as a run is finished."""

    @contextmanager
    def runs(self, specs: Mapping[str, RunSpec], title: str = "all runs") -> Iterator[Hear]:
        def hear(event: Event) -> None:
            self.events.append(event)
            if isinstance(event, Finished):
                os.kill(os.getpid(), signal.SIGINT)

        yield hear


def test_after_ctrl_c_the_report_shows_the_runs_that_are_there(asked: dict[str, Any]) -> None:
    heard = Impatient()
    outcome = benchmark.run(**asked | {"seeds": 4}, listener=heard)
    made = digests(asked["store"])
    assert outcome.interrupted
    assert 1 <= len(made) == outcome.made < 4
    assert heard.messages[-2:] == [
        "reporting the runs that are there; Ctrl-C leaves without a report", "writing the report …"
    ]  # fmt: skip
    assert outcome.report is not None
    table = (outcome.report.parent / "tables" / "accuracy.csv").read_text()
    (row,) = csv.DictReader(table.splitlines())
    assert int(row["n"]) == len(made)
    rest = benchmark.run(**asked | {"seeds": 4})
    assert (rest.made, rest.interrupted) == (4 - len(made), False)


def test_it_works_outside_the_main_thread(asked: dict[str, Any]) -> None:
    outcomes: list[benchmark.Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(benchmark.run(**asked, report=False)))
    thread.start()
    thread.join()
    assert [outcome.made for outcome in outcomes] == [1]


def test_names_and_seeds_may_be_lists_or_text(tmp_path: Path) -> None:
    def keys(**choices: Any) -> list[str]:
        return [spec.key for spec in plan_grid(tmp_path, preset="smoke", device="cpu", **choices).specs]

    as_text = keys(
        datasets="iemocap-sim,meld-sim", methods="css,spf(rank=4,order=2)+pgm", seeds="2", modalities="text,audio"
    )
    as_lists = keys(
        datasets=["iemocap-sim", "meld-sim"],
        methods=["css", "spf(rank=4,order=2)+pgm"],
        seeds=2,
        modalities=("audio", "text"),
    )
    assert len(as_text) == 8
    assert (
        as_text
        == as_lists
        == keys(
            datasets="iemocap-sim,meld-sim",
            methods=["css", "spf(rank=4,order=2)+pgm"],
            seeds=[0, 1],
            modalities="text,audio",
        )
    )
    assert keys(datasets="meld-sim", methods="css", seeds=[7], epochs=3) == keys(
        datasets="meld-sim", methods="css", seeds="7,", training={"epochs": 3}
    )


def test_the_command_has_every_choice_and_the_same_defaults() -> None:
    front = dict(inspect.signature(plan_grid).parameters)
    del front["settings"]  # these have no default
    offered = set(front) - {"store", "anywhere", "with_imports"} | set(Settings.__annotations__)
    assert set(benchmark.Choices.__annotations__) == offered
    options = inspect.signature(command.run).parameters
    for name in set(benchmark.Choices.__annotations__) - {"training"}:
        option = options[{"plugins": "plugin"}.get(name, name)]
        default = front[name].default if name in front else None
        assert (option.default or None) == (default or None), name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"methods": "cs"}, "unknown method 'cs', did you mean 'css'"),
        ({"datasets": []}, "--datasets names nothing"),
        ({"seeds": 0}, "--seeds must be at least 1, got 0"),
        ({"workers": 0}, "--workers must be at least 1, got 0"),
        ({"training": {"rate": 1}}, "rate"),
        ({"refit": True, "protocol": "published"}, "--refit needs the epochs that validation selected"),
        ({"refit": True, "protocol": "sessions"}, "published split, and --protocol sessions has another"),
        ({"locked": "grid.lock"}, "--locked says what the runs are: leave out --datasets"),
    ],
)
def test_wrong_input_is_one_sentence_and_writes_nothing(
    asked: dict[str, Any], wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(benchmark.UserError, match=message) as refused:
        benchmark.run(**asked | wrong)
    assert "\n" not in str(refused.value)
    assert not asked["store"].exists()


def test_a_lock_is_made_and_kept(asked: dict[str, Any], tmp_path: Path) -> None:
    choices = {name: value for name, value in asked.items() if name not in ("store", "workers")}
    assert benchmark.lock(tmp_path / "grid.lock", **choices) == 1
    heard = Heard()
    outcome = benchmark.run(
        locked=tmp_path / "grid.lock", data_dir=asked["data_dir"], store=asked["store"], dry_run=True, listener=heard
    )
    assert outcome.keys == benchmark.run(**asked, dry_run=True).keys
    assert heard.messages[1].startswith("1 run to make; time and memory unknown")
    assert not asked["store"].exists()


def test_verification_says_of_every_run_what_it_found(asked: dict[str, Any]) -> None:
    (key,) = benchmark.run(**asked, report=False).keys
    (sound,) = benchmark.verify(store=asked["store"], data_dir=asked["data_dir"], workers=1)
    assert (sound.key, sound.status, sound.sentences) == (key, benchmark.Status.SAME, ["the same bits"])
    (asked["store"] / "runs" / key / "history.parquet").write_bytes(b"torn")
    (damaged,) = benchmark.verify([key[:6]], store=asked["store"], files=True)
    assert damaged.status is benchmark.Status.DIFFERENT
    assert damaged.sentences == ["damaged: history.parquet is not what its checksum says"]


def test_a_study_is_made_and_says_how_to_go_on(asked: dict[str, Any]) -> None:
    choices = {name: value for name, value in asked.items() if name != "methods"}
    result = benchmark.tune(**choices, methods="tensor", trials=2, sampler="random")
    assert result.finished
    assert not result.failed
    assert [len(record["trials"]) for record in result.records] == [2]
    assert result.next[0].startswith(
        "cssbench run --preset smoke --datasets meld --methods tensor --tuned meld/tensor/"
    )
