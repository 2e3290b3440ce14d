"""A plug-in that a store or a lock names is imported where the user trusts it, and where its source is the run's."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from benchmark.base.files import write_json
from benchmark.base.fingerprints import package_fingerprint
from benchmark.experiment.spec import RunSpec
from benchmark.methods.parts import Plugin
from benchmark.methods.registry import AGGREGATORS, FUSIONS
from benchmark.store.checksums import with_checksums
from tests.benchmark.harness import Cli, Say
from tests.benchmark.small_store import STUDY, WORDS, make_small_store
from tests.paths import ROOT
from tests.shared import made_once

HOSTILE = "from pathlib import Path\nPath('executed').touch()\n"
PLUGIN = """
from pathlib import Path
from baselines.fusions.concat import ConcatFusion

Path(__file__).with_name("executed").touch()

class Mine(ConcatFusion):
    def __init__(self, features, modalities):
        super().__init__(features, modalities)
"""
COMMANDS: dict[str, tuple[str, ...]] = {
    "runs": ("runs",),
    "runs KEY": ("runs", "{key}"),
    "report": ("report", "--out", "{root}-report"),
    "verify": ("verify", "--all"),
    "verify KEY": ("verify", "{key}"),
    "verify --files": ("verify", "--all", "--files"),
    "run": ("run", *WORDS, "--seeds", "2", "--workers", "1", "--dry-run"),
    "run --until-decided": ("run", *WORDS, "--until-decided", "--looks", "2", "--dry-run"),
    "run --tuned": ("run", "--preset", "smoke", "--tuned", STUDY, "--seeds", "2", "--dry-run"),
    "run --locked": ("run", "--locked", "{root}/paper.json", "--workers", "1"),
    "lock": ("lock", *WORDS, "--tuned", STUDY, "--out", "{root}/another.json"),
    "prune": ("store", "prune", "--outdated", "--yes"),
    "merge": ("store", "merge", "{root}", "--into", "{root}-copy"),
    "move": ("store", "move", "--into", "{root}-copy"),
    "sync": ("sync",),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as it was written."""
    return made_once(tmp_path_factory, "small-store", lambda folder: make_small_store(folder / "store"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, in which modules are found before all others; the registry is put back afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    with patch.dict(FUSIONS), patch.dict(AGGREGATORS):
        yield tmp_path


def with_plugin(record: dict[str, object], factory: str) -> RunSpec:
    """The run with its fusion from a module here, of the fingerprint that this has."""
    spec = RunSpec.from_record(record)
    plugin = Plugin(factory=factory, source=package_fingerprint(factory))
    fusion = spec.method.fusion.model_copy(update={"plugin": plugin})
    return spec.model_copy(update={"method": spec.method.model_copy(update={"fusion": fusion})})


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_store_names_is_never_executed(
    say: Say, whole: Path, here: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    root = shutil.copytree(whole, here / "store", ignore=shutil.ignore_patterns("figures", "tables"))
    (here / "hostile.py").write_text(HOSTILE)
    (here / "hostile-1.0.dist-info").mkdir()  # as if it were installed
    (here / "hostile-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n")
    points = "[cssbench.fusions]\nhostile = hostile:Fusion\n"
    (here / "hostile-1.0.dist-info" / "entry_points.txt").write_text(points)
    folder = min((root / "runs").iterdir())
    spec = with_plugin(json.loads((folder / "spec.json").read_text()), "hostile:Fusion")
    folder = folder.rename(root / "runs" / spec.key)
    write_json(folder / "spec.json", spec.record())
    write_json(folder / "result.json", with_checksums(folder, json.loads((folder / "result.json").read_text())))
    lock = json.loads((root / "paper.json").read_text())
    write_json(root / "paper.json", lock | {"runs": [spec.record()]})

    words = [word.format(root=root, key=spec.key) for word in COMMANDS[command]]
    to_store = () if "merge" in words else ("--store", root)
    code, out, err = say(*words, *to_store)
    assert "a fault of css-bench" not in err, err
    assert not (here / "executed").exists(), (out, err)
    assert "hostile" not in sys.modules
    if command in ("verify", "verify KEY", "run --locked"):
        assert code != 0
        assert "names the plug-in 'hostile:Fusion', which is not installed, and was not imported" in out + err
        assert "name it with --plugin" in out + err


def test_the_users_word_or_an_installation_admits_what_has_the_runs_source(
    cli_process: Cli, here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (here / "my_fusion.py").write_text(PLUGIN)
    path, named = str(ROOT), ("--plugin", "my_fusion:Mine")
    grid = ("--preset", "smoke", "--epochs", "1", "--datasets", "iemocap-sim", "--methods", "Mine", "--seeds", "1")
    grid = (*grid, "--device", "cpu", *named)
    assert cli_process("run", *grid, "--workers", "1", PYTHONPATH=path).returncode == 0
    assert cli_process("lock", *grid, "--out", "paper.json", PYTHONPATH=path).returncode == 0
    (here / "executed").unlink()

    def said(*words: str, path: str = path) -> str:
        done = cli_process(*words, PYTHONPATH=path)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    assert "which is not installed, and was not imported" in said("verify", "--all")
    assert "which is not installed, and was not imported" in said("run", "--locked", "paper.json")
    assert not (here / "executed").exists()
    assert "the same bits" in said("verify", "--all", *named)
    assert "1 run, 1 of them already in" in said("run", "--locked", "paper.json", "--dry-run", *named)

    site = tmp_path_factory.mktemp("site")
    (here / "my_fusion.py").rename(site / "my_fusion.py")
    (site / "my_fusion-1.0.dist-info").mkdir()
    (site / "my_fusion-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: my-fusion\nVersion: 1\n")
    (site / "my_fusion-1.0.dist-info" / "entry_points.txt").write_text("[cssbench.fusions]\nmine = my_fusion:Mine\n")
    installed = os.pathsep.join([str(site), path])
    assert "the same bits" in said("verify", "--all", path=installed)

    (site / "executed").unlink()
    with (site / "my_fusion.py").open("a") as file:
        file.write("# another\n")
    for words in (("verify", "--all"), ("verify", "--all", *named), ("run", "--locked", "paper.json", *named)):
        answer = said(*words, path=installed)
        assert answer.startswith("2 "), answer
        assert "put back the source that the run was made with" in answer
    assert not (site / "executed").exists()
