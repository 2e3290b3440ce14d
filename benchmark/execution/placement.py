"""How many worker processes there are, and which GPU each of them sees."""

import os

from benchmark.base.devices import cuda_devices
from benchmark.base.errors import UserError


def place(
    device: str, workers: int | None, gpus: str | None, workers_per_gpu: int | None
) -> tuple[int, tuple[str, ...]]:
    """Number of workers, and the GPUs that they see in turn (none on a CPU), as CUDA_VISIBLE_DEVICES names them.

    On GPUs there are ``workers_per_gpu`` (1) for each of the first ``gpus`` (a number, or all) of those that this
    process sees, or ``workers`` over all of them; on a CPU ``workers``, or one a core.

    Raises:
        UserError: GPUs are asked for and not there, or in two ways.
    """
    if device != "cuda":
        if gpus is not None or workers_per_gpu is not None:
            raise UserError(f"--gpus and --workers-per-gpu are for --device cuda, and these runs are on {device}")
        return workers or os.cpu_count() or 1, ()
    if workers is not None and workers_per_gpu is not None:
        raise UserError("--workers and --workers-per-gpu both say how many workers there are: leave one out")
    visible = _visible()
    if gpus is None or gpus == "all":
        count = len(visible)
    elif gpus.isdecimal() and 1 <= int(gpus) <= len(visible):
        count = int(gpus)
    else:
        raise UserError(f"--gpus {gpus}: there are {len(visible)}; give a number up to that, or all")
    return workers or count * (workers_per_gpu or 1), visible[:count]


def _visible() -> tuple[str, ...]:
    """The GPUs that this process may use; each name, alone, shows a child that one."""
    count, named = cuda_devices(), os.environ.get("CUDA_VISIBLE_DEVICES")
    return tuple(named.split(","))[:count] if named else tuple(map(str, range(count)))
