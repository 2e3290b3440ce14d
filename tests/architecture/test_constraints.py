"""The lowest versions are tried as pyproject.toml promises them, and the pinned ones are in its ranges."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
TRIED_AT_THEIR_LOWEST = ("torchjd", "ray", "test")
"""The extras of `.nox/lowest`."""
NOT_AT_ITS_LOWEST = {"torch"}
"""What constraints-lowest.txt pins above its bound, with the reason beside it."""


def pins(name: str) -> dict[str, Version]:
    """The version of every package of a file of constraints, by the package's canonical name."""
    text = re.sub(r"#.*", "", (ROOT / name).read_text(encoding="utf-8"))
    pairs = [line.split("==") for line in text.split()]
    versions = {canonicalize_name(package): Version(version) for package, version in pairs}
    assert len(versions) == len(pairs), f"{name} names a package twice"
    return versions


def requirements(*extras: str) -> list[Requirement]:
    """The direct dependencies, with those of ``extras``; an extra that only gathers others is not among them."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return [requirement for requirement in map(Requirement, lines) if requirement.name != PROJECT["name"]]


def lower_bound(requirement: Requirement) -> Version:
    (bound,) = (Version(part.version) for part in requirement.specifier if part.operator == ">=")
    return bound


@pytest.mark.parametrize("requirement", requirements(*TRIED_AT_THEIR_LOWEST), ids=lambda r: r.name)
def test_the_lowest_version_that_is_allowed_is_the_one_that_is_tried(requirement: Requirement) -> None:
    tried = pins("constraints-lowest.txt")[canonicalize_name(requirement.name)]
    if requirement.name not in NOT_AT_ITS_LOWEST:
        assert tried == lower_bound(requirement), f"{requirement} in pyproject.toml, {tried} in constraints-lowest.txt"
        return
    assert requirement.specifier.contains(tried)
    assert tried != lower_bound(requirement), f"{requirement.name} is tried at its lowest: it is no exception any more"
    (line,) = re.findall(rf"^{requirement.name}==.*$", (ROOT / "constraints-lowest.txt").read_text(), re.MULTILINE)
    assert len(line.partition("#")[2].split()) > 5, f"{line!r} does not say why it is not the lowest version"


@pytest.mark.parametrize("requirement", requirements(*EXTRAS), ids=lambda r: r.name)
def test_a_pinned_version_is_in_the_range_of_pyproject(requirement: Requirement) -> None:
    pinned = pins("constraints.txt")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned), f"{requirement} in pyproject.toml, {pinned} in constraints.txt"


def test_the_lowest_environment_is_made_of_these_extras_and_that_file() -> None:
    source = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    (arguments,) = re.findall(r"^LOWEST = Environment\(\n(.*?)^\)", source, re.MULTILINE | re.DOTALL)
    assert f'".[{",".join(TRIED_AT_THEIR_LOWEST)}]"' in arguments
    assert 'constraints="constraints-lowest.txt"' in arguments
