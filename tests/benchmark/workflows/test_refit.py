"""Validated results to refits: which epochs, from which runs; and the two passes of the command line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmark.data.datasets import dataset
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.experiment.spec import RunSpec
from benchmark.store.store import Store
from benchmark.workflows.refit import refits
from tests.benchmark.harness import Cli, digests


@pytest.fixture
def grid() -> list[RunSpec]:
    return expand(load_preset("quick"), [dataset("meld-sim", None)], ["adam", "concat"], [0, 1, 2])


@pytest.fixture
def held(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.prepare()
    return store


def finish(store: Store, spec: RunSpec, epoch: int) -> None:
    store.folder(spec.key).mkdir()
    result = {"selected": {"epoch": epoch}, "last": {"epoch": 99}, "peak_test": {"epoch": 77}}
    (store.folder(spec.key) / "result.json").write_text(json.dumps(result))


@pytest.mark.parametrize(
    ("selected", "epochs"), [((4, 4, 4), 4), ((1, 1, 2), 1), ((1, 2, 2), 2), ((20, 3, 4), 9), ((1, 1, 1), 1)]
)
def test_a_refit_has_the_mean_selected_epoch_of_its_methods_seeds(
    grid: list[RunSpec], held: Store, selected: tuple[int, ...], epochs: int
) -> None:
    for spec in grid:
        finish(held, spec, selected[spec.seed] if spec.method.label == "adam" else 8)
    found, left_out = refits(grid, held)

    assert left_out == []
    assert len(found) == 6
    for spec in found:
        (of,) = [s for s in grid if (s.method, s.seed) == (spec.method, spec.seed)]
        assert spec.training == of.training.model_copy(update={"epochs": epochs if spec.method.label == "adam" else 8})
        assert (spec.protocol, spec.provenance, spec.preset) == ("refit", of.provenance, of.preset)
        assert spec.refit_of is not None
        assert (spec.refit_of.group, spec.refit_of.budget) == (of.group, of.budget)
        by_key = {s.key: selected[s.seed] if s.method.label == "adam" else 8 for s in grid if s.method == spec.method}
        assert spec.refit_of.epochs == by_key
        RunSpec.model_validate(spec.model_dump())
    assert len({spec.budget for spec in found}) == 1
    assert found[0].training.epochs >= found[-1].training.epochs  # the longest first


def test_halves_go_up(grid: list[RunSpec], held: Store) -> None:
    pair = [spec for spec in grid if spec.seed < 2]
    for spec in pair:
        finish(held, spec, 2 + 3 * spec.seed if spec.method.label == "adam" else 2 + spec.seed)
    assert {s.method.label: s.training.epochs for s in refits(pair, held)[0]} == {"adam": 4, "concat": 3}


def test_a_method_with_unfinished_runs_has_no_refit(grid: list[RunSpec], held: Store) -> None:
    for spec in grid:
        if (spec.method.label, spec.seed) != ("adam", 1):
            finish(held, spec, 3)
    found, left_out = refits(grid, held)

    assert {spec.method.label for spec in found} == {"concat"}
    assert left_out == ["meld-sim, adam: no refit, for 1 of 3 runs did not finish"]


# The command line


WORDS = ("run", "--preset", "smoke", "--datasets", "meld", "--device", "cpu", "--workers", "1")


def of_store(store: Path) -> dict[str, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """(spec.json, result.json) of every run by protocol."""
    found: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for folder in sorted(store.glob("runs/*")):
        spec, result = (json.loads((folder / f"{name}.json").read_text()) for name in ("spec", "result"))
        found.setdefault(spec["protocol"], []).append((spec, result))
    return found


def test_refits_follow_the_validated_runs_and_are_made_once(cli: Cli, features: Path, tmp_path: Path) -> None:
    words = (*WORDS, "--epochs", "6", "--methods", "adam,concat", "--seeds", "2", "--data-dir", features)
    words += ("--store", tmp_path)
    first = cli(*words, "--refit")
    assert first.returncode == 0, first.stderr
    assert "MLflow" not in first.stderr  # all of it was logged
    assert "4 runs, 0 of them already in" in first.stdout
    assert "4 refits, 0 of them already in" in first.stdout
    assert len(re.findall(r"^\[\d/4\] meld · \w+ · seed \d · refit: \S+ elapsed", first.stdout, re.MULTILINE)) == 4

    made = of_store(tmp_path)
    for spec, result in made["refit"]:
        of = {s["key"]: r["selected"]["epoch"] for s, r in made["validated"] if s["label"] == spec["label"]}
        assert spec["refit_of"]["epochs"] == of
        assert spec["refit_of"]["mean"] == sum(of.values()) / 2
        assert spec["training"]["epochs"] == result["last"]["epoch"] == (sum(of.values()) + 1) // 2
        assert {s["group"] for s, _ in made["validated"] if s["label"] == spec["label"]} == {spec["refit_of"]["group"]}
    page = (tmp_path / "report" / "report.md").read_text()
    assert "refit" in page
    assert "8 complete runs shown" in page

    before = digests(tmp_path)
    again = cli(*words, "--refit")
    assert again.returncode == 0, again.stderr
    assert re.findall(r"(\d) \w+, (\d) of them", again.stdout) == [("4", "4"), ("4", "4")]
    assert "writing the report" not in again.stdout
    assert digests(tmp_path) == before

    listed = cli("runs", "--store", tmp_path).stdout
    for protocol, counts in (("validated", "selected"), ("refit", "last")):
        for spec, result in made[protocol]:
            assert re.search(rf"{spec['key']}.*{protocol}.*{100 * result[counts]['weighted_f1']:.2f}", listed)

    verified = cli("verify", made["refit"][0][0]["key"], "--store", tmp_path, "--data-dir", features)
    assert (verified.returncode, "the same bits" in verified.stdout) == (0, True), verified.stderr


def test_a_refit_that_was_cut_off_goes_on_to_the_same_bits(
    cli: Cli, cli_process: Cli, features: Path, tmp_path: Path
) -> None:
    words = (*WORDS, "--epochs", "3", "--methods", "adam", "--seeds", "2", "--data-dir", features)
    assert cli(*words, "--store", tmp_path / "whole", "--refit").returncode == 0
    store = tmp_path / "cut"
    cut = """
import os
from benchmark.execution import coordinator
real = coordinator.log
def log(tracker, event, task, store):
    real(tracker, event, task, store)
    if type(event).__name__ == "Epoch" and task.spec.protocol == "refit":
        os._exit(9)
coordinator.log = log
from benchmark.cli import main; main()
"""
    assert cli_process(*words, "--store", store, "--refit", code=cut).returncode == 9
    assert len(digests(store)) < 4
    assert cli(*words, "--store", store, "--refit").returncode == 0
    assert digests(store) == digests(tmp_path / "whole")


def test_the_published_protocol_is_labelled_and_compared_with_nothing(cli: Cli, features: Path, tmp_path: Path) -> None:
    words = (*WORDS, "--methods", "css,adam", "--data-dir", features, "--store", tmp_path)
    said = cli(*words, "--protocol", "published")
    assert said.returncode == 0, said.stderr
    assert "MLflow" not in said.stderr
    assert len(re.findall(r"meld · \w+ · seed 10068 · published: \S+ elapsed", said.stdout)) == 2
    assert list(of_store(tmp_path)) == ["published"]
    page = (tmp_path / "report" / "report.md").read_text()
    assert "published protocol: best test epoch, no result" in page
    assert "minus" not in page.partition("### Accuracy")[0]
    assert not re.search(r"\bnan\b", page)
    assert cli("runs", "--store", tmp_path).stdout.count("not available") == 2

    alone = cli(*words, "--seeds", "1", "--protocol", "published")
    assert "2 runs, 0 of them already in" in alone.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--refit", "--protocol", "published"), "--refit needs the epochs that validation selected"),
        (("--protocol", "publishd"), "unknown protocol 'publishd', did you mean 'published'?"),
        (("--protocol", "refit"), "unknown protocol 'refit'"),
    ],
)
def test_protocols_that_cannot_be_are_wrong_usage(cli: Cli, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    found = cli("run", "--preset", "smoke", "--store", tmp_path / "store", *words)
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert said in found.stderr
    assert not (tmp_path / "store").exists()


def test_help_tells_of_both(cli: Cli) -> None:
    said = cli("run", "--help").stdout
    assert "--protocol" in said
    assert "--refit" in said
