from pathlib import Path

import pytest

from tests.architecture.imports import source_files
from tests.architecture.style import (
    citations,
    dead_scripts,
    fragments,
    long_calls,
    long_files,
    long_functions,
    nameless,
)
from tests.floors import PACKAGES
from tests.paths import ROOT


def test_the_source_keeps_the_rules_of_style() -> None:
    files = source_files(ROOT, PACKAGES)
    for rule in (long_calls, fragments, long_functions, citations, nameless, long_files):
        assert rule(ROOT, files) == []


def test_the_documentation_cites_nothing_that_is_not_there() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    assert len(documents) > 2
    assert citations(ROOT, [document.relative_to(ROOT).as_posix() for document in documents]) == []


def test_programs_in_the_strings_of_tests_import_what_is_there() -> None:
    folders = [str(folder.relative_to(ROOT)) for folder in (ROOT / "tests").iterdir() if folder.name != "architecture"]
    assert dead_scripts(ROOT, source_files(ROOT, folders), PACKAGES) == []


def test_every_rule_is_broken_by_what_breaks_it(tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "a.py").write_text(
        'def f():\n    """Of trial 0."""\n    g(1, 2, 3, 4, 5, 6)\n    g(1, 2, 3, 4, 5, 6, 7)\n'
        "    # equation 3 of METHOD 2\n"
        + "def long():\n"
        + "    pass\n" * 101
        + "script = '''\nimport low.b, low.a\nfrom low.a import f\n'''\n"
    )

    assert [fault.split()[0] for fault in long_calls(tmp_path, ["low/a.py"])] == ["low/a.py:4"]
    assert long_functions(tmp_path, ["low/a.py"]) == ["low/a.py:6 long has a body of 101 lines: give its steps names"]
    assert [fault.split()[0] for fault in fragments(tmp_path, ["low/a.py"])] == ["low/a.py:2"]
    assert [fault.split()[0] for fault in citations(tmp_path, ["low/a.py"])] == ["low/a.py:5"]
    assert dead_scripts(tmp_path, ["low/a.py"], ["low"]) == [
        "low/a.py:108 has a program that imports low.b, which is not there: name where it is now"
    ]


def test_values_that_are_unpacked_beside_others_are_positional_too(tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "a.py").write_text("f(*values)\nf(1, 2, *a, *b)\nf(1, 2, 3, *a, *b)\n")

    assert long_calls(tmp_path, ["low/a.py"]) == ["low/a.py:3 calls f with 7 positional values: name them"]


def test_the_options_of_a_command_are_no_lines_of_its_body(tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    options = "".join(f"    option_{number}: int,\n" for number in range(150))
    (tmp_path / "low" / "a.py").write_text(f"def command(\n{options}) -> None:\n" + "    pass\n" * 100)

    assert long_functions(tmp_path, ["low/a.py"]) == []


def test_a_file_of_more_than_400_lines_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "fits.py").write_text("pass\n" * 400)
    (tmp_path / "long.py").write_text("pass\n" * 401)

    assert long_files(tmp_path, ["fits.py", "long.py"]) == [
        "long.py has 401 lines: give one of its concepts a file of its own"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "for said in (1, 2): pass",
        "def f(own): pass",
        "def f(*, there=1): pass",
        "lambda of: 1",
        "[1 for found in (1, 2)]",
        "if found := 1: pass",
        "import json as of",
        "with open(name) as found: pass",
        "try: pass\nexcept ValueError as said: pass",
        "match 1:\n    case found: pass",
        "match 1:\n    case [*found]: pass",
        "match 1:\n    case {**found}: pass",
    ],
)
def test_every_way_to_name_a_value_is_held_to_the_rule_on_names(tmp_path: Path, source: str) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "a.py").write_text(source)

    (fault,) = nameless(tmp_path, ["low/a.py"])

    assert fault.endswith(": call it by what it holds")


def test_reading_a_key_or_an_attribute_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "a.py").write_text('layout = source.found\nf(of=1)\nrow = {"there": 1}\n')

    assert nameless(tmp_path, ["low/a.py"]) == []


def test_what_explains_a_value_is_a_sentence_too(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'LEVEL = 0.1\n"""Of one test."""\nMOST = 2\n"""The most that fit."""\ntext = "Of one"\n'
    )

    assert [fault.split()[0] for fault in fragments(tmp_path, ["a.py"])] == ["a.py:2"]
