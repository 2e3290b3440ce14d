"""What the tests of the command line and of the grid share: a small grid, and a feature file of seconds."""

import json
import pickle
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

GRID = (
    *("run", "--preset", "smoke", "--epochs", "4", "--datasets", "iemocap-sim", "--methods", "adam,css"),
    *("--seeds", "1", "--device", "cpu", "--workers", "2"),
)
MAIN = "from benchmark.cli import main; main()"
HUNG = 900
"""Seconds after which something is taken for hung. Tests wait for events, however slow the machine is."""

StartCli = Callable[..., "subprocess.Popen[str]"]
Cli = Callable[..., "subprocess.CompletedProcess[str]"]
Say = Callable[..., tuple[int, str, str]]


def digests(store: Path) -> dict[str, Any]:
    """Of every complete run, by key."""
    runs = store / "runs"
    return {file.parent.name: json.loads(file.read_text())["digests"] for file in runs.glob("*/result.json")}


def feature_items(seed: int = 0) -> list[Any]:
    """A tiny 13-tuple of MELD's layout: 16 training, 6 dev and 6 test conversations of 1 to 5 utterances."""
    rng = np.random.default_rng(seed)
    ids = [*range(16), *range(1039, 1045), *range(1153, 1159)]
    lengths = {c: int(rng.integers(1, 6)) for c in ids}

    def each(value: Callable[[int, int], Any]) -> dict[int, list[Any]]:
        return {c: [value(c, u) for u in range(n)] for c, n in lengths.items()}

    labels = each(lambda c, u: (c + u) % 7)

    def vectors(width: int) -> dict[int, list[Any]]:
        return each(lambda c, u: (rng.standard_normal(width) + labels[c][u]).astype(np.float32))

    return [
        each(lambda c, u: f"{c}_{u}"),
        each(lambda c, u: np.eye(9)[u % 3]),
        labels,
        *(vectors(6) for _ in range(4)),
        vectors(4),
        vectors(3),
        each(lambda c, u: "said"),
        ids[:22],
        ids[22:],
        {c: [0] * n for c, n in lengths.items()},
    ]


def write_features(folder: Path, items: list[Any]) -> Path:
    """Write MELD's feature file into the folder and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meld_multimodal_features.pkl").write_bytes(pickle.dumps(tuple(items)))
    return folder


def until(condition: Callable[[], Any], seconds: float = HUNG) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def alive(session: int) -> list[int]:
    """Processes of a session, zombies left out: the coordinator, its workers and their resource tracker."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def progress(store: Path) -> Callable[[], bool]:
    """Whether a further epoch has been written since this call."""

    def epochs() -> set[tuple[str, int]]:
        found = [*store.glob("runs/*/checkpoint.safetensors"), *store.glob("runs/*/result.json")]
        times = set()
        for path in found:
            with suppress(FileNotFoundError):  # finished at this very moment
                times.add((path.parent.name, path.stat().st_mtime_ns))
        return times

    before = epochs()
    return lambda: bool(epochs() - before)
