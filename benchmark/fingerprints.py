"""What besides the specification decides a run's numbers, found without importing torch."""

import ctypes
import hashlib
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from benchmark.errors import UserError
from benchmark.specs import Provenance

_NUMBERS = ("css", "baselines", "benchmark/data", "benchmark/training", "benchmark/scoring.py")
"""The source that produces numbers; the rest of the harness may change without invalidating a run."""


@cache
def source_fingerprint() -> str:
    """SHA-256 over the files that produce numbers."""
    digest = hashlib.sha256()
    for name in _NUMBERS:
        package, *rest = Path(name).parts
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent.joinpath(*rest)
        for file in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            digest.update(file.relative_to(root.parent).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def resolve_device(device: str) -> str:
    """``cpu`` or ``cuda`` for ``auto``, ``cpu`` or ``cuda``; raises UserError where CUDA is asked for and absent."""
    if device == "cpu":
        return "cpu"
    present = _cuda_devices() > 0 and "+cpu" not in version("torch")
    if device == "cuda" and not present:
        raise UserError(
            f"no CUDA device for torch {version('torch')}: use --device cpu, or install a CUDA build of torch"
        )
    return "cuda" if present else "cpu"


def provenance(data: str, device: str) -> Provenance:
    """What goes into a run's key besides its specification."""
    return Provenance(
        data=data, source=source_fingerprint(), torch=version("torch"), numpy=version("numpy"), device=device
    )


@cache
def _cuda_devices() -> int:
    """Number of CUDA devices that the driver reports; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    return count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0
