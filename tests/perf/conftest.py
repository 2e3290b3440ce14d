"""Timings are taken as in a worker process; the summary has what the benchmarks say beside their times."""

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
    for bench in session.benchmarks if session else []:
        if bench.extra_info:
            terminalreporter.write_line(f"{bench.name}: {bench.extra_info}")
