import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest

from benchmark.base import fingerprints
from benchmark.base.devices import resolve_device
from benchmark.base.errors import UserError
from benchmark.base.fingerprints import provenance, source_fingerprint
from tests.paths import ROOT

REGISTRY = "benchmark/methods/registry.py"  # pointing a name at another factory is another source
PACKAGES = ("css", "baselines", "benchmark", "reports")

SCRIPT = """
import json, shutil, sys
from pathlib import Path
from benchmark.fingerprints import provenance, resolve_device, source_fingerprint

def again():
    source_fingerprint.cache_clear()
    return source_fingerprint()

root = Path.cwd()
assert Path(sys.modules["benchmark"].__file__).is_relative_to(root)
original = again()
changed = {}
for file in sorted(root.rglob("*.*")):
    if file.is_file() and "__pycache__" not in file.parts:
        content = file.read_bytes()
        file.write_bytes(content + b" ")
        changed[file.relative_to(root).as_posix()] = again() != original
        file.write_bytes(content)
events = {}
(root / "baselines" / "new.py").write_bytes(b"")
events["new file"] = again() != original
(root / "baselines" / "new.py").unlink()
(root / "css" / "model.py").rename(root / "css" / "models.py")
events["renamed file"] = again() != original
(root / "css" / "models.py").rename(root / "css" / "model.py")
a, b = root / "css" / "model.py", root / "css" / "fusion.py"
contents = a.read_bytes(), b.read_bytes()
b.write_bytes(contents[0]), a.write_bytes(contents[1])
events["swapped files"] = again() != original
a.write_bytes(contents[0]), b.write_bytes(contents[1])
(root / "css" / "__pycache__").mkdir(exist_ok=True)
(root / "css" / "__pycache__" / "model.cpython-313.pyc").write_bytes(b"x")
events["compiled file"] = again() != original
assert again() == original
resolve_device("auto")
provenance("d", "cpu")
print(json.dumps({"original": original, "changed": changed, "events": events, "torch": "torch" in sys.modules}))
"""


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the script finds in two copies of the packages, in folders of different names."""
    first = tmp_path_factory.mktemp("source") / "here"
    second = tmp_path_factory.mktemp("source") / "else" / "where"
    for source, root in ((ROOT, first), (first, second)):
        for package in PACKAGES:
            shutil.copytree(source / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    found = []
    for root in (first, second):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, env={"PYTHONPATH": str(root)}
        )
        assert not done.returncode, done.stderr
        found.append(json.loads(done.stdout))
    return found


def test_a_byte_in_what_produces_numbers_is_another_source_and_one_elsewhere_is_not(
    copies: list[dict[str, Any]],
) -> None:
    changed = copies[0]["changed"]

    for file, differs in changed.items():
        numbers = file.startswith(("css/", "baselines/", "benchmark/data/", "benchmark/training/"))
        assert differs == (
            file.endswith(".py") and (numbers or file in ("benchmark/evaluation/scoring.py", REGISTRY))
        ), file
    for file in (
        "css/encoder.py",
        "baselines/aggregators/pcgrad.py",
        "benchmark/data/simulation/spec.py",
        "benchmark/evaluation/scoring.py",
    ):
        assert changed[file] is True
    for file in ("benchmark/tracking/tracker.py", "benchmark/execution/local.py", "reports/tables/overview.py"):
        assert changed[file] is False
    assert changed["benchmark/presets/quick.toml"] is False


def test_names_of_files_count_and_compiled_ones_do_not(copies: list[dict[str, Any]]) -> None:
    assert copies[0]["events"] == {
        "new file": True,
        "renamed file": True,
        "swapped files": True,
        "compiled file": False,
    }


def test_the_same_source_elsewhere_is_the_same(copies: list[dict[str, Any]]) -> None:
    assert copies[0]["original"] == copies[1]["original"]


def test_nothing_here_imports_torch(copies: list[dict[str, Any]]) -> None:
    assert copies[0]["torch"] is False


def test_a_grid_is_expanded_without_torch() -> None:
    script = """
import sys
from benchmark.data.datasets import default
from benchmark.grid import expand
from benchmark.presets import load_preset
from benchmark.registry import METHODS
assert expand(load_preset("quick"), default(None), METHODS, [0])
assert "torch" not in sys.modules and "mlflow" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr


def test_provenance_names_source_libraries_and_device() -> None:
    assert provenance("data", "cuda").model_dump() == {
        "data": "data",
        "source": source_fingerprint(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "device": "cuda",
    }


def machine(monkeypatch: pytest.MonkeyPatch, devices: int, torch: str) -> None:
    monkeypatch.setattr(fingerprints, "cuda_devices", lambda: devices)
    monkeypatch.setattr(fingerprints, "version", lambda name: torch)


@pytest.mark.parametrize(
    ("devices", "torch", "auto"),
    [(0, "2.8.0", "cpu"), (2, "2.8.0", "cuda"), (1, "2.8.0+cu128", "cuda"), (1, "2.8.0+cpu", "cpu")],
)
def test_auto_is_cuda_where_driver_and_torch_both_have_it(
    devices: int, torch: str, auto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, devices, torch)

    assert resolve_device("auto") == auto
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize(("devices", "torch"), [(0, "2.8.0"), (1, "2.8.0+cpu")])
def test_asking_for_cuda_where_there_is_none_says_what_to_do(
    devices: int, torch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, devices, torch)

    with pytest.raises(UserError, match=r"no CUDA device for torch .*--device cpu.*CUDA build") as error:
        resolve_device("cuda")
    assert "\n" not in str(error.value)


def test_cuda_is_cuda_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, 1, "2.8.0")

    assert resolve_device("cuda") == "cuda"
