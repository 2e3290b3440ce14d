"""Which device runs are made on, found without importing torch."""

import ctypes
from functools import cache
from importlib.metadata import version

from benchmark.base.errors import UserError
from benchmark.base.names import look_up


def resolve_device(device: str) -> str:
    """``cpu`` or ``cuda`` for ``auto``, ``cpu`` or ``cuda``; raises UserError for others, and where CUDA is absent."""
    check_device(device)
    if device == "cpu":
        return "cpu"
    present = cuda_devices() > 0 and "+cpu" not in version("torch")
    if device == "cuda" and not present:
        raise UserError(
            f"no CUDA device for torch {version('torch')}: use --device cpu, or install a CUDA build of torch"
        )
    return "cuda" if present else "cpu"


def check_device(device: str) -> None:
    """Raise UserError for what is neither ``auto``, ``cpu`` nor ``cuda``."""
    if device in ("gpu", "nvidia"):
        raise UserError(f"unknown device {device!r}, did you mean 'cuda'? known: auto, cpu, cuda")
    look_up("device", device, dict.fromkeys(("auto", "cpu", "cuda")))


@cache
def cuda_devices() -> int:
    """Number of CUDA devices that the driver reports; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    return count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0
