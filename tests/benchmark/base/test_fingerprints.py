import sys
from pathlib import Path

import pytest

from benchmark.base.errors import UserError
from benchmark.base.fingerprints import files_fingerprint, package_fingerprint


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that can be imported, with a module, a file that is none, and one further down."""
    folder = tmp_path / "some_package"
    (folder / "inner").mkdir(parents=True)
    for name in ("__init__.py", "a.py", "b.py", "notes.txt", "inner/c.py"):
        (folder / name).write_text(name)
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_names_and_bytes_of_python_files_count_and_nothing_else_does(package: Path) -> None:
    def now() -> str:
        return files_fingerprint(["some_package"])

    original = now()
    (package / "notes.txt").write_text("other")
    (package / "a.pyc").write_text("compiled")
    assert now() == original
    (package / "a.py").write_text("other")
    edited = now()
    (package / "a.py").rename(package / "d.py")
    renamed = now()
    (package / "inner" / "new.py").touch()
    assert len({original, edited, renamed, now()}) == 4


def test_files_that_are_left_out_may_change(package: Path) -> None:
    def now(*without: str) -> str:
        return files_fingerprint(["some_package"], [f"some_package/{name}" for name in without])

    assert len({now(), now("a.py"), now("inner/c.py")}) == 3
    original = now("inner/c.py")
    (package / "inner" / "c.py").write_text("other")
    assert now("inner/c.py") == original


def test_a_single_file_can_be_named(package: Path) -> None:
    original = files_fingerprint(["some_package/inner/c.py"])
    (package / "a.py").write_text("other")
    assert files_fingerprint(["some_package/inner/c.py"]) == original
    (package / "inner" / "c.py").write_text("other")
    assert files_fingerprint(["some_package/inner/c.py"]) != original


def test_a_plug_in_is_its_whole_package_which_is_not_imported(package: Path) -> None:
    original = package_fingerprint("some_package.a:Fusion")
    (package / "inner" / "c.py").write_text("other")

    assert package_fingerprint("some_package.a:Fusion") != original
    assert "some_package" not in sys.modules


def test_a_plug_in_that_is_nowhere_is_refused() -> None:
    with pytest.raises(UserError, match="no module 'no_such_package': install it"):
        package_fingerprint("no_such_package.a:Fusion")
