"""The command line as a user has it: in processes of its own, interrupted, killed, repeated."""

import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from benchmark.data import load_features
from benchmark.data.corpora import SIMULATED
from tests.benchmark.harness import (
    GRID,
    HUNG,
    MAIN,
    Cli,
    StartCli,
    alive,
    digests,
    feature_items,
    progress,
    until,
    write_features,
)

HEAVY = ("torch", "mlflow", "optuna", "pandas", "matplotlib", "sklearn", "pyarrow")
LIST_MODULES = f"""
import sys
try:
    {MAIN}
finally:
    print(*(name for name in {{}} if name in sys.modules), file=sys.stderr)
"""


def test_help_is_light_and_names_every_command(cli_process: Cli) -> None:
    said = cli_process("--help", code=LIST_MODULES.format((*HEAVY, "numpy", "pydantic")))
    assert (said.returncode, said.stderr.strip()) == (0, "")
    assert all(f" {command} " in said.stdout for command in ("run", "report", "runs", "evaluate", "methods", "data"))
    assert all(word in cli_process("run", "--help").stdout for word in ("Examples", "quick", "cssbench-store"))


def test_the_version_is_told(cli: Cli) -> None:
    said = cli("--version")
    assert (said.returncode, said.stdout) == (0, f"css-bench {version('css-bench')}\n")


def test_methods_and_data_sets_are_listed(cli: Cli, features: Path) -> None:
    methods = cli("methods")
    assert methods.returncode == 0
    assert all(
        word in methods.stdout for word in ("concat+pgm", "rank=16", "pcgrad", "css-released", "meld_step=false")
    )
    data = cli("data", "list", "--data-dir", features)
    assert data.returncode == 0
    usable = dict(re.findall(r"│ (\S+) +│ (yes|no) +│", data.stdout))
    assert usable == {"iemocap": "no", "meld": "yes"} | dict.fromkeys(SIMULATED, "yes")


def test_a_simulated_corpus_is_described(cli: Cli) -> None:
    table = cli("data", "simulate", "--name", "iemocap-sim")
    assert table.returncode == 0
    assert re.search(r"│ test +│ 31 +│ 1623 +│", table.stdout)
    found = json.loads(cli("data", "simulate", "--name", "meld-sim", "--seed", "3", "--json").stdout)
    assert found["splits"]["dev"]["utterances"] == sum(found["splits"]["dev"]["classes"].values()) == 554
    assert "ceilings" not in found
    wrong = cli("data", "simulate", "--name", "meld_sim")
    assert (wrong.returncode, "did you mean 'meld-sim'" in wrong.stderr) == (2, True)


def test_a_simulated_corpus_with_knobs_is_described_and_written(cli: Cli, tmp_path: Path) -> None:
    command = ("data", "simulate", "--name", "meld-sim(scale=0.1,stay=0.19)", "--out", tmp_path / "corpus.safetensors")
    found = json.loads(cli(*command, "--json").stdout)
    assert found["name"] == "meld-sim(scale=0.1)"
    assert found["splits"]["test"]["utterances"] == 130
    corpus = load_features(tmp_path / "corpus.safetensors")
    assert corpus.where("test").utterances == 130
    again = cli(*command)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)


def test_a_corpus_with_knobs_is_trained_on_reported_and_logged(cli: Cli, tmp_path: Path) -> None:
    name = "iemocap-sim(leakage=0+0+0.5,scale=0.1)"
    words = ("run", "--preset", "smoke", "--epochs", "1", "--methods", "adam", "--seeds", "1", "--workers", "1")
    ran = cli(*words, "--datasets", name, "--store", tmp_path / "store", "--device", "cpu", MLFLOW_TRACKING_URI="")
    assert ran.returncode == 0, ran.stderr
    out = tmp_path / "store" / "report"
    assert name in (out / "report.md").read_text()
    drawn = {file.name for file in (out / "figures").iterdir()}
    assert drawn
    assert all(re.fullmatch(r"[\w.-]+", file) for file in drawn)
    assert all(f"figures/{file}" in (out / "report.md").read_text() for file in drawn if file.endswith(".svg"))
    assert list((tmp_path / "store" / "mlartifacts").glob("iemocap-sim-leakage-0-0-0.5-scale-0.1/**/result.json"))


def test_ceilings_are_printed_beside_the_counts(cli: Cli, tmp_path: Path) -> None:
    command = ("data", "simulate", "--name", "meld-sim", "--ceilings")
    table = cli(*command, CSSBENCH_CACHE=str(tmp_path))
    assert table.returncode == 0
    assert len(re.findall(r"│ (?:yes|no) +│ +\d+\.\d\d ± \d+\.\d\d", table.stdout)) == 14
    rows = json.loads(cli(*command, "--json", CSSBENCH_CACHE=str(tmp_path)).stdout)["ceilings"]
    assert rows[0]["modalities"] == ["text", "audio", "visual"]
    assert f"{100 * rows[0]['accuracy']:.2f} ± " in table.stdout


def test_without_a_terminal_each_finished_run_is_one_line(finished: Any) -> None:
    lines = finished.said.stdout.splitlines()
    assert lines[0].startswith("2 runs, 0 of them already in ")
    runs = [line for line in lines if line.startswith("[")]
    assert [line[:5] for line in runs] == ["[1/2]", "[2/2]"]
    assert all(re.search(r"iemocap-sim · (css|adam) · seed 0: best validation F1 [\d.]+; \S+ elapsed", r) for r in runs)
    assert "SIMULATED DATA (iemocap-sim)" in [line.strip() for line in lines]
    assert any(line.startswith("Nothing is decided about css.") for line in lines)
    assert lines[-2].startswith("Next, seeds that a test needs (about ")
    assert lines[-2].endswith("--seeds 8")
    assert lines[-1] == f"report: {finished.root}/report/index.html"
    assert finished.said.stderr == ""


def test_the_same_command_again_does_nothing_and_imports_nothing_heavy(cli_process: Cli, finished: Any) -> None:
    def written() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in finished.root.rglob("*") if "mlflow" not in path.name}

    before = written()
    said = cli_process(*GRID, "--store", finished.root, code=LIST_MODULES.format(HEAVY))
    assert (said.returncode, said.stderr.strip()) == (0, "")
    assert said.stdout.startswith("2 runs, 2 of them already in ")
    assert written() == before


def test_runs_lists_every_run_with_its_score(cli: Cli, finished: Any) -> None:
    listed = cli("runs", "--store", finished.root).stdout
    for file in finished.runs.glob("*/result.json"):
        score = 100 * json.loads(file.read_text())["selected"]["weighted_f1"]
        assert re.search(rf"│ {file.parent.name} │.*│ complete │ {score:.2f} ", listed)


def test_report_writes_where_it_is_told(cli: Cli, finished: Any, tmp_path: Path) -> None:
    said = cli("report", "--store", finished.root, "--out", tmp_path / "report")
    assert said.returncode == 0, said.stderr
    assert "simulated" in (tmp_path / "report" / "index.html").read_text()


def test_mlflow_has_every_run_with_its_scores_and_epochs(finished: Any) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{finished.root}/mlflow.db")
    experiment = client.get_experiment_by_name("css-bench/iemocap-sim")
    runs = client.search_runs([experiment.experiment_id])
    logged = {run.data.tags["key"]: run for run in runs if "key" in run.data.tags}
    assert set(logged) == set(digests(finished.root))
    for key, run in logged.items():
        result = json.loads((finished.folder(key) / "result.json").read_text())
        assert run.info.status == "FINISHED"
        assert run.data.metrics["test/selected/weighted_f1"] == result["selected"]["weighted_f1"]
        assert [m.step for m in client.get_metric_history(run.info.run_id, "curve/validation/weighted_f1")] == [
            1,
            2,
            3,
            4,
        ]


def test_mlflows_parent_run_has_the_report_and_its_verdicts(finished: Any) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{finished.root}/mlflow.db")
    experiment = client.get_experiment_by_name("css-bench/iemocap-sim")
    (parent,) = [r for r in client.search_runs([experiment.experiment_id]) if "mlflow.parentRunId" not in r.data.tags]
    tags = parent.data.tags
    assert [name for name in tags if name.startswith("verdict/")] == ["verdict/css - adam"]
    assert "| css − adam | " in tags["mlflow.note.content"]
    assert {"difference/css - adam", "mean/test weighted_f1/css"} <= parent.data.metrics.keys()
    files = {file.path for file in client.list_artifacts(parent.info.run_id, "report")}
    assert {"report/index.html", "report/tables", "report/figures"} <= files


def test_a_grid_cut_off_in_every_way_ends_with_the_same_bits(
    start_cli: StartCli, cli: Cli, finished: Any, tmp_path: Path
) -> None:
    words = [*GRID, "--workers", "1", "--store", tmp_path]

    def cut(*signals: signal.Signals) -> tuple[int, list[str]]:
        moved = progress(tmp_path)
        process = start_cli(*words)
        until(moved)
        for number in signals:
            os.kill(process.pid, number)
            time.sleep(0.1)
        out, err = process.communicate(timeout=HUNG)
        until(lambda: not alive(process.pid))
        assert "Traceback" not in out + err
        return process.returncode, err.splitlines()

    code, lines = cut(signal.SIGINT)
    assert code == 130
    assert lines[0].startswith("stopping after the current epoch")
    assert lines[-1].startswith("interrupted: ")
    assert "the same command goes on" in lines[-1]
    kept = digests(tmp_path)
    assert len(kept) < 2
    assert list(tmp_path.glob("runs/*/checkpoint.safetensors")) or kept

    assert cut(signal.SIGKILL)[0] == -signal.SIGKILL
    assert cut(signal.SIGTERM, signal.SIGTERM)[0] == 130

    assert cli(*words).returncode == 0
    assert digests(tmp_path) == digests(finished.root)
    assert not list(tmp_path.glob("runs/*/checkpoint*"))


def test_sigterm_while_the_report_is_written_is_an_interruption(
    cli_process: Cli, finished: Any, tmp_path: Path
) -> None:
    kill = "import os, signal, reports; reports.build = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)"
    said = cli_process(*GRID, "--store", finished.root, "--report", tmp_path / "report", code=f"{kill}\n{MAIN}")
    assert said.returncode == 130
    assert "interrupted: what was done is kept" in said.stderr


def test_two_processes_at_once_make_one_whole_store(start_cli: StartCli, finished: Any, tmp_path: Path) -> None:
    processes = [start_cli(*GRID, "--workers", "1", "--store", tmp_path) for _ in range(2)]
    for process in processes:
        _, err = process.communicate(timeout=HUNG)
        assert process.returncode == 0, err
    assert digests(tmp_path) == digests(finished.root)
    names = {path.name for path in finished.runs.glob("*/*")}
    assert {path.name for path in tmp_path.glob("runs/*/*")} == names


def test_a_failed_run_is_reported_kept_apart_and_tried_again(cli: Cli, finished: Any, tmp_path: Path) -> None:
    bad = next(key for key in digests(finished.root) if finished.state(key) == "complete")
    (tmp_path / "runs" / bad / "steps.parquet").mkdir(parents=True)  # cannot be replaced by a file
    words = [*GRID, "--store", tmp_path]
    said = cli(*words)
    assert said.returncode == 1
    assert re.search(r"^\[\d/2\] .*: failed: IsADirectoryError", said.stdout, re.MULTILINE)
    assert "Traceback" not in said.stdout + said.stderr
    assert "1 of 2 runs failed" in said.stderr.splitlines()[-1]
    assert "IsADirectoryError" in (tmp_path / "runs" / bad / "error.txt").read_text()
    good = digests(tmp_path)
    assert len(good) == 1
    assert (tmp_path / "report" / "index.html").exists()

    (tmp_path / "runs" / bad / "steps.parquet").rmdir()
    assert cli(*words).returncode == 0
    assert digests(tmp_path) == digests(finished.root)
    assert not (tmp_path / "runs" / bad / "error.txt").exists()


def test_mlflow_being_absent_is_said_before_and_after_and_loses_nothing(
    cli_process: Cli, finished: Any, tmp_path: Path
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
        said = cli_process(*GRID, "--methods", "adam", "--store", tmp_path, "--tracking-uri", uri)
    assert said.returncode == 0
    before, after = said.stderr.splitlines()
    assert before.startswith(f"warning: MLflow at {uri} cannot be used (")
    assert after.startswith(f"warning: not, or not fully, in MLflow at {uri}: 1 of 1 run (")
    assert digests(tmp_path).items() < digests(finished.root).items()


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_full_disk_is_a_clear_failure(tmp_path: Path) -> None:
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); {MAIN}"
    said = subprocess.run(
        [sys.executable, "-c", code, *GRID, "--methods", "adam", "--store", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=HUNG,
    )
    assert said.returncode == 1
    assert (
        said.stdout.count(
            f"failed: no room is left for the store {tmp_path}: raise the limit on file sizes (ulimit -f)"
        )
        == 1
    )
    assert "Traceback" not in said.stdout + said.stderr
    assert not digests(tmp_path)


def test_an_imported_feature_file_stands_for_its_pickle(cli: Cli, features: Path, tmp_path: Path) -> None:
    out = tmp_path / "meld_multimodal_features.safetensors"
    pickled = features / "meld_multimodal_features.pkl"
    said = cli("data", "import", pickled, "--out", out)
    assert said.returncode == 0, said.stderr
    assert "28 conversations" in said.stdout
    assert "text 6, text2 6, text3 6, text4 6, audio 4, visual 3" in said.stdout

    listed = cli("data", "list", "--data-dir", tmp_path)
    assert "meld_multimodal_features.safetensors, not the community's" in listed.stdout
    again = cli("data", "import", pickled, "--out", out)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert cli("data", "import", out, "--out", tmp_path / "x").returncode == 2
    assert cli("data", "import", pickled, "--out", tmp_path / "no" / "x").returncode == 2


def test_m3nets_pair_is_imported_and_listed(cli: Cli, features: Path, tmp_path: Path) -> None:
    """The usual file taken apart into MMGCN's, whose text is its second view, and RoBERTa's."""
    usual = pickle.loads((features / "meld_multimodal_features.pkl").read_bytes())
    file, text = tmp_path / "MELD_features_raw1.pkl", tmp_path / "meld_features_roberta.pkl"
    file.write_bytes(pickle.dumps((*usual[:3], usual[4], *usual[7:])))
    text.write_bytes(pickle.dumps((usual[1], usual[2], usual[2], *usual[3:7], usual[9], usual[10], usual[11], [])))
    out = tmp_path / "joined"
    said = cli("data", "import", file, "--roberta", text, "--out", out)
    assert said.returncode == 0, said.stderr
    assert "text 6, text2 6, text3 6, text4 6, audio 4, visual 3" in said.stdout
    alone = cli("data", "import", text, "--out", tmp_path / "alone")
    assert alone.returncode == 2
    assert "with --roberta" in alone.stderr
    listed = cli("data", "list", "--data-dir", tmp_path).stdout
    assert "MELD_features_raw1.pkl with the text of meld_features_roberta.pkl, not" in " ".join(listed.split())


@pytest.mark.parametrize("modalities", ["text", "audio,text"])
def test_fewer_modalities_go_through_the_whole_suite(modalities: str, cli: Cli, features: Path, tmp_path: Path) -> None:
    words = ("run", "--preset", "smoke", "--epochs", "1", "--datasets", "meld", "--seeds", "1", "--device", "cpu")
    words += ("--data-dir", features, "--methods", "css,tensor", "--workers", "2", "--store", tmp_path)
    said = cli(*words, "--modalities", modalities, "--text-view", "mean")
    assert said.returncode == 0, said.stderr

    specs = [json.loads(file.read_text()) for file in tmp_path.glob("runs/*/spec.json")]
    assert len(specs) == 2
    used = [m for m in ("text", "audio") if m in modalities]
    assert all(spec["inputs"] == {"modalities": used, "text_view": "mean", "remedies": []} for spec in specs)
    assert f"{' + '.join(used)} only, text view mean" in (tmp_path / "report" / "report.md").read_text()


def test_a_view_that_the_file_has_not_got_is_an_error(cli: Cli, tmp_path: Path) -> None:
    items = feature_items()
    items[4:7] = [None] * 3
    write_features(tmp_path, items)
    words = ("run", "--preset", "smoke", "--datasets", "meld", "--data-dir", tmp_path, "--store", tmp_path / "store")
    said = cli(*words, "--text-view", "2")
    assert said.returncode == 2
    assert "item 4 (text2)" in said.stderr
    assert not (tmp_path / "store").exists()
