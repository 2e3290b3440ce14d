"""What is installed is all that there is: a flat layout has its packages named, and a new one is easily forgotten."""

import tomllib

from tests.floors import PACKAGES
from tests.paths import ROOT


def test_pyproject_names_every_package() -> None:
    folders = [file.parent for top in PACKAGES for file in (ROOT / top).rglob("__init__.py")]
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert sorted(setuptools["packages"]) == sorted(".".join(f.relative_to(ROOT).parts) for f in folders)
