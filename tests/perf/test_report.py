"""How long a large report takes to build and to open: `nox -s perf -- tests/perf/test_report.py`."""

import itertools
import time
from pathlib import Path

import pytest

from reports import build
from tests.browser.chromium import chromium
from tests.reports.synthetic_runs import CEILING, REFERENCES, write_run

SEEDS = 10


def written(root: Path, methods: int, epochs: int) -> Path:
    """The runs of so many methods with ten seeds on two data sets."""
    labels = ["css", "adam", "concat+pgm", *(f"spf(order={order})" for order in range(4, 4 + methods - 3))]
    for dataset, (place, label), seed in itertools.product(("iemocap-sim", "meld"), enumerate(labels), range(SEEDS)):
        more = {"ceiling": CEILING, "references": REFERENCES} if dataset == "iemocap-sim" else {}
        write_run(root, dataset, label, seed, epochs=epochs, shift=place / 50, **more)
    return root


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return written(tmp_path_factory.mktemp("large"), methods=10, epochs=60)


@pytest.mark.benchmark(group="report", timer=time.process_time)
def test_building_a_report_of_two_hundred_runs(benchmark, store, tmp_path):
    page = benchmark.pedantic(lambda: build(store, tmp_path / "report"), rounds=1)
    size = page.stat().st_size
    benchmark.extra_info |= {"megabytes": round(size / 1e6, 2)}
    assert size < 3e6


@pytest.mark.benchmark(group="report", timer=time.process_time)
def test_building_a_report_of_a_thousand_runs(benchmark, tmp_path):
    """Fifty methods, ten seeds, two data sets, ten epochs: at most 30 s of processor time, and no warning."""
    store = written(tmp_path / "store", methods=50, epochs=10)
    benchmark.pedantic(lambda: build(store, tmp_path / "report"), rounds=1)


@pytest.mark.benchmark(group="report", timer=time.perf_counter)
def test_opening_a_report_of_two_hundred_runs(benchmark, store, tmp_path):
    """From the address to the page's load event: its script has run, and everything is laid out."""
    page = build(store, tmp_path / "report").as_uri()
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})

        def opened():
            tab.goto(page, wait_until="load")
            tab.evaluate("new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))")

        benchmark.pedantic(opened, rounds=5, warmup_rounds=1)
