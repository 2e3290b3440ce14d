"""A run of a plug-in that changes its whole process costs itself alone: others have their bits, and the grid ends."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

import benchmark
from benchmark.base.process_state import put_back
from benchmark.methods import plugins
from benchmark.methods.registry import FUSIONS
from tests.benchmark.harness import digests

CHANGES = {
    "threads": "torch.set_num_threads(2)",
    "dtype": "torch.set_default_dtype(torch.float64)",
    "gradients": "torch.set_grad_enabled(False)",
    "algorithms": "torch.use_deterministic_algorithms(False)",
    "folder": "os.chdir('/')",
    "waiting": "threading.Thread(target=time.sleep, args=(3600,)).start()",
}
PLUGIN = """
import os, threading, time
import torch
from baselines.fusions.concat import ConcatFusion

os.environ["OMP_NUM_THREADS"] = "2"
os.chdir("..")

class Hostile(ConcatFusion):
    def __init__(self, features, modalities):
        super().__init__(features, modalities)

    def forward(self, features):
        fused = super().forward(features)
        {change}
        return fused
"""


@pytest.fixture(scope="module")
def grid(features: Path) -> dict[str, Any]:
    """Two seeds of an epoch, one after the other in one worker."""
    choices = {"preset": "smoke", "epochs": 1, "datasets": "meld", "data_dir": features, "seeds": 2, "device": "cpu"}
    return choices | {"workers": 1, "report": False}


@pytest.fixture(scope="module")
def alone(grid: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The digests of the built-in method where there is no plug-in."""
    store = tmp_path_factory.mktemp("alone") / "store"
    benchmark.run(**grid, methods="concat+pgm", store=store)
    return digests(store)


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_plug_in_changes_of_its_process_no_other_run_meets(
    grid: dict[str, Any], alone: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    (tmp_path / "hostile_here.py").write_text(PLUGIN.format(change=CHANGES[change]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    try:
        outcome = benchmark.run(**grid, methods="Hostile,concat+pgm", plugins=["hostile_here:Hostile"], store="store")
    finally:
        FUSIONS.pop("Hostile", None)
        sys.modules.pop("hostile_here", None)
        plugins.load_class.cache_clear()
        plugins._options.cache_clear()
    beside = digests(Path("store"))
    assert alone == {key: beside.get(key) for key in alone}
    assert len(alone) == 2
    assert change in ("dtype", "gradients") or outcome.failed == 0


def test_folder_and_environment_are_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGED", "before")
    monkeypatch.setenv("REMOVED", "before")
    monkeypatch.delenv("ADDED", raising=False)
    folder = Path.cwd()
    with put_back():
        os.chdir(tmp_path)
        os.environ.update({"CHANGED": "after", "ADDED": "after"})
        del os.environ["REMOVED"]
    assert Path.cwd() == folder
    assert (os.environ["CHANGED"], os.environ["REMOVED"], os.environ.get("ADDED")) == ("before", "before", None)
