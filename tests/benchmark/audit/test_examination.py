"""What is known of a data set before it is trained on: made once, kept, and told to whoever runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmark.audit import audit_file, examination
from benchmark.audit.examination import examine
from benchmark.audit.references import references
from benchmark.data.datasets import dataset
from benchmark.data.inputs import Inputs
from benchmark.data.simulation import ceilings as module
from tests.benchmark.harness import Cli, feature_items, write_features


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CSSBENCH_CACHE", str(tmp_path / "cache"))


def leaking(folder: Path) -> Path:
    """A tiny file of MELD whose test conversations have visual vectors of training conversations."""
    items = feature_items()
    for number in range(6):
        items[8][1153 + number] = [items[8][number][0] for _ in items[8][1153 + number]]
    return write_features(folder, items)


def test_the_audit_is_that_of_what_runs_train_on(tmp_path: Path) -> None:
    folder, told = leaking(tmp_path), list[str]()
    found = examine(dataset("meld", folder), told.append)
    assert found["ceiling"] is None
    assert len(told) == 1
    expected = [finding.message for finding in audit_file(folder / "meld_multimodal_features.pkl").defects]
    assert found["audit"]["defects"] == expected
    assert found["audit"]["remedies"] == ["zero-leaked"]
    counts, copies = expected
    assert "visual: 16 of 16 test vectors" in copies
    for inputs, left in (
        (Inputs(modalities=("text", "audio")), [counts]),
        # one of so few is many
        (Inputs(remedies=("zero-leaked",)), [counts, "visual: all-zero vectors: train 0 of 50 (0.0%), dev 0 of 22 "]),
    ):
        audit = examine(dataset("meld", folder, inputs), told.append)["audit"]
        assert audit["remedies"] == []
        assert all(message.startswith(start) for message, start in zip(audit["defects"], left, strict=True))
    assert len(told) == 3  # each is another question


def test_a_second_question_is_answered_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, told = dataset("iemocap-sim", None), list[str]()
    first = examine(data, told.append)
    monkeypatch.setattr(examination, "_audit", None)
    monkeypatch.setattr(examination, "_ceiling", None)
    monkeypatch.setattr("benchmark.audit.references.references", None)
    assert examine(data, told.append) == first
    assert len(told) == 1


def test_a_simulated_corpus_has_the_ceiling_of_the_modalities_in_use() -> None:
    data = dataset("meld-sim", None, Inputs(modalities=("text", "visual")))
    found = examine(data, lambda _: None)
    (row,) = module.measure_ceilings(data.simulated, 0, 640, subsets=[("text", "visual")], contexts=(True,))
    assert found["ceiling"]["modalities"] == ["text", "visual"]
    assert found["ceiling"]["weighted_f1"] == row.weighted_f1
    assert found["ceiling"]["test_accuracy"] == row.test_accuracy
    assert found["ceiling"]["weighted_f1_without_synergy"] == row.weighted_f1  # text and visual share no product
    assert found["audit"]["clean"]


def test_references_are_those_of_what_runs_train_on() -> None:
    data = dataset("meld-sim(scale=0.1)", None, Inputs(modalities=("text", "visual")))
    found = examine(data, lambda _: None)["references"]
    assert found == references(data.load())
    assert [row["modalities"] for row in found] == [[], ["text", "visual"], ["text"], ["visual"]]


def test_a_simulated_corpus_has_the_ceiling_without_its_synergy_too() -> None:
    data = dataset("meld-sim-hard", None)
    found = examine(data, lambda _: None)["ceiling"]
    (row,) = module.measure_ceilings(data.simulated, 0, 640, subsets=[("text", "audio", "visual")], contexts=(True,))
    names = ("weighted_f1_without_synergy", "weighted_f1_without_synergy_se", "weighted_f1_synergy_se")
    assert {name: found[name] for name in names} == {name: getattr(row, name) for name in names}
    assert found["weighted_f1"] - found["weighted_f1_without_synergy"] > 3 * found["weighted_f1_synergy_se"] > 0


def test_no_ceiling_is_given_where_a_remedy_changed_something(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset("meld-sim", None, Inputs(remedies=("zero-leaked",)))
    assert examination._ceiling(data) is not None
    original = type(data).load_remedied

    def changed(self: Any) -> Any:
        conversations, (change,) = original(self)
        change.counts["test visual vectors"] = 1
        return conversations, (change,)

    monkeypatch.setattr(type(data), "load_remedied", changed)
    assert examination._ceiling(data) is None


def test_a_run_warns_of_defects_and_one_with_remedies_carries_their_counts(cli: Cli, tmp_path: Path) -> None:
    folder = leaking(tmp_path / "data")
    words = ("run", "--preset", "smoke", "--epochs", "1", "--datasets", "meld", "--seeds", "1", "--device", "cpu")
    words += ("--data-dir", folder, "--methods", "adam", "--workers", "1")
    said = cli(*words, "--store", tmp_path / "plain")
    assert said.returncode == 0, said.stderr
    (warning,) = said.stderr.splitlines()
    assert warning.startswith("warning: meld: the audit finds 2 defects (cssbench data audit ")
    assert warning.endswith("meld_multimodal_features.pkl shows them); --drop-defects zero-leaked is a remedy")

    said = cli(*words, "--store", tmp_path / "mended", "--drop-defects", "zero-leaked")
    assert said.returncode == 0, said.stderr
    plain, mended = (
        {name: json.loads(file.with_name(f"{name}.json").read_text()) for name in ("spec", "manifest")}
        for store in ("plain", "mended")
        for file in (tmp_path / store).glob("runs/*/result.json")
    )
    assert plain["manifest"]["data"]["remedies"] == []
    (remedy,) = mended["manifest"]["data"]["remedies"]
    assert (remedy["remedy"], remedy["counts"]) == ("zero-leaked", {"test visual vectors": 16})
    assert mended["spec"]["inputs"]["remedies"] == ["zero-leaked"]
    assert plain["spec"]["budget"] != mended["spec"]["budget"]
    assert plain["manifest"]["data"]["audit"]["remedies"] == ["zero-leaked"]
    assert mended["manifest"]["data"]["audit"]["remedies"] == []
    page = (tmp_path / "mended" / "report" / "report.md").read_text()
    assert "changed 16 test visual vectors." in page
    assert "Audit: 2 defects" in page


def test_another_audit_is_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[str]()
    asked = list[tuple[str, ...]]()
    monkeypatch.setattr(examination, "files_fingerprint", lambda places: asked.append(places) or str(len(asked)))
    monkeypatch.setattr(examination, "_audit", lambda _: {})
    monkeypatch.setattr(examination, "_ceiling", lambda _: None)
    monkeypatch.setattr("benchmark.audit.references.references", lambda _: None)
    for _ in range(2):
        examine(dataset("meld-sim", None), told.append)
    assert len(told) == 2
    assert asked == [("benchmark/audit", "benchmark/data")] * 2
