"""``cssbench tune`` and ``cssbench run --tuned``, from the command line to the store, MLflow and the report."""

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import pytest

from benchmark.execution import coordinator
from tests.benchmark.harness import HUNG, MAIN, Cli, Say, StartCli, alive, feature_items, until, write_features

NAME = "meld/css/smoke"
SWIFT = f"import benchmark.tuning.storage as s; s.HEARTBEAT_SECONDS, s.GRACE_SECONDS = 1, 2; {MAIN}"
"""The command line, with less patience for dead processes."""


def tune(features: Path, store: Path, *words: object) -> tuple[object, ...]:
    return (
        *("tune", "--dataset", "meld", "--data-dir", features, "--preset", "smoke", "--device", "cpu"),
        *("--workers", 1, "--store", store, *words),
    )


def studies(store: Path) -> dict[str, Any]:
    """Every study's file, by name."""
    found = [json.loads(file.read_text()) for file in (store / "studies").glob("*.json")]
    return {study["name"]: study for study in found}


def runs(store: Path) -> dict[str, Any]:
    """Every complete run's specification, by key."""
    return {f.parent.name: json.loads((f.parent / "spec.json").read_text()) for f in store.glob("runs/*/result.json")}


@pytest.fixture(scope="module")
def tuned(cli: Cli, features: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished study of three trials with two seeds: its store, and what the command said."""
    store = tmp_path_factory.mktemp("tuned") / "store"
    said = cli(
        *tune(features, store, "--trials", 3, "--seeds", 2, "--epochs", 8, "--also", "lr"), MLFLOW_TRACKING_URI=""
    )
    assert said.returncode == 0, said.stderr
    return store, said


def test_a_studys_file_says_what_was_tried_and_what_came_out(tuned: Any) -> None:
    store, said = tuned
    study = studies(store)[NAME]
    assert study["seeds"] == [1_000_000, 1_000_001]
    assert study["default"] == study["trials"][0]["params"] == {"rank": 8, "order": 4, "lr": 1e-3}
    assert [trial["number"] for trial in study["trials"]] == [0, 1, 2]
    assert study["storage"] == f"sqlite:///{store}/optuna.db"
    made = runs(store)
    assert set(made) == {run["key"] for trial in study["trials"] for run in trial["runs"]}
    for trial in study["trials"]:
        assert trial["state"] == "complete"
        for run in trial["runs"]:
            spec, history = made[run["key"]], store / "runs" / run["key"] / "result.json"
            result = json.loads(history.read_text())
            assert spec["seed"] == run["seed"]
            assert {"lr": spec["training"]["lr"]} | {n: spec["fusion"]["options"][n] for n in ("rank", "order")} == (
                trial["params"]
            )
            assert run["validation"] == result["validation"]["weighted_f1"]
            assert run["epochs"] == 8
            assert 0 < run["seconds"] < result["timings"]["total"]
        assert trial["values"][0] == pytest.approx(sum(run["validation"] for run in trial["runs"]) / 2)
    assert study["best"] == max(study["trials"], key=lambda trial: trial["values"][0])["number"]
    assert study["budget"] == made[study["trials"][0]["runs"][0]["key"]]["budget"]
    assert f"Next: cssbench run --preset smoke --datasets meld --methods css --tuned {NAME} --epochs 8" in said.stdout
    assert "[3/3]" in said.stdout


def test_volatility_is_that_of_the_report(tuned: Any) -> None:
    import pandas as pd

    from reports.measures.stability import loss_residual, volatility

    store, _ = tuned
    for trial in studies(store)[NAME]["trials"]:
        for run in trial["runs"]:
            steps = pd.read_parquet(store / "runs" / run["key"] / "steps.parquet")
            per_epoch = len(steps) // steps["epoch"].max()
            assert run["volatility"] == volatility(loss_residual(steps["loss_fused"].to_numpy(), per_epoch))


def test_its_runs_are_in_mlflow_under_the_studys_run(tuned: Any) -> None:
    from mlflow import MlflowClient

    store, _ = tuned
    client = MlflowClient(f"sqlite:///{store}/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if e.name == "css-bench/meld"]
    found = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    nested = [run for run in found if run is not parent]
    assert parent.info.run_name == parent.data.tags["study"] == NAME
    assert {run.data.tags["mlflow.parentRunId"] for run in nested} == {parent.info.run_id}
    assert {run.data.tags["key"] for run in nested} == set(runs(store))


def test_the_same_command_again_makes_nothing_and_more_trials_go_on(tuned: Any, features: Path, say: Say) -> None:
    store, said = tuned
    before = runs(store)
    words = tune(features, store, "--seeds", 2, "--epochs", 8, "--also", "lr")
    code, out, _ = say(*words, "--trials", 3)
    assert (code, runs(store)) == (0, before)
    assert out.splitlines()[-1] == said.stdout.splitlines()[-1]
    code, _, err = say(*words, "--trials", 3, "--sampler", "gp")
    assert code == 2
    assert f"error: study '{NAME}' was begun otherwise: sampler tpe there, gp here; begin another one" in err


def lock(say: Say, tuned: Any, features: Path, folder: Path, *words: object) -> list[Any]:
    """The runs that ``cssbench run`` would make, none of them made."""
    store, _ = tuned
    file = folder / f"{len(list(folder.iterdir()))}.lock"
    code, _, err = say(
        *("lock", "--out", file, "--store", store, "--data-dir", features, "--preset", "smoke", "--device", "cpu"),
        *("--epochs", 8, *words),
    )
    assert code == 0, err
    return json.loads(file.read_text())["runs"]


def test_run_uses_a_studys_settings_beside_the_default_ones(
    tuned: Any, features: Path, tmp_path: Path, say: Say
) -> None:
    store, _ = tuned
    specs = lock(say, tuned, features, tmp_path, "--tuned", f"{NAME}#1")
    settings = studies(store)[NAME]["trials"][1]["params"]
    default, best = ([s for s in specs if bool(s["tuned"]) is tuned] for tuned in (False, True))
    assert [spec["seed"] for spec in best] == [spec["seed"] for spec in default] == [0, 1]
    assert {spec["label"] for spec in specs} == {"css", "css [tuned]"}
    for spec in best:
        assert spec["training"]["lr"] == settings["lr"]
        assert (spec["fusion"]["options"]["rank"], spec["fusion"]["options"]["order"]) == (
            settings["rank"], settings["order"]
        )  # fmt: skip
        base = {"lr": 1e-3, "dropout": 0.3, "temperature": 4.0, "weight_decay": 1e-5}
        assert spec["tuned"] == {"study": NAME, "base": base}
        assert spec["dataset"] == "meld"
    assert len({spec["budget"] for spec in specs}) == 1
    assert len({spec["group"] for spec in specs}) == 2
    assert len({spec["key"] for spec in specs} | set(runs(store))) == 4 + len(runs(store))


def test_default_settings_of_a_study_are_the_default_runs(tuned: Any, features: Path, tmp_path: Path, say: Say) -> None:
    specs = lock(say, tuned, features, tmp_path, "--tuned", f"{NAME}#0")
    assert {(spec["label"], spec["tuned"]) for spec in specs} == {("css", None)}
    assert len(specs) == 2
    named = lock(say, tuned, features, tmp_path, "--tuned", f"{NAME}#1", "--methods", "adam", "--seeds", "4,5")
    assert sorted((spec["label"], spec["seed"]) for spec in named) == [
        ("adam", 4), ("adam", 5), ("css [tuned]", 4), ("css [tuned]", 5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tuned", "meld/cs/smoke"), "unknown study 'meld/cs/smoke', did you mean 'meld/css/smoke'?"),
        (("--tuned", f"{NAME}#7"), f"unknown complete trial of study '{NAME}': '7'"),
        (("--tuned", NAME, "--datasets", "meld-sim"), "unknown data set of --datasets for a study of 'meld'"),
        (("--tuned", ","), "--tuned names nothing"),
        (("--seeds", "1000000,1"), "seeds from 1000000 are for tuning"),
        (("--seeds", "1000001,"), "seeds from 1000000 are for tuning"),
    ],
)
def test_run_refuses_unknown_studies_and_tunings_seeds(
    tuned: Any, features: Path, say: Say, words: tuple[str, ...], said: str
) -> None:
    code, _, err = say("run", "--dry-run", "--store", tuned[0], "--data-dir", features, *words)
    assert code == 2
    assert said in err


def test_a_tuned_setting_is_in_the_family_that_is_declared_and_may_be_named_in_a_contrast(
    tuned: Any, features: Path, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = tuned
    specs = {s["label"]: s for s in lock(say, tuned, features, tmp_path, "--tuned", f"{NAME}#1", "--seeds", "1")}
    monkeypatch.setattr(coordinator, "run_grid", lambda *_, **__: Counter())
    words = ("run", "--preset", "smoke", "--epochs", 8, "--device", "cpu", "--seeds", "1", "--data-dir", features)
    for contrast in ((), ("--contrasts", "css [tuned]:css")):
        before = set((store / "preregistrations").glob("*.json"))
        code, _, err = say(*words, "--tuned", f"{NAME}#1", "--store", store, *contrast)
        assert code == 130, err
        (family,) = [json.loads(f.read_text()) for f in set((store / "preregistrations").glob("*.json")) - before]
        (comparison,) = family["comparisons"]
        for side, label in zip("ab", ("css [tuned]", "css") if contrast else ("css", "css [tuned]"), strict=True):
            assert comparison[side] == {"label": label, "group": specs[label]["group"]}
        assert comparison["budget"] == specs["css"]["budget"]


def test_test_labels_are_out_of_a_studys_reach(tmp_path: Path, say: Say) -> None:
    """Other labels of the test conversations: the same trials, with the same scores."""
    found = []
    for shift in (0, 3):
        items = feature_items()
        for conversation in items[11]:  # the test conversations'
            items[2][conversation] = [(label + shift) % 7 for label in items[2][conversation]]
        folder = write_features(tmp_path / str(shift), items)
        store = tmp_path / f"store{shift}"
        code, _, err = say(*tune(folder, store, "--trials", 6, "--seeds", 1))
        assert code == 0, err
        found.append(
            (studies(store)[NAME], [json.loads(f.read_text())["last"] for f in store.glob("runs/*/result.json")])
        )
    (a, tests), (b, others) = found
    assert a["data"]["fingerprint"] != b["data"]["fingerprint"]
    assert sorted(t["weighted_f1"] for t in tests) != sorted(t["weighted_f1"] for t in others)
    for one, other in zip(a["trials"], b["trials"], strict=True):
        assert one["params"] == other["params"]
        assert one["values"] == other["values"]
        assert [r["volatility"] for r in one["runs"]] == [r["volatility"] for r in other["runs"]]
    assert a["best"] == b["best"]


def test_shared_killed_and_interrupted_a_study_loses_no_trial_and_makes_no_run_twice(
    start_cli: StartCli, features: Path, tmp_path: Path
) -> None:
    store, trials = tmp_path / "store", 6
    words = tune(features, store, "--trials", trials, "--seeds", 1, "--epochs", 100)

    def done() -> dict[str, int]:
        return {f.parent.name: f.stat().st_mtime_ns for f in store.glob("runs/*/result.json")}

    killed, interrupted = (start_cli(*words, code=SWIFT) for _ in range(2))
    until(lambda: len(done()) > 1)
    os.killpg(killed.pid, signal.SIGKILL)
    interrupted.send_signal(signal.SIGINT)
    _, err = interrupted.communicate(timeout=HUNG)
    killed.communicate()
    until(lambda: not alive(killed.pid) and not alive(interrupted.pid))
    assert interrupted.returncode == 130, err
    made = done()
    assert 1 < len(made) < trials
    last = start_cli(*words, code=SWIFT)
    _, err = last.communicate(timeout=HUNG)
    assert last.returncode == 0, err
    assert made.items() <= done().items()  # none of them was made again
    study = studies(store)[NAME]
    assert [(trial["number"], trial["state"]) for trial in study["trials"]] == [(n, "complete") for n in range(trials)]
    assert done().keys() == {run["key"] for trial in study["trials"] for run in trial["runs"]}
    assert not list(store.glob("runs/*/checkpoint*"))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kept = optuna.load_study(study_name=NAME, storage=f"sqlite:///{store}/optuna.db").get_trials()
    complete = [trial.user_attrs["slot"] for trial in kept if trial.state.name == "COMPLETE"]
    assert sorted(complete) == list(range(trials))


def test_a_fair_study_ends_with_default_and_tuned_settings_on_other_seeds(
    cli: Cli, features: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    said = cli(
        *tune(features, store, "--fair", "--methods", "css,concat-matched", "--trials", 3, "--seeds", 1, "--epochs", 1),
    )
    assert said.returncode == 0, said.stderr
    found = studies(store)
    assert sorted(found) == [f"meld/{m}/smoke/fair-{i}" for m in ("concat-matched", "css") for i in range(3)]
    for i in range(3):
        css, other = found[f"meld/css/smoke/fair-{i}"], found[f"meld/concat-matched/smoke/fair-{i}"]
        assert [t["params"] for t in css["trials"]] == [t["params"] for t in other["trials"]]
        assert css["space"] == other["space"]
        assert css["fair"] == other["fair"] == {"group": css["fair"]["group"], "index": i, "of": 3}
    final = [spec for spec in runs(store).values() if spec["seed"] < 1_000_000]
    assert {spec["seed"] for spec in final} == {0, 1}  # the preset's
    assert {"css", "concat-matched"} <= {spec["label"] for spec in final} <= {
        "css", "concat-matched", "css [tuned]", "concat-matched [tuned]"
    }  # fmt: skip
    for method in ("css", "concat-matched"):
        best = max(
            (trial for i in range(3) for trial in found[f"meld/{method}/smoke/fair-{i}"]["trials"]),
            key=lambda trial: trial["values"][0],
        )
        tuned = [spec for spec in final if spec["label"] == f"{method} [tuned]"]
        assert len(tuned) == (0 if best["params"] == found[f"meld/{method}/smoke/fair-0"]["default"] else 2)
        for spec in tuned:
            assert spec["tuned"]["study"].startswith(f"meld/{method}/smoke/fair-")
            assert {name: spec["fusion"]["options"][name] for name in ("rank", "order")} == best["params"]
    assert len({spec["budget"] for spec in final}) == 1
    assert (store / "report" / "index.html").exists()
    assert len(list((store / "preregistrations").glob("*.json"))) == 1


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("sqlite:////no/such/folder/optuna.db", ["unable to open database file"]),
        ("postgresql://me:secret@127.0.0.1:1/db", ["postgresql://127.0.0.1:1/db", "psycopg"]),
        ("nonsense", ["nonsense", "Could not parse"]),
    ],
)
def test_a_storage_that_cannot_be_used_is_named_without_its_password(
    features: Path, tmp_path: Path, say: Say, url: str, parts: list[str]
) -> None:
    code, _, err = say(*tune(features, tmp_path / "store", "--storage", url))
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("error: cannot use the storage ")
    assert "secret" not in err
    assert "--storage" in err
    assert all(part in err for part in parts)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--trials", "0"), "--trials must be at least 1, got 0"),
        (("--seeds", "0"), "--seeds must be at least 1, got 0"),
        (("--sampler", "grid", "--trials", "3"), "--sampler grid tries every cell: leave out --trials 3"),
        (("--sampler", "tep"), "unknown sampler 'tep', did you mean 'tpe'"),
        (("--methods", "concat"), "'concat' has no option to search"),
        (("--methods", "css,css"), "--methods names meld/css/smoke more than once"),
        (("--methods", "cs"), "did you mean 'css'"),
        (("--also", "lr,dropuot"), "did you mean 'dropout'"),
        (("--fair", "--sampler", "tpe"), "leave out --sampler tpe"),
        (("--fair", "--studies", "2"), "--studies must be at least 3, got 2"),
        (("--fair", "--goals", "weighted_f1,seconds"), "--fair is for weighted_f1 alone"),
        (("--preset", "smok"), "did you mean 'smoke'"),
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(
    features: Path, tmp_path: Path, say: Say, words: tuple[str, ...], said: str
) -> None:
    code, _, err = say(*tune(features, tmp_path / "store", *words))
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "store").exists()


def test_help_is_light_and_says_how_to_go_on(cli_process: Cli) -> None:
    modules = ("torch", "mlflow", "optuna", "sqlalchemy", "pandas", "numpy")
    listed = f"print(*(n for n in {modules} if n in sys.modules), file=sys.stderr)"
    said = cli_process("tune", "--help", code=f"import sys\ntry:\n    {MAIN}\nfinally:\n    {listed}")
    assert (said.returncode, said.stderr.strip()) == (0, "")
    assert all(word in said.stdout for word in ("--storage", "--fair", "grid", "The same command goes on", "--tuned"))
