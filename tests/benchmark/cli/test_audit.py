"""``cssbench data audit``: exit codes, JSON, page."""

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmark import cli
from benchmark.audit import audit_file
from tests.benchmark.harness import feature_items, write_features

Run = Any


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(*words)`` is ``cssbench data audit`` in this process: its exit code, stdout and stderr."""

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cssbench", "data", "audit", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0), *capsys.readouterr()

    return command


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """MELD's layout, far fewer utterances: which is a defect."""
    return write_features(tmp_path, feature_items()) / "meld_multimodal_features.pkl"


def test_defects_end_with_1_and_are_named(run: Run, tiny: Path) -> None:
    code, out, err = run(tiny)
    assert (code, err) == (1, "")
    assert "counts are not meld's: train conversations: 16, known are 1038" in out
    assert out.splitlines()[-1].startswith("1 defect, ")


def test_a_clean_file_ends_with_0(run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.audit.findings.differences", lambda *_: [])
    code, out, err = run(tiny)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].startswith("no defects, ")


def test_json_is_what_the_library_counts(run: Run, tiny: Path) -> None:
    code, out, _ = run(tiny, "--json")
    assert code == 1
    read = json.loads(out)
    assert read == json.loads(json.dumps(audit_file(tiny).as_dict()))
    assert read["clean"] is False
    assert read["counts"]["train"]["conversations"] == 16
    assert read["findings"][0]["severity"] == "defect"


def test_the_page_holds_every_finding(run: Run, tiny: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run(tiny, "--html", page)[0] == 1
    text = page.read_text()
    assert "counts are not meld&#39;s" in text
    assert audit_file(tiny).sha256 in text  # type: ignore[operator]


@pytest.mark.parametrize("page", ["absent/page.html", "folder"])
def test_a_page_that_cannot_be_written_is_wrong_usage(run: Run, tiny: Path, tmp_path: Path, page: str) -> None:
    (tmp_path / "folder").mkdir()
    code, _, err = run(tiny, "--html", tmp_path / page)
    assert code == 2
    assert len(err.splitlines()) == 1


class _Hostile:
    def __reduce__(self) -> Any:
        return os.system, ("touch executed",)


def _in_both_splits(items: list[Any]) -> None:
    items[11] = [*items[11], items[10][0]]


def _hostile(items: list[Any]) -> None:
    items[9][0] = _Hostile()


@pytest.mark.parametrize("damage", [_hostile, _in_both_splits, lambda items: items.pop()])
def test_a_file_that_cannot_be_read_ends_with_2_and_executes_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    items = feature_items()
    damage(items)
    Path("file.pkl").write_bytes(pickle.dumps(tuple(items)))
    code, out, err = run("file.pkl", "--json")
    assert (code, out) == (2, "")
    assert err.startswith("error: file.pkl: ")
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file.pkl"]


@pytest.mark.parametrize("content", [b"", b"text\n", None])
def test_what_is_no_feature_file_ends_with_2(run: Run, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file.pkl"
    if content is not None:
        path.write_bytes(content)
    code, _, err = run(path)
    assert code == 2
    assert str(path) in err
