"""Killed at random moments, a grid ends with the bits of one that nobody disturbed.

Four kills in the ordinary suite; ``nox -s soak`` sets ``CSSBENCH_KILLS`` to more.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.benchmark.harness import GRID, HUNG, StartCli, alive, digests, progress, until

KILLS = int(os.environ.get("CSSBENCH_KILLS", "4"))


def wait_a_while(rng: random.Random, process: "subprocess.Popen[str]", store: Path) -> None:
    """Until some moment of the start, or of the training after one to three epochs were written."""
    if rng.random() < 0.25:
        with suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, 8))
        return
    for _ in range(rng.randint(1, 3)):
        moved = progress(store)
        until(lambda moved=moved: moved() or process.poll() is not None)
    time.sleep(rng.uniform(0, 0.3))


def test_a_grid_killed_at_random_moments_ends_with_the_same_bits(
    start_cli: StartCli, finished: Any, tmp_path: Path
) -> None:
    rng = random.Random(0)
    done = Counter[str]()
    grids = 0
    while done.total() < KILLS:
        grids += 1
        store, code = tmp_path / f"store{grids}", -1
        while code != 0:
            process = start_cli(*GRID, "--store", store, "--workers", rng.choice((1, 2)))
            if done.total() < KILLS:
                wait_a_while(rng, process, store)
                victim = rng.choice(("everything", "everything", "coordinator", "worker"))
                workers = [pid for pid in alive(process.pid) if pid != process.pid]
                if process.poll() is None and (workers or victim != "worker"):
                    done[victim] += 1
                    pid = rng.choice(workers) if victim == "worker" else process.pid
                    with suppress(ProcessLookupError):
                        (os.killpg if victim == "everything" else os.kill)(pid, signal.SIGKILL)
            _, err = process.communicate(timeout=HUNG)
            until(lambda pid=process.pid: not alive(pid))
            code = process.returncode
            assert code in (0, -signal.SIGKILL), err
        assert digests(store) == digests(finished.root), (grids, done)
        assert not list(store.glob("runs/*/checkpoint*"))
    print(f"{done.total()} kills ({dict(done)}) of {grids} grids")
