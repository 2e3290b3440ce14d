"""What besides the specification decides a run's numbers, found without importing torch."""

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from benchmark.base.errors import UserError
from benchmark.base.values import Frozen

_NUMBERS = (
    "css",
    "baselines",
    "benchmark/data",
    "benchmark/training",
    "benchmark/evaluation/scoring.py",
    "benchmark/methods/registry.py",
)
"""The source that produces numbers; the rest of the harness may change without invalidating a run."""


class Provenance(Frozen):
    """What besides the specification decides the numbers: data, code, libraries, device type."""

    data: str
    source: str
    torch: str
    numpy: str
    device: str


@cache
def source_fingerprint() -> str:
    """SHA-256 over the files that produce numbers."""
    digest = hashlib.sha256()
    for name in _NUMBERS:
        package, *rest = Path(name).parts
        _feed(digest, _folders(package)[0].joinpath(*rest))
    return digest.hexdigest()


def package_fingerprint(factory: str) -> str:
    """SHA-256 over the Python files of the package of ``module`` or ``module:Class``, or of the module that is a file.

    Raises UserError where there is no such module. It is not imported.
    """
    digest = hashlib.sha256()
    for place in _folders(factory.partition(":")[0].partition(".")[0]):
        _feed(digest, place)
    return digest.hexdigest()


def _folders(package: str) -> list[Path]:
    """Where a top-level package is; a module's file."""
    spec = find_spec(package)
    if spec is None:
        raise UserError(f"no module {package!r}: install it, or start where it is")
    if spec.submodule_search_locations is not None:
        return list(map(Path, spec.submodule_search_locations))
    assert spec.origin is not None
    return [Path(spec.origin)]


def _feed(digest: "hashlib._Hash", place: Path) -> None:
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        digest.update(file.relative_to(place.parent).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")


def provenance(data: str, device: str) -> Provenance:
    """What goes into a run's key besides its specification."""
    return Provenance(
        data=data, source=source_fingerprint(), torch=version("torch"), numpy=version("numpy"), device=device
    )
