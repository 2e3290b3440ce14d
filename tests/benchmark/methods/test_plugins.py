"""Fusions and aggregators from outside: the tutorial's own files, through the whole suite."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import benchmark
import reports
from benchmark.base.errors import UserError
from benchmark.base.fingerprints import package_fingerprint
from benchmark.data.datasets import dataset
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.methods import plugins
from benchmark.methods.contracts import check_aggregator, check_fusion
from benchmark.methods.parsing import parse_method
from benchmark.methods.registry import AGGREGATORS, FUSIONS
from benchmark.store.store import Store
from tests.benchmark.harness import Cli
from tests.paths import ROOT

TUTORIAL = (ROOT / "docs" / "plugins.md").read_text()
CHOICES: dict[str, Any] = {
    "preset": "smoke", "epochs": 1, "datasets": "iemocap-sim", "seeds": 1, "device": "cpu",
}  # fmt: skip
RUN = ("run", "--preset", "smoke", "--epochs", "1", "--datasets", "iemocap-sim", "--seeds", "1", "--device", "cpu")


def code_of(heading: str) -> str:
    """The first block of Python under a heading of the tutorial."""
    section = TUTORIAL.split(f"## {heading}\n")[1].split("\n## ")[0]
    block = re.search(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert block
    return block[1]


FILE = code_of("A fusion") + "\n\n" + code_of("An aggregator")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder with the tutorial's file; registry, import path and modules are put back afterwards."""
    before = set(sys.modules)
    (tmp_path / "my_fusions.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    for known in (FUSIONS, AGGREGATORS):
        for name in list(known):
            monkeypatch.setitem(known, name, known[name])
    names = set(FUSIONS), set(AGGREGATORS)
    yield tmp_path
    for known, kept in zip((FUSIONS, AGGREGATORS), names, strict=True):
        for name in set(known) - kept:
            del known[name]
    for name in set(sys.modules) - before:
        if name.startswith("my_"):
            del sys.modules[name]
    plugins.load_class.cache_clear()
    plugins._options.cache_clear()


def install(folder: Path, fusions: dict[str, str], aggregators: dict[str, str] | None = None) -> Path:
    """What pip leaves of a package with entry points."""
    info = folder / "my_fusions-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-fusions\nVersion: 1.0\n")
    lines = []
    for group, points in (("cssbench.fusions", fusions), ("cssbench.aggregators", aggregators or {})):
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder


def test_the_tutorials_components_are_short_and_keep_the_contract(folder: Path) -> None:
    assert all(len(code_of(heading).strip().splitlines()) <= 30 for heading in ("A fusion", "An aggregator"))
    import my_fusions  # type: ignore[import-not-found]

    for check, arguments in ((check_fusion, (my_fusions.ScaledMean,)), (check_aggregator, (my_fusions.InverseNorm,))):
        check(*arguments)
    check_fusion(my_fusions.ScaledMean, start=0.5)


def test_it_runs_through_the_suite_by_name_of_its_class(folder: Path) -> None:
    """The tutorial's comparison, in worker processes that have never heard of it, to a report that compares it."""
    plugins = ["my_fusions:ScaledMean", "my_fusions:InverseNorm"]
    outcome = benchmark.run(
        **CHOICES, methods=["css", "ScaledMean(start=0.5)+InverseNorm"], plugins=plugins, store="store"
    )
    assert (outcome.made, outcome.failed) == (2, 0)
    specs = {spec["label"]: spec for spec in Store(outcome.store).specs()}
    mine = specs["ScaledMean(start=0.5)+InverseNorm"]
    source = package_fingerprint("my_fusions")
    assert mine["fusion"] == {
        "name": "ScaledMean",
        "options": {"start": 0.5},
        "plugin": {"factory": "my_fusions:ScaledMean", "source": source},
    }
    assert mine["aggregator"]["plugin"] == {"factory": "my_fusions:InverseNorm", "source": source}
    assert mine["budget"] == specs["css"]["budget"]
    assert "ScaledMean(start=0.5)+InverseNorm" in set(reports.load(outcome.store).accuracy["method"])
    result = json.loads((outcome.store / "runs" / mine["key"] / "result.json").read_text())
    assert result["parameters"]["fusion"] == 16


def test_the_tutorials_command_finds_what_the_front_door_made(cli_process: Cli, folder: Path) -> None:
    benchmark.run(**CHOICES, methods="ScaledMean", plugins=["my_fusions:ScaledMean"], store="store", report=False)
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    said = cli_process(
        *RUN, "--store", "store", "--plugin", "my_fusions:ScaledMean", "--methods", "ScaledMean", PYTHONPATH=path
    )
    assert said.returncode == 0, said.stderr
    assert "1 run, 1 of them already in store" in said.stdout


def test_installed_ones_are_methods_under_the_names_of_their_entry_points(cli_process: Cli, folder: Path) -> None:
    install(folder, {"scaled-mean": "my_fusions:ScaledMean"}, {"inverse-norm": "my_fusions:InverseNorm"})
    path = os.pathsep.join([str(ROOT), str(folder)])
    listed = cli_process("methods", PYTHONPATH=path)
    assert re.search(r"│ scaled-mean +│ start=1.0 +│ plug-in my_fusions:ScaledMean", listed.stdout), listed.stderr
    said = cli_process(*RUN, "--store", "store", "--methods", "scaled-mean+inverse-norm", PYTHONPATH=path)
    assert said.returncode == 0, said.stderr
    (spec,) = Store(folder / "store").specs()
    assert spec["label"] == "scaled-mean+inverse-norm"


def test_names_are_known_without_importing_anything(folder: Path) -> None:
    install(folder, {"scaled-mean": "my_fusions:ScaledMean", "absent": "no_such_module:Fusion"})
    script = """
import sys
from benchmark.methods.parsing import parse_method
from benchmark.methods.plugins import register
from benchmark.methods.registry import FUSIONS
register()
assert {"scaled-mean", "absent"} <= set(FUSIONS)
parse_method("css", {})
assert "torch" not in sys.modules and "my_fusions" not in sys.modules
"""
    path = os.pathsep.join([str(ROOT), str(folder)])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    assert not done.returncode, done.stderr


def test_a_key_covers_the_source_of_the_whole_package_and_of_nobody_else(folder: Path) -> None:
    package = folder / "my_package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "inner" / "part.py").write_text(FILE)
    (package / "helper.py").write_text("")
    plugins.register(["my_package.inner.part:ScaledMean"])
    simulated, preset = [dataset("iemocap-sim", None)], load_preset("smoke")

    def keys() -> dict[str, str]:
        return {s.method.label: s.key for s in expand(preset, simulated, ["css", "ScaledMean"], [0])}

    before = keys()
    (package / "helper.py").write_text("x = 1\n")
    after = keys()
    assert after["ScaledMean"] != before["ScaledMean"]
    assert after["css"] == before["css"]


def test_registering_twice_is_registering_once(folder: Path) -> None:
    plugins.register(["my_fusions:ScaledMean"])
    plugins.register(["my_fusions:ScaledMean"])
    assert parse_method("ScaledMean(start=2)", {}).label == "ScaledMean(start=2.0)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("my_fusions", "cannot read plug-in 'my_fusions'; write module:Class"),
        ("my_fusions:", "cannot read plug-in 'my_fusions:'"),
        ("no_such_module:X", r"importing no_such_module failed \(ModuleNotFoundError: .*is it installed"),
        ("my_broken:X", r"importing my_broken failed \(ZeroDivisionError: division by zero\)"),
        (
            "my_fusions:ScaledMeen",
            "unknown class of plug-in module my_fusions: 'ScaledMeen', did you mean 'ScaledMean'",
        ),
        ("my_fusions:torch", "my_fusions:torch is no subclass of css.interfaces.Fusion or Aggregator"),
        ("my_others:NotOne", "my_others:NotOne is no subclass of css.interfaces.Fusion or Aggregator"),
        (
            "my_others:spf",
            "plug-in my_others:spf is called 'spf', which is css.fusion:.* already; give it another name",
        ),
        ("my_others:adam", "plug-in my_others:adam is called 'adam', which is an alias already"),
        ("my_others:pgm", "plug-in my_others:pgm is called 'pgm', which is css.modulator:.* already"),
        ("my_others:_Hidden", "plug-in my_others:_Hidden is called '_Hidden'; use letters"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(folder: Path, text: str, said: str) -> None:
    (folder / "my_broken.py").write_text("1 / 0\n")
    others = "".join(f"class {name}(ScaledMean): ...\n" for name in ("spf", "adam", "pgm", "_Hidden"))
    (folder / "my_others.py").write_text(f"from my_fusions import ScaledMean\nclass NotOne: ...\n{others}")

    with pytest.raises(UserError, match=said) as error:
        plugins.register([text])
    assert "\n" not in str(error.value)


def test_two_packages_may_not_use_one_name(folder: Path) -> None:
    (folder / "my_others.py").write_text(FILE)
    plugins.register(["my_fusions:ScaledMean"])

    with pytest.raises(UserError, match="my_others:ScaledMean is called 'ScaledMean', which is my_fusions:ScaledMean"):
        plugins.register(["my_others:ScaledMean"])


def test_a_parameter_that_no_method_can_write_is_refused(folder: Path) -> None:
    (folder / "my_fusions.py").write_text(FILE.replace("start=1.0", "start=None"))
    plugins.register(["my_fusions:ScaledMean"])

    with pytest.raises(UserError, match="parameter 'start' has the default None; an option needs one that is"):
        parse_method("ScaledMean", {})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("super().__init__()", "1 / 0", "ScaledMean cannot be built: ZeroDivisionError"),
        ("self.out_features = ", "self.width = ", "ScaledMean cannot be built: AttributeError: .*out_features"),
        ("super().__init__()", "raise ValueError('too wide: 9')", "too wide: 9"),
    ],
)
def test_one_that_cannot_be_built_is_refused_before_anything_runs(folder: Path, old: str, new: str, said: str) -> None:
    (folder / "my_fusions.py").write_text(FILE.replace(old, new, 1))
    with pytest.raises(benchmark.UserError, match=said) as refused:
        benchmark.run(**CHOICES, methods="ScaledMean", plugins=["my_fusions:ScaledMean"], store="store")
    assert "\n" not in str(refused.value)
    assert not (folder / "store").exists()


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (
            {"methods": "text+pgm", "modalities": "audio,visual"},
            "TextFusion: the inputs are audio, visual, without text",
        ),
        ({"methods": "tensor(width=300)"}, "27,270,901 features"),
    ],
)
def test_built_in_fusions_refuse_as_early(tmp_path: Path, choices: dict[str, Any], said: str) -> None:
    with pytest.raises(benchmark.UserError, match=said):
        benchmark.run(**CHOICES, **choices, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_broken_installed_one_does_not_break_the_list(cli_process: Cli, folder: Path) -> None:
    install(folder, {"absent": "no_such_module:Fusion"})
    path = os.pathsep.join([str(ROOT), str(folder)])
    listed: Any = cli_process("methods", PYTHONPATH=path)
    assert listed.returncode == 0
    assert re.search(r"│ absent .*cannot be used: plug-in no_such_module:Fusion: importing", listed.stdout)
