from pathlib import Path

from tests.architecture.imports import source_files
from tests.architecture.style import citations, dead_scripts, fragments, long_calls, long_functions
from tests.floors import PACKAGES, STYLED
from tests.paths import ROOT


def test_the_source_keeps_the_rules_of_style() -> None:
    assert long_calls(ROOT, STYLED) == []
    assert fragments(ROOT, STYLED) == []
    assert long_functions(ROOT, STYLED) == []
    assert citations(ROOT, source_files(ROOT, STYLED)) == []


def test_programs_in_the_strings_of_tests_import_what_is_there() -> None:
    folders = [str(folder.relative_to(ROOT)) for folder in (ROOT / "tests").iterdir() if folder.name != "architecture"]
    assert dead_scripts(ROOT, folders, PACKAGES) == []


def test_every_rule_is_broken_by_what_breaks_it(tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "a.py").write_text(
        'def f():\n    """Of trial 0."""\n    g(1, 2, 3, 4, 5, 6)\n    g(1, 2, 3, 4, 5, 6, 7)\n'
        "    # equation 3 of METHOD 2\n"
        + "def long():\n"
        + "    pass\n" * 100
        + "script = '''\nimport low.b, low.a\nfrom low.a import f\n'''\n"
    )

    assert [fault.split()[0] for fault in long_calls(tmp_path, ["low"])] == ["low/a.py:4"]
    assert long_functions(tmp_path, ["low"]) == ["low/a.py:6 long has 101 lines: give its steps names"]
    assert [fault.split()[0] for fault in fragments(tmp_path, ["low"])] == ["low/a.py:1"]
    assert [fault.split()[0] for fault in citations(tmp_path, ["low/a.py"])] == ["low/a.py:5"]
    assert dead_scripts(tmp_path, ["low"], ["low"]) == [
        "low/a.py:107 has a program that imports low.b, which is not there: name where it is now"
    ]
