"""What is installed is all that there is: a flat layout has its packages named, and a new one is easily forgotten."""

import tomllib

from tests.floors import PACKAGES
from tests.paths import ROOT


def test_pyproject_names_every_package() -> None:
    folders = [file.parent for top in PACKAGES for file in (ROOT / top).rglob("__init__.py")]
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert sorted(setuptools["packages"]) == sorted(".".join(f.relative_to(ROOT).parts) for f in folders)


def test_every_file_of_a_package_is_installed_with_it() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    left_out = []
    for file in (path for top in PACKAGES for path in (ROOT / top).rglob("*") if path.is_file()):
        package = ".".join(file.parent.relative_to(ROOT).parts)
        patterns = ["*.py", *data["*"], *data.get(package, ())]
        if file.suffix != ".pyc" and not any(file.match(pattern) for pattern in patterns):
            left_out.append(str(file.relative_to(ROOT)))
    assert left_out == []


def test_every_package_says_that_it_has_types() -> None:
    assert [top for top in PACKAGES if not (ROOT / top / "py.typed").is_file()] == []
