"""How long the statistics of a large report take: 50 methods, 10 seeds, 2 data sets, every pair of methods."""

import itertools
import resource
import time

import numpy as np
import pytest

from reports.statistics import adjust_family, paired_comparison, rank_methods
from reports.statistics.family import joint_flip_test

pytestmark = pytest.mark.benchmark(timer=time.process_time, group="statistics")
SCORES = np.random.default_rng(0).normal(70, 0.5, size=(2, 50, 10))
PAIRS = [(d, i, j) for d in range(2) for i, j in itertools.combinations(range(50), 2)]
DIFFERENCES = np.stack([SCORES[d, i] - SCORES[d, j] for d, i, j in PAIRS], axis=1)


def test_all_comparisons_and_their_family(benchmark):
    def everything():
        return adjust_family([paired_comparison(SCORES[d, i], SCORES[d, j]) for d, i, j in PAIRS])

    benchmark.pedantic(everything, rounds=1)


def test_a_large_report_with_ten_thousand_resamples(benchmark):
    """Wanted: at most 20 s and 1 GiB; the process's peak so far is shown, in MiB."""

    def everything():
        compared = [paired_comparison(SCORES[d, i], SCORES[d, j], resamples=10_000) for d, i, j in PAIRS]
        return adjust_family(compared, resamples=10_000, exact_work=0), [rank_methods(scores) for scores in SCORES]

    benchmark.pedantic(everything, rounds=1)
    benchmark.extra_info["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def test_ten_thousand_joint_flips(benchmark):
    benchmark.pedantic(joint_flip_test, (DIFFERENCES,), {"exact_work": 0, "resamples": 10_000}, rounds=3)
