"""Some changed stores under every command; `nox -s fuzz` tries many more. And what is looked for would be seen."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.fuzz import store_changes
from tests.fuzz.store_changes import Change
from tests.fuzz.stores import COMMANDS, Fuzz


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory) -> Fuzz:
    return Fuzz(tmp_path_factory.mktemp("fuzz"))


def test_every_command_ends_well_on_a_whole_store(fuzz: Fuzz) -> None:
    assert {command: said.code for command, said in fuzz.unharmed.items()} == dict.fromkeys(COMMANDS, 0)
    assert len(fuzz.rows) == len(fuzz.unharmed["report"].analysed) == 4


def test_nothing_that_was_changed_is_believed(fuzz: Fuzz) -> None:
    assert [failure for index in range(4 * len(COMMANDS)) if (failure := fuzz.failure(0, index))] == []


def changed(fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch, command: str, file: str, change: Change) -> str | None:
    monkeypatch.setattr(fuzz, "case", lambda *_: (command, f"runs/{fuzz.key}/{file}", change), raising=False)
    return fuzz.failure(0, 0)


def of_other_source(file: Path, _: Path, draw: Random) -> None:
    spec: dict[str, Any] = json.loads(file.read_text())
    file.write_text(json.dumps(spec | {"provenance": spec["provenance"] | {"source": "0" * 64}}))


def test_a_run_is_not_outdated_because_its_specification_was_changed(
    fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert changed(fuzz, monkeypatch, "prune --outdated", "spec.json", of_other_source) is None


def test_a_report_names_a_run_that_has_a_folder_in_the_place_of_its_result(
    fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert changed(fuzz, monkeypatch, "report", "result.json", store_changes.make_folder) is None


@pytest.mark.parametrize("command", ["runs --json", "verify", "merge", "prune --outdated"])
def test_a_harness_whose_seals_hold_nothing_is_found_out(
    fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def believe(folder: Path, *_: object) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((folder / "result.json").read_text())
        return content

    def score(file: Path, _: Path, draw: Random) -> None:
        result = json.loads(file.read_text())
        result["selected"]["weighted_f1"] = 0.9999
        file.write_text(json.dumps(result))

    for place in ("benchmark.store.checksums.read_result", "benchmark.store.store.read_result"):
        monkeypatch.setattr(place, believe, raising=False)
    is_spec = command.startswith("prune")
    change, file = (of_other_source, "spec.json") if is_spec else (score, "result.json")
    assert changed(fuzz, monkeypatch, command, file, change) is not None


def test_what_changes_something_outside_is_found_out(fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    def spill(words: list[str]) -> Any:
        (Path(words[-1]).parent / "elsewhere" / "new").touch()
        return fuzz.unharmed["runs"]

    monkeypatch.setattr("tests.fuzz.stores.say", spill)
    failure = changed(fuzz, monkeypatch, "runs", "log.txt", lambda *_: None)
    assert failure
    assert "something outside the store changed" in failure
