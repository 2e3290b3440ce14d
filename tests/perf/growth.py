"""How time and memory grow: `nox -s growth` prints the exponents of docs/speed.md as a table.

Sizes of one kind are timed in turn, CPU seconds of one thread, several rounds; the exponent is the slope of the
logarithm of the median over that of the size, by least squares. A second table is of a grid by its workers.
"""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

import benchmark
from benchmark.data.conversations import Conversations
from benchmark.data.datasets import dataset
from benchmark.data.inputs import parse_inputs
from benchmark.data.splits import split
from benchmark.execution.memory import peak_memory, reset_peak_memory
from benchmark.execution.worker import prepare
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.training.trainer import Trainer
from css import SynergisticPolynomialFusion

ROUNDS = 5
WORKERS = (1, 2)
GRID_ROUNDS, GRID_SEEDS, GRID_EPOCHS = 3, 2, 20
Work = Callable[[], object]


def run(seed: int = 0, data: Conversations | None = None, modalities: str | None = None, **training: object) -> Trainer:
    """A run of css with quick's settings on meld-sim, or on these conversations."""
    source = dataset("meld-sim", None, parse_inputs(modalities, None, None))
    (spec,) = expand(load_preset("quick"), [source], ["css"], [seed], training=training)
    return Trainer(spec, split(source.load() if data is None else data, seed))


def corpus(times: int) -> Conversations:
    """A quarter of meld-sim's conversations of every split, so many times over."""
    whole = dataset("meld-sim", None).load()
    members = np.tile(np.arange(0, len(whole), 4), times)
    rows, lengths = whole.rows(members), whole.lengths[members]
    return replace(
        whole,
        features={m: x[rows] for m, x in whole.features.items()},
        label=None if whole.label is None else whole.label[rows],
        speaker=whole.speaker[rows],
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        ids=tuple(f"{whole.ids[c]}-{place}" for place, c in enumerate(members)),
        split=tuple(whole.split[c] for c in members),
    )


def step_of(trainer: Trainer, lengths: list[int]) -> Work:
    """A step on random utterances in conversations of these lengths."""
    batch = trainer.train_data.batch(range(1))
    n = sum(lengths)
    many = replace(
        batch,
        features={m: torch.randn(n, x.shape[1]) for m, x in batch.features.items()},
        speakers=batch.speakers[:1].expand(n),
        label=torch.zeros(n, dtype=torch.int64),
        lengths=torch.tensor(lengths),
    )
    return lambda: trainer._step(many)


def fusion(rank: int, order: int) -> Work:
    """Forward and backward pass of SPF over a thousand utterances."""
    spf = SynergisticPolynomialFusion(128, rank, order)
    features = {m: torch.randn(1000, 128, requires_grad=True) for m in spf.modalities}
    return lambda: spf(features).sum().backward()


def seeds(count: int) -> Work:
    trainers = [run(seed, corpus(1), epochs=100) for seed in range(count)]
    return lambda: [trainer.train_epoch() for trainer in trainers]


KINDS: dict[str, tuple[tuple[int, ...], Callable[[int], Work]]] = {
    "utterances of the corpus, ×: an epoch": (
        (1, 2, 4, 8, 16),
        lambda times: run(data=corpus(times), epochs=100).train_epoch,
    ),
    "length of conversations, 2,048 utterances: a step": (
        (8, 16, 32, 64, 128, 256),
        lambda length: step_of(run(), [length] * (2048 // length)),
    ),
    "hidden: a step of 160 utterances": ((32, 64, 128, 256, 512), lambda h: step_of(run(hidden=h), [10] * 16)),
    "rank, order 3: SPF": ((8, 16, 32, 64, 128), lambda rank: fusion(rank, 3)),
    "order, rank 16: SPF": ((2, 4, 8, 16, 32), lambda order: fusion(16, order)),
    "modalities: a step of 160 utterances": (
        (1, 2, 3),
        lambda m: step_of(run(modalities=("text", "text,audio", "text,audio,visual")[m - 1]), [10] * 16),
    ),
    "seeds: an epoch of each": ((1, 2, 4), seeds),
}


def slope(sizes: tuple[int, ...], values: list[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def timed(works: list[Work]) -> list[float]:
    """Median CPU seconds of each, in turn; the first round is not counted."""
    rounds = []
    for _ in range(ROUNDS + 1):
        row = []
        for work in works:
            start = time.process_time()
            work()
            row.append(time.process_time() - start)
        rounds.append(row)
    return list(np.median(rounds[1:], axis=0))


def peak(kind: str, size: int) -> float:
    """Peak MiB of a process that makes and does one once."""
    reset_peak_memory("cpu")
    KINDS[kind][1](size)()
    return peak_memory("cpu") / 2**20


def peaks() -> dict[str, list[float]]:
    """Of every kind and size, each in a child of its own of this process, which has trained nothing yet."""
    asked = [(kind, size) for kind, (sizes, _) in KINDS.items() for size in sizes]
    with get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        values = pool.starmap(peak, asked, chunksize=1)
    return {kind: [v for (name, _), v in zip(asked, values, strict=True) if name == kind] for kind in KINDS}


def grid(workers: int) -> tuple[float, float]:
    """Wall and CPU seconds a run of a small grid, with so many worker processes of one thread each."""
    with TemporaryDirectory() as folder:
        wall, used = time.perf_counter(), children()
        methods = ["css", "adam"]
        benchmark.run(
            datasets=["meld-sim"], methods=methods, seeds=GRID_SEEDS, preset="quick", epochs=GRID_EPOCHS,
            store=folder, report=False, workers=workers, device="cpu",
        )  # fmt: skip
        runs = len(methods) * GRID_SEEDS
        return (time.perf_counter() - wall) / runs, (children() - used) / runs


def children() -> float:
    """CPU seconds of the processes that this one has started, and of those that these have (Linux): workers are."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            stat = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, stat[11:15]))  # user and system time, and that of its children that have ended
    return ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def print_workers() -> None:
    """The table of a grid by its workers; how busy the machine was stands beside it, as it decides the speed-up."""
    print("\n| workers | seconds a run | CPU seconds a run | load average after it |\n|---:|---:|---:|---:|")
    grid(1)  # makes the server and the cache of the data
    for workers in WORKERS:
        wall, used = (float(value) for value in np.median([grid(workers) for _ in range(GRID_ROUNDS)], axis=0))
        print(f"| {workers} | {wall:.1f} | {used:.1f} | {os.getloadavg()[0]:.1f} |", flush=True)


def main() -> None:
    prepare()
    memory = peaks()
    print("| what grows | sizes | time, ms | exponent of time | memory of the process, MiB | exponent of memory |")
    print("|---|---|---|---:|---|---:|")
    for kind, (sizes, make) in KINDS.items():
        seconds = timed([make(size) for size in sizes])
        milliseconds = [1e3 * s for s in seconds]
        listed = [", ".join(f"{value:.0f}" for value in values) for values in (sizes, milliseconds, memory[kind])]
        exponents = [f"{slope(sizes, values):.2f}" for values in (seconds, memory[kind])]
        print(f"| {kind} | {listed[0]} | {listed[1]} | {exponents[0]} | {listed[2]} | {exponents[1]} |", flush=True)
    print_workers()


if __name__ == "__main__":
    main()
