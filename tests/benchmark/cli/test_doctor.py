"""``cssbench doctor``: what is broken is named with a remedy, and only that makes it exit with 1."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from benchmark.store.store import Store
from tests.benchmark.harness import MAIN, Say
from tests.benchmark.synthetic import write_run
from tests.paths import ROOT

ASKED = "import sys; sys.argv[0] = 'cssbench'\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    held = Store(tmp_path / "store")
    write_run(held.runs, "1" * 16)
    write_run(held.runs, "2" * 16, "unfinished")
    return held


def checks(say: Say, store: Path, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    code, out, _ = say("doctor", "--store", store, "--json", *words)
    return code, {check["name"]: check for check in json.loads(out)}


def test_a_sound_installation_exits_with_0_and_leaves_nothing(say: Say, store: Store) -> None:
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}
    code, by_name = checks(say, store.root)
    assert code == 0, [check for check in by_name.values() if check["is_broken"]]
    assert by_name["store"]["sentence"] == f"{store.root}: 2 runs, 1 of them complete"
    assert by_name["numpy"]["sentence"] == metadata.version("numpy")
    assert {
        "python",
        "torch",
        "devices",
        "threads",
        "cache",
        "disk",
        "tracking",
        "[ray]",
        "[torchjd]",
    } <= by_name.keys()
    assert {path: path.stat().st_mtime_ns for path in store.root.rglob("*")} == before
    code, out, _ = say("doctor", "--store", store.root)
    assert (code, f"✓ numpy: {metadata.version('numpy')}\n" in out) == (0, True)


def test_what_is_broken_is_named_with_its_remedy(say: Say, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    version = metadata.version

    def other(name: str) -> str:
        if name in ("scipy", "ray"):
            raise metadata.PackageNotFoundError(name)
        return "1.26" if name == "numpy" else version(name)

    monkeypatch.setattr("benchmark.workflows.doctor.version", other)
    (store.folder("1" * 16) / "spec.json").write_text("torn")
    code, by_name = checks(say, store.root, "--tracking-uri", "gopher://nowhere")
    assert code == 1
    assert {name for name, check in by_name.items() if check["is_broken"]} == {"numpy", "scipy", "run", "tracking"}
    assert "1.26 is not in" in by_name["numpy"]["sentence"]
    assert "pip install 'scipy" in by_name["scipy"]["remedy"]
    assert "pip install 'css-bench[ray]'" in by_name["[ray]"]["remedy"]
    assert "remove it" in by_name["run"]["remedy"]
    assert "--tracking-uri" in by_name["tracking"]["remedy"]


def test_no_store_is_no_fault_and_a_file_in_its_place_is(say: Say, tmp_path: Path) -> None:
    code, by_name = checks(say, tmp_path / "none")
    assert (code, "yet" in by_name["store"]["sentence"]) == (0, True)
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").touch()
    code, by_name = checks(say, tmp_path / "file")
    assert (code, by_name["store"]["is_broken"]) == (1, True)


@pytest.mark.parametrize("words", [("methods",), ("presets",), ("presets", "smoke"), ("data", "list")])
def test_lists_are_there_for_programs_too(say: Say, words: tuple[str, ...]) -> None:
    code, out, _ = say(*words, "--json")
    listed = json.loads(out)
    assert code == 0
    if words == ("methods",):
        assert listed["methods"]["css"]["by_default"]
        assert listed["parts"]["aggregator"]["mgda"]["link"].startswith("https://")
        assert "css" in listed["grids"]["ablation"]
    elif words == ("data", "list"):
        assert {row["name"] for row in listed if row["usable"]} >= {"meld-sim", "iemocap-sim"}
    else:
        smoke = next(preset for preset in listed if preset["name"] == "smoke")
        assert smoke["settings"]["meld"]["epochs"] >= 1
        assert len(listed) == (4 if len(words) == 1 else 1)


def test_the_shell_completes_commands_without_loading_torch(tmp_path: Path) -> None:
    """As bash asks for what begins with `ver`: typer's protocol, which `--install-completion` sets up."""
    code = f"{ASKED}try:\n    {MAIN}\nfinally:\n    print('torch' in sys.modules)"
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    asked = {"_CSSBENCH_COMPLETE": "complete_bash", "COMP_WORDS": "cssbench ver", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | asked | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.stdout.split() == ["verify", "False"], done.stderr
