"""Timings are taken as in a worker process; the summary says how much faster packing is."""

import statistics

import pytest


@pytest.fixture(autouse=True)
def _as_in_a_worker():
    import torch

    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    yield
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.use_deterministic_algorithms(False)


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    steps = {}
    for bench in session.benchmarks if session else []:
        if bench.group.startswith("step, "):
            steps.setdefault(bench.group, {})[bench.extra_info["implementation"]] = bench
    for group, by in steps.items():
        if len(by) == 2:  # round i of both is the same batch
            times = zip(by["padded"].stats.data, by["packed"].stats.data, strict=True)
            ratio = statistics.median(padded / packed for padded, packed in times)
            padding = by["packed"].extra_info["padding ratio"]
            terminalreporter.write_line(f"{group}: {ratio:.2f} times the utterances per second (padding {padding})")
