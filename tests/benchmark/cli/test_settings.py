"""Every training setting is an option of ``run``, ``lock`` and ``tune``, and enters the run's key."""

import json
from pathlib import Path
from typing import Any

import pytest

import benchmark
from benchmark.experiment.spec import Training
from benchmark.tuning.plan import Plan
from benchmark.workflows import tune as workflow
from tests.benchmark.harness import Say

OTHERS: dict[str, Any] = {
    "epochs": 3, "hidden": 24, "heads": 3, "dropout": 0.25, "batch_size": 7, "lr": 0.02, "weight_decay": 0.125,
    "schedule": "warmup-cosine", "warmup": 0.2, "clip_norm": 0.75, "temperature": 1.5, "class_weights": True,
    "standardize": False, "probe_every": 9, "probe_conversations": 5,
    "selection": "smoothed",
}  # fmt: skip
WORDS = (
    *("--epochs", "3", "--hidden", "24", "--heads", "3", "--dropout", "0.25", "--batch-size", "7", "--lr", "0.02"),
    *("--weight-decay", "0.125", "--schedule", "warmup-cosine", "--warmup", "0.2", "--clip-norm", "0.75"),
    *("--temperature", "1.5", "--class-weights", "--no-standardize", "--selection", "smoothed"),
    *("--probe-every", "9", "--probe-conversations", "5"),
)
GRID = ("--preset", "smoke", "--datasets", "meld-sim", "--methods", "css", "--seeds", "1", "--device", "cpu")


def locked(say: Say, file: Path, *words: str) -> dict[str, Any]:
    """The one run that these words name."""
    assert say("lock", "--out", file, *GRID, *words)[0] == 0
    (run,) = json.loads(file.read_text())["runs"]
    return dict(run)


def test_every_setting_of_a_run_is_tried_here() -> None:
    assert OTHERS.keys() == Training.model_fields.keys()


def test_options_replace_the_presets_settings(say: Say, tmp_path: Path) -> None:
    default = locked(say, tmp_path / "default.json")
    assert all(default["training"][name] != value for name, value in OTHERS.items())
    run = locked(say, tmp_path / "all.json", *WORDS)
    assert run["training"] == OTHERS
    assert run["key"] != default["key"]


def test_the_python_call_takes_what_the_command_takes(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "python.json"
    benchmark.lock(file, preset="smoke", datasets="meld-sim", methods="css", seeds=1, device="cpu", **OTHERS)
    (run,) = json.loads(file.read_text())["runs"]
    assert run == locked(say, tmp_path / "command.json", *WORDS)


def test_a_setting_is_no_other_run_where_it_is_the_presets(say: Say, tmp_path: Path) -> None:
    default = locked(say, tmp_path / "default.json")
    training = default["training"]
    same = locked(say, tmp_path / "same.json", "--lr", str(training["lr"]), "--no-class-weights", "--standardize")
    assert same["key"] == default["key"]


def test_studies_search_from_the_settings_that_were_given(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[Plan] = []

    def search(chosen: list[Plan], *_: object) -> workflow.Studies:
        plans.extend(chosen)
        commands = [workflow._next(each, tmp_path) for each in chosen]
        return workflow.Studies(tmp_path, [], finished=True, next=commands)

    monkeypatch.setattr(workflow, "_search", search)
    mine = tmp_path / "mine.toml"
    mine.write_text('base = "smoke"')
    code, out, _ = say(
        "tune", "--preset", mine, "--dataset", "meld-sim", "--device", "cpu", "--store", tmp_path, *WORDS
    )
    assert code == 0
    assert [plan.default.training.model_dump() for plan in plans] == [OTHERS]
    said = " ".join(out.split())
    assert f"cssbench run --preset {mine} " in said
    assert f"--tuned meld-sim/css/mine {' '.join(WORDS)} --store" in said
