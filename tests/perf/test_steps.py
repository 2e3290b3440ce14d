"""Training steps beside their references, step by step in turn: `nox -s perf -- tests/perf/test_steps.py`.

A round is a batch; each contestant takes its step of it before the next round, so that what else the machine does
slows all of them. What is shown is the contestants' ratios, medians over the rounds.
"""

import statistics
import time

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from benchmark.execution.calibration import count_flops
from tests.perf.steps import NAMES, batches, dataset, padded, simulated, trainer

ROUNDS, WARM_UP = 8, 2
METHODS = ("adam", "css", "pcgrad", "css-released")
FUSIONS, AGGREGATORS = ("spf", "concat", "tensor", "lmf", "gated", "linear"), ("equal", "pgm", "pcgrad", "mgda")


def in_turn(benchmark, steps, todo):
    """CPU seconds of every step, by contestant; all of a round's steps together are what the benchmark times."""
    taken = {name: [] for name in steps}

    def round_of(batch):
        for name, step in steps.items():
            start = time.process_time()
            step(batch)
            taken[name].append(time.process_time() - start)

    rounds = iter(todo)
    benchmark.pedantic(round_of, setup=lambda: ((next(rounds),), {}), rounds=len(todo) - WARM_UP, warmup_rounds=WARM_UP)
    taken = {name: seconds[WARM_UP:] for name, seconds in taken.items()}
    benchmark.extra_info["ms"] = {name: round(1e3 * statistics.median(s), 2) for name, s in taken.items()}
    return taken


def ratios(taken, reference):
    return {
        name: round(statistics.median(a / b for a, b in zip(seconds, taken[reference], strict=True)), 2)
        for name, seconds in taken.items()
    }


def operators(step, batch):
    with profile(activities=[ProfilerActivity.CPU]) as record:
        step(batch)
    return sum(event.name.startswith("aten::") for event in record.events())


@pytest.mark.benchmark(group="a step over adam's", timer=time.process_time)
@pytest.mark.parametrize("hidden", [48, 64, 128, 256])
@pytest.mark.parametrize("corpus", NAMES)
def test_methods(benchmark, corpus, hidden):
    """Batches of the preset; operators as torch's profiler counts them, views and nested ones too."""
    runs = {m: trainer(dataset(corpus), m, hidden=hidden, heads=4) for m in METHODS}
    todo = batches(runs["adam"], WARM_UP + ROUNDS)
    taken = in_turn(benchmark, {m: run._step for m, run in runs.items()}, todo)
    benchmark.extra_info["over adam"] = ratios(taken, "adam")
    benchmark.extra_info["operators"] = {m: operators(run._step, todo[0]) for m, run in runs.items()}


@pytest.mark.benchmark(group="a step over the padded one's", timer=time.process_time)
@pytest.mark.parametrize("method", ["css", "css-released"])
@pytest.mark.parametrize("corpus", NAMES)
def test_padding(benchmark, corpus, method):
    """Hidden 128, batch 32: forward, backward, PGM (of css-released: SLSQP) and Adam, packed and as public code has it.

    The padded step pads, draws with plain dropout and runs four backward passes.
    """
    settings = {"hidden": 128, "heads": 8, "dropout": 0.5, "batch_size": 32}
    packed, other = (trainer(dataset(corpus), method, **settings) for _ in range(2))
    todo = batches(packed, WARM_UP + ROUNDS)
    taken = in_turn(benchmark, {"packed": packed._step, "padded": padded(other)}, todo)
    benchmark.extra_info["packed is faster by"] = ratios(taken, "packed")["padded"]


@pytest.mark.benchmark(group="a step by fusion and aggregator", timer=time.process_time)
@pytest.mark.parametrize("hidden", [48, 128, 256])
@pytest.mark.parametrize("fusion", FUSIONS)
def test_parts(benchmark, fusion, hidden):
    runs = {a: trainer(simulated("meld"), f"{fusion}+{a}", hidden=hidden, heads=4) for a in AGGREGATORS}
    todo = batches(runs["equal"], WARM_UP + 6)
    taken = in_turn(benchmark, {a: run._step for a, run in runs.items()}, todo)
    benchmark.extra_info["over equal"] = ratios(taken, "equal")


@pytest.mark.benchmark(group="a step at the published width", timer=time.process_time)
def test_published_width(benchmark):
    """Hidden 1024, 8 conversations of MELD's lengths: seconds a step."""
    settings = {"hidden": 1024, "heads": 8, "batch_size": 8}
    runs = {m: trainer(simulated("meld"), m, **settings) for m in ("adam", "css")}
    in_turn(benchmark, {m: run._step for m, run in runs.items()}, batches(runs["adam"], WARM_UP + 2))


@pytest.mark.benchmark(group="share of the large product's peak", timer=time.process_time)
@pytest.mark.parametrize("hidden", [48, 128, 256])
def test_share_of_peak(benchmark, hidden):
    """Floating-point operations a second of css's step, over those of a product of 1,024² matrices in turn with it."""
    run = trainer(dataset("iemocap"), "css", hidden=hidden, heads=4)
    todo = batches(run, WARM_UP + ROUNDS)
    a = torch.randn(1024, 1024)
    taken = in_turn(benchmark, {"css": run._step, "product": lambda _: a @ a}, todo)
    flops = [count_flops(lambda batch=batch: run._step(batch)) for batch in todo[WARM_UP:]]
    rate = statistics.median(f / s for f, s in zip(flops, taken["css"], strict=True)) / 1e9
    peak = 2 * 1024**3 / statistics.median(taken["product"]) / 1e9
    benchmark.extra_info |= {"GFLOP/s": round(rate, 1), "peak": round(peak, 1), "share": round(rate / peak, 2)}


@pytest.mark.benchmark(group="an epoch", timer=time.process_time)
@pytest.mark.parametrize("method", METHODS)
def test_epoch(benchmark, method):
    """Of quick on meld-sim: where its seconds go, by the trainer's own clocks."""
    run = trainer(simulated("meld"), method, epochs=4)
    benchmark.pedantic(run.train_epoch, rounds=3, warmup_rounds=1)
    seconds = run.progress.seconds
    benchmark.extra_info |= {
        "probe over training": round(seconds["probe"] / seconds["train"], 3),
        "evaluation over training": round(seconds["evaluate"] / seconds["train"], 3),
    }
