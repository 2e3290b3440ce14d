import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from benchmark.experiment.provenance import provenance, source_fingerprint
from benchmark.methods.parsing import KINDS
from tests.architecture.imports import imports, source_files
from tests.floors import PACKAGES
from tests.paths import ROOT

REGISTRY = "benchmark/methods/registry.py"
CACHE = "benchmark/data/feature_files/cache.py"  # keeps what was read, and decides no number
DECIDING = ("css/", "baselines/", "benchmark/data/", "benchmark/training/", "benchmark/evaluation/scoring.py")

TOUCH = """
import json, sys
from pathlib import Path
from benchmark.experiment.provenance import provenance, source_fingerprint

def again():
    source_fingerprint.cache_clear()
    return source_fingerprint()

root = Path.cwd()
assert Path(sys.modules["benchmark"].__file__).is_relative_to(root)
original = again()
changed = []
for file in sorted(root.rglob("*.*")):
    if file.is_file() and "__pycache__" not in file.parts:
        content = file.read_bytes()
        file.write_bytes(content + b" ")
        if again() != original:
            changed.append(file.relative_to(root).as_posix())
        file.write_bytes(content)
assert again() == original
provenance("d", "cpu")
print(json.dumps({"original": original, "changed": changed, "torch": "torch" in sys.modules}))
"""
KEYS = """
import json
from benchmark.data.datasets import dataset
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
specs = expand(load_preset("smoke"), [dataset("iemocap-sim", None)], ["css", "concat", "released/css"], [0, 1])
print(json.dumps(sorted(spec.key for spec in specs)))
"""


def copied(root: Path) -> Path:
    """The packages in another folder."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def printed(script: str, root: Path) -> Any:
    """What a script prints whose packages are those in this folder."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", script], cwd=root, capture_output=True, text=True, env={"PYTHONPATH": str(root)}
    )
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def used_by_runs() -> set[str]:
    """Files that a run's numbers can come from: what training, scoring and reading import, and every factory."""
    files = {file: set[str]() for file in source_files(ROOT, PACKAGES)}
    for edge in imports(ROOT, PACKAGES):
        files[edge.file].add(edge.target)
    factories = (entry.factory for known in KINDS.values() for entry in known.values())
    start = [
        *(file for file in files if file.startswith("benchmark/training/")),
        "benchmark/evaluation/scoring.py",
        *(f"benchmark/data/{name}.py" for name in ("datasets", "splits", "folds")),
        *(factory.partition(":")[0].replace(".", "/") + ".py" for factory in factories),
        *files["benchmark/methods/entries.py"],  # what wraps what a factory makes
    ]
    return _reached(start, files) | {f for f in files if f.endswith("__init__.py") and f.startswith(DECIDING)}


def _reached(start: Iterable[str], files: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(start)
    while waiting:
        file = waiting.pop()
        if file not in reached and file.startswith(DECIDING) and file != CACHE and not file.endswith("__init__.py"):
            reached.add(file)
            waiting += files[file]
    return reached


@pytest.fixture(scope="module")
def touched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Which files change the fingerprint by another byte at their end, in two folders of different names."""
    folders = (tmp_path_factory.mktemp("source") / "here", tmp_path_factory.mktemp("source") / "else" / "where")
    first, second = (printed(TOUCH, copied(root)) for root in folders)
    return first, second


def test_a_byte_is_another_source_exactly_where_a_run_uses_the_file(touched: tuple[Any, Any]) -> None:
    changed = set(touched[0]["changed"])

    assert changed == used_by_runs()
    assert {"css/encoder.py", "baselines/aggregators/pcgrad.py", "benchmark/training/trainer.py"} <= changed
    assert {"benchmark/data/defects/overlap.py", "benchmark/data/simulation/chain.py"} <= changed
    for file in (CACHE, REGISTRY, "benchmark/audit/pages.py", "benchmark/data/simulation/ceilings.py"):
        assert (ROOT / file).is_file()
        assert file not in changed


def test_the_same_source_elsewhere_is_the_same_and_nothing_imports_torch(touched: tuple[Any, Any]) -> None:
    assert touched[0]["original"] == touched[1]["original"]
    assert touched[0]["torch"] is False


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A copy of the packages, and the keys of a grid that it makes."""
    root = copied(tmp_path_factory.mktemp("keys"))
    return root, printed(KEYS, root)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (REGISTRY, "a rank-r polynomial interaction", "polynomial interaction"),
        (REGISTRY, "search=Range(2, 128, log=True)", "search=Range(2, 64, log=True)"),
        (
            REGISTRY,
            'Option("exact", choices=("exact", "slsqp"))',
            'Option("exact", choices=("exact", "slsqp", "other"))',
        ),
        (REGISTRY, '"css-nogate": "spf(gates=false)+pgm",', ""),
        ("benchmark/audit/page.html", "<", "<!-- other --><"),
        ("benchmark/audit/pages.py", '"""', '"""Other. '),
        ("benchmark/data/feature_files/cache.py", '"""', '"""Other. '),
        ("benchmark/cli/options.py", '"""', '"""Other. '),
    ],
)
def test_words_pages_and_search_spaces_move_no_key(keys: tuple[Path, list[str]], file: str, old: str, new: str) -> None:
    assert _keys_with(*keys, file, old, new) == keys[1]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (REGISTRY, "_RANK = Option(16, 1,", "_RANK = Option(17, 1,"),
        (REGISTRY, '{"every": Option(10, 1)}', '{"every": Option(11, 1)}'),  # of no method here, but in directions
        (REGISTRY, '"css.modulator:ParetoGradientModulator"', '"baselines.aggregators.pgm:NormedPGM"'),
        ("benchmark/training/trainer.py", "fused=True", "fused=False"),
        ("css/fusion.py", '"""', '"""Other. '),
        ("benchmark/data/defects/remedies.py", '"""', '"""Other. '),
    ],
)
def test_defaults_factories_and_lines_of_training_move_every_key(
    keys: tuple[Path, list[str]], file: str, old: str, new: str
) -> None:
    assert not set(_keys_with(*keys, file, old, new)) & set(keys[1])


def _keys_with(root: Path, before: list[str], file: str, old: str, new: str) -> list[str]:
    """The keys that the copy makes with an edit, which is taken back."""
    content = (root / file).read_text(encoding="utf-8")
    assert old in content, f"{file} no longer has {old!r}: name what it has now"
    assert len(before) == 6
    try:
        (root / file).write_text(content.replace(old, new, 1), encoding="utf-8")
        return list(printed(KEYS, root))
    finally:
        (root / file).write_text(content, encoding="utf-8")


def test_a_plug_in_is_no_part_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.methods.plugins import PluginEntry

    before = source_fingerprint()
    monkeypatch.setitem(KINDS["fusion"], "mine", PluginEntry("my_fusions:Mine", "a plug-in"))
    source_fingerprint.cache_clear()

    assert source_fingerprint() == before


def test_a_grid_is_expanded_without_torch() -> None:
    script = f"import sys\n{KEYS}\nassert not {{'torch', 'mlflow'}} & set(sys.modules)"

    assert len(printed(script, ROOT)) == 6


def test_provenance_names_source_libraries_and_device() -> None:
    assert provenance("data", "cuda").model_dump() == {
        "data": "data",
        "source": source_fingerprint(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "device": "cuda",
    }
