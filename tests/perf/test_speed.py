"""How long things take: `nox -s perf`. Times are CPU seconds of one thread, so that other jobs disturb them little."""

import subprocess
import sys
import time

import pytest
import torch

from baselines.aggregators.pcgrad import PCGrad
from benchmark.data import load_features
from benchmark.training.checkpoint import save_checkpoint
from benchmark.training.prediction import predict
from css import ParetoGradientModulator, SynergisticPolynomialFusion, min_norm_weights
from css.slsqp import slsqp_weights
from tests.paths import REAL_DATA
from tests.perf.steps import NAMES, batches, dataset, simulated
from tests.perf.steps import trainer as run_of

pytestmark = pytest.mark.benchmark(timer=time.process_time)

SETTINGS = {"hidden": 128, "heads": 8, "dropout": 0.5, "batch_size": 32}


def trainer(corpus):
    return run_of(dataset(corpus), **SETTINGS)


def gramian():
    J = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    return J @ J.T


@pytest.mark.benchmark(group="aggregator")
def test_min_norm_weights(benchmark):
    benchmark(min_norm_weights, gramian())


@pytest.mark.benchmark(group="aggregator")
def test_modulator(benchmark):
    benchmark(ParetoGradientModulator(), gramian())


@pytest.mark.benchmark(group="aggregator")
def test_released_solver(benchmark):
    """The reference of the two above: what the released code calls."""
    benchmark(slsqp_weights, gramian().double().numpy())


@pytest.mark.benchmark(group="aggregator")
def test_pcgrad(benchmark):
    benchmark(PCGrad(), gramian())


@pytest.mark.benchmark(group="evaluation of the test split")
@pytest.mark.parametrize("corpus", NAMES)
def test_evaluation(benchmark, corpus):
    run = trainer(corpus)
    benchmark.pedantic(predict, (run.model, run.test_data), rounds=10, warmup_rounds=1)


@pytest.mark.benchmark(group="packing of a batch of 16 conversations")
@pytest.mark.parametrize("standardize", [True, False])
def test_packing(benchmark, standardize):
    run = run_of(simulated("meld"), standardize=standardize)
    benchmark(run.train_data.batch, range(16))


@pytest.mark.benchmark(group="SPF by rank and order, forward and backward, 1,000 utterances")
@pytest.mark.parametrize("rank", [8, 16, 32, 64])
@pytest.mark.parametrize("order", [1, 2, 4, 8])
def test_fusion(benchmark, rank, order):
    """Linear in both: docs/speed.md has the exponents."""
    fusion = SynergisticPolynomialFusion(128, rank, order)
    features = {m: torch.randn(1000, 128, requires_grad=True) for m in fusion.modalities}
    benchmark.pedantic(lambda: fusion(features).sum().backward(), rounds=10, warmup_rounds=2)


@pytest.mark.benchmark(group="start of the command line, whole processes", timer=time.perf_counter)
@pytest.mark.parametrize("words", [["--help"], ["methods"], ["presets"]], ids=" ".join)
def test_start_of_the_command_line(benchmark, words):
    command = [sys.executable, "-c", "from benchmark.cli import main; main()", *words]
    benchmark.pedantic(lambda: subprocess.run(command, capture_output=True, check=True), rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="files")
def test_checkpoint_write(benchmark, tmp_path):
    run = trainer("meld")
    run._step(batches(run, 1)[0])
    run.train_epoch()
    benchmark.pedantic(save_checkpoint, (tmp_path, run), rounds=10, warmup_rounds=1)


@pytest.mark.real_data
@pytest.mark.benchmark(group="files")
@pytest.mark.parametrize("corpus", NAMES)
def test_feature_file_load(benchmark, corpus):
    source = dataset(corpus)
    if source.file is None:
        pytest.skip(f"no feature file in {REAL_DATA}")
    benchmark.pedantic(load_features, (source.file, corpus), rounds=3)
