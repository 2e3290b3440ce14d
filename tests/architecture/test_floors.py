import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.architecture.house import all_faults, borrowed, floor_of, map_of, not_mirroring, stale
from tests.architecture.imports import Import, imports
from tests.floors import ALONE, FLOORS, PACKAGES, WITHOUT_COUNTERPART
from tests.paths import ROOT

LOW_TO_HIGH = ("low", "high/base", "high/top", "apart")


def tree(root: Path, files: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Write a small source tree whose packages hold no fault but those of ``files``, and return its root."""
    sound = {
        "low/__init__.py": "",
        "low/part.py": "import json",
        "high/base/__init__.py": "from low import part",
        "high/top/__init__.py": "from high.base import part as base\nfrom low.part import json",
        "apart/__init__.py": "",
        "tests/__init__.py": "",
        "tests/low/__init__.py": "",
    }
    for name, source in (sound | dict(files)).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(source))
    return root


def faults(root: Path) -> Mapping[str, list[str]]:
    """Those of the small tree."""
    return all_faults(root, ("low", "high", "apart"), LOW_TO_HIGH, ("low", "apart"))


def only(found: Mapping[str, list[str]], rule: str) -> str:
    """The one fault there is, which is of this rule."""
    assert {name: len(of) for name, of in found.items() if of} == {rule: 1}, found
    return found[rule][0]


@pytest.mark.parametrize("rule", ["upward", "foreign", "files", "folders", "homeless"])
def test_the_packages_keep_the_rule(rule: str) -> None:
    assert all_faults(ROOT, PACKAGES, FLOORS, ALONE)[rule] == []


def test_a_lazy_import_of_the_packages_is_seen() -> None:
    """Standing for the walk as a whole: an empty list of imports would break no rule."""
    seen = {(edge.file, edge.target) for edge in imports(ROOT, PACKAGES)}

    assert ("benchmark/data/defects/remedies.py", "benchmark/data/defects/numbering.py") in seen
    assert ("benchmark/training/building.py", "css/model.py") in seen


def test_a_sound_tree_has_no_fault(tmp_path: Path) -> None:
    assert not any(faults(tree(tmp_path)).values())


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("from high.top import x", 1),
        ("import high.top.more", 1),
        ("import json\n\ndef f():\n    from high.top import x", 4),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from high import top", 3),
        ("from ..top import x", 1),
        ("from .. import top", 1),
        ("from importlib import import_module\nimport_module('high.top')", 2),
        ("import importlib\nimportlib.import_module('high.top.more')", 2),
    ],
)
def test_an_import_from_a_lower_floor_to_a_higher_one_is_a_fault_wherever_it_stands(
    source: str, line: int, tmp_path: Path
) -> None:
    # no other rule is broken: the higher floor imports this one no more
    root = tree(tmp_path, {"high/base/part.py": source, "high/top/__init__.py": "", "high/top/more.py": ""})

    fault = only(faults(root), "upward")

    assert fault.startswith(f"high/base/part.py:{line} on floor high/base imports high/top/")
    assert fault.endswith("move what is needed down, or have the caller pass it in")


def test_a_package_that_stands_alone_imports_no_other(tmp_path: Path) -> None:
    fault = only(faults(tree(tmp_path, {"apart/page.py": "def f():\n    import low.part"})), "foreign")

    assert fault.startswith("apart/page.py:2 imports low/part.py: apart imports nothing of the project")


def test_files_that_import_each_other_are_a_circle(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {"low/a.py": "from low import b", "low/b.py": "def f():\n    from low.c import x", "low/c.py": "import low.a"},
    )

    fault = only(faults(root), "files")

    assert "low/b.py:2 imports low/c.py" in fault
    assert "low/a.py -> low/b.py" in fault or "low/b.py -> low/c.py" in fault
    assert fault.endswith("move what both sides need to a lower file")


def test_a_file_that_imports_its_package_which_imports_it_is_a_circle(tmp_path: Path) -> None:
    root = tree(tmp_path, {"low/__init__.py": "from low.a import x", "low/a.py": "from low import y"})

    assert "low/__init__.py" in only(faults(root), "files")


def test_sister_folders_that_import_each_other_are_a_circle_though_their_files_are_none(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "low/one/__init__.py": "",
            "low/one/a.py": "import low.two.a",
            "low/one/b.py": "",
            "low/two/__init__.py": "",
            "low/two/a.py": "",
            "low/two/b.py": "import low.one.b",
        },
    )

    fault = only(faults(root), "folders")

    assert "low/one/a.py:1 imports low/two/a.py" in fault
    assert "low/two/b.py:1 imports low/one/b.py" in fault


def test_a_folder_and_one_inside_it_may_import_each_other(tmp_path: Path) -> None:
    root = tree(
        tmp_path, {"low/one/__init__.py": "", "low/one/a.py": "import low.part", "low/b.py": "import low.one.a"}
    )

    assert not any(faults(root).values())


def test_a_file_on_no_floor_is_a_fault(tmp_path: Path) -> None:
    fault = only(faults(tree(tmp_path, {"high/new/a.py": ""})), "homeless")

    assert fault.startswith("high/new/a.py:1 is on no floor")


def test_a_floor_that_is_nowhere_is_a_fault(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "apart" / "__init__.py").unlink()

    assert only(faults(root), "homeless").startswith("tests/floors.py names apart, which is not there")


def test_the_longest_name_in_the_list_decides_the_floor() -> None:
    floors = ("a", "b", "a/b/c.py")

    assert [floor_of(file, floors) for file in ("a/x.py", "a/b/c.py", "ab/x.py", "b/y/z.py")] == [0, 2, None, 1]


def test_an_import_is_of_the_file_that_the_name_reaches_into(tmp_path: Path) -> None:
    root = tree(
        tmp_path, {"low/user.py": "from low.part import json\nimport low.part.json, sys\nfrom numpy import low"}
    )

    assert [edge for edge in imports(root, ["low"]) if edge.file == "low/user.py"] == [
        Import("low/user.py", 1, "low/part.py"),
        Import("low/user.py", 2, "low/part.py"),
    ]


def test_no_module_of_the_tests_imports_a_test_or_a_conftest() -> None:
    assert borrowed(ROOT) == []


@pytest.mark.parametrize("name", ["test_part", "conftest"])
def test_what_a_test_borrows_of_another_is_a_fault(name: str, tmp_path: Path) -> None:
    root = tree(
        tmp_path, {"tests/low/helper.py": f"def f():\n    from tests.low.{name} import x", f"tests/low/{name}.py": ""}
    )

    assert borrowed(root) == [
        f"tests/low/helper.py:2 imports tests/low/{name}.py: move what both need to a module of its own beside them"
    ]


def test_the_tests_mirror_the_packages() -> None:
    assert not_mirroring(ROOT, PACKAGES, WITHOUT_COUNTERPART) == []


def test_a_folder_of_tests_without_init_or_counterpart_is_a_fault(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "tests/whole/__init__.py": "",
            "tests/low/gone/__init__.py": "",
            "tests/low/gone/test_a.py": "",
            "tests/low/part/test_b.py": "",
            "tests/other/__init__.py": "",
        },
    )

    found = not_mirroring(root, ("low", "high"), ("whole",))

    assert [fault.partition(" ")[0] for fault in found] == [
        "tests/low/gone:1",
        "tests/low/part:1",
        "tests/low/part:1",
        "tests/other:1",
    ]
    assert "tests low/gone, which is not there" in found[0]
    assert "no __init__.py" in found[1]


def test_the_map_of_contributing_is_the_list_of_floors() -> None:
    assert map_of((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), FLOORS) == []


@pytest.mark.parametrize("rows", [("`a/`", "`c.py`"), ("`c.py`", "`a/`"), ("`a/`", "`c.py`", "`d/`"), ("`b/`",)])
def test_a_map_with_other_floors_or_another_order_is_a_fault(rows: tuple[str, ...]) -> None:
    table = "".join(f"| {row} | words |\n" for row in rows)

    found = map_of(f"| floor | there |\n|---|---|\n{table}", ("a", "c.py"))

    assert found == [] if rows == ("`a/`", "`c.py`") else "its map has" in found[0]


def test_the_path_of_an_utterance_names_functions_that_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## How data flow")[2].partition("\n## ")[0]

    assert stale(text, ROOT) == []
    assert sum(line[:1].isdigit() for line in text.splitlines()) == 10


def test_a_function_that_moved_away_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    def g(): ...\n\nclass H: ...\n")

    assert stale("`a.py` `f`, `a.py` `H`", tmp_path) == []
    for place in ("`a.py` `g`", "`b.py` `f`"):
        assert stale(f"`a.py` `f` and {place}", tmp_path) == [
            f"{place} is not there: name the function or class that has its part now"
        ]
    assert stale("nothing", tmp_path) == ["the text names no place as `file` `name`"]
