"""What merely lies in the current folder is not imported, whatever it is called; a plug-in that is named there is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli import _leave_out_current_folder
from tests.paths import ROOT

SHADOWED = (
    "torch",
    "numpy",
    "scipy",
    "random",
    "socket",
    "tempfile",
    "pydantic",
    "css",
    "secrets",
    "pyarrow",
    "pandas",
)
PLUGIN = """
from baselines.fusions.concat import ConcatFusion

class Mine(ConcatFusion):
    def __init__(self, features, modalities):
        super().__init__(features, modalities)
"""
GRID = """
import sys, benchmark
outcome = benchmark.run(
    preset="smoke", epochs=1, datasets="meld", data_dir=sys.argv[1], methods="Mine", plugins=["my_fusion:Mine"],
    seeds=1, device="cpu", workers=1, report=False, store="store", tracking_uri="nowhere:",
)
print(outcome.made - outcome.failed, "finished")
"""


def test_no_process_of_a_grid_imports_what_lies_in_the_current_folder(tmp_path: Path, features: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for name in SHADOWED:
        (here / f"{name}.py").write_text(f"open('imported-{name}', 'w').close()\nraise ImportError(1)\n")
    (here / "my_fusion.py").write_text(PLUGIN)
    program = tmp_path / "program.py"
    program.write_text(GRID)
    done = subprocess.run(
        [sys.executable, program, features],
        cwd=here,
        env={name: v for name, v in os.environ.items() if name != "PYTHONSAFEPATH"} | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert [path.name for path in here.glob("imported-*")] == []
    assert done.stdout == "1 finished\n", done.stderr


@pytest.mark.parametrize("first", ["", "{here}"])
def test_the_folder_that_python_m_looks_in_first_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [first.format(here=tmp_path), "elsewhere"])
    _leave_out_current_folder()
    assert sys.path == ["elsewhere"]
    _leave_out_current_folder()
    assert sys.path == ["elsewhere"]


def test_a_checkout_is_used_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", ["", "elsewhere"])
    _leave_out_current_folder()
    assert sys.path == ["", "elsewhere"]
