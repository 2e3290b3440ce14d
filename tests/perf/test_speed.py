"""How long things take: `nox -s perf`. Times are CPU seconds of one thread, so that other jobs disturb them little."""

import time

import pytest
import torch

from baselines.aggregators.pcgrad import PCGrad
from benchmark.data import load_features
from benchmark.data.datasets import DataSet
from benchmark.data.splits import split
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.training.checkpoint import save_checkpoint
from benchmark.training.prediction import predict
from benchmark.training.trainer import Trainer
from css import min_norm_weights
from css.objectives import objectives
from tests.css.padded import PaddedBatch, PaddedClassifier, padded_step
from tests.paths import REAL_DATA

pytestmark = pytest.mark.benchmark(timer=time.process_time)

NAMES = {"iemocap": "IEMOCAP", "meld": "MELD"}
ROUNDS, WARM_UP = 20, 2
SETTINGS = {"hidden": 128, "heads": 8, "dropout": 0.5, "batch_size": 32}


def dataset(corpus):
    """The real corpus where its file is there, else the simulated one, whose lengths are distributed alike."""
    file = REAL_DATA / f"{corpus}_multimodal_features.pkl"
    return DataSet(corpus, corpus, file) if file.exists() else DataSet(f"{corpus}-sim", corpus, None)


def trainer(corpus):
    source = dataset(corpus)
    (spec,) = expand(load_preset("quick"), [source], ["css"], [0], training=SETTINGS)
    return Trainer(spec, split(source.load(), 0))


def batches(trainer, count):
    """Random batches of 32 conversations, the same in every run."""
    found, epoch = [], 0
    while len(found) < count:
        epoch += 1
        found += [b for b in trainer.train_data.epoch(32, seed=0, epoch=epoch) if len(b.lengths) == 32]
    return found[:count]


def packed_stepper(trainer):
    return trainer._step


def padded_stepper(trainer):
    classifier, settings = PaddedClassifier(trainer.model), trainer.objective

    def objective(logits, label):
        return objectives(logits, label, settings.temperature, settings.class_weights)

    return lambda batch: padded_step(classifier, batch, objective, trainer.aggregator, trainer.optimizer)


@pytest.mark.parametrize("implementation", ["packed", "padded"])
@pytest.mark.parametrize("corpus", NAMES)
def test_training_step(benchmark, corpus, implementation):
    """Forward, backward, PGM and Adam: 3 packed backward passes, or 4 padded ones with the same dropout layer."""
    run = trainer(corpus)
    packed = batches(run, WARM_UP + ROUNDS)
    padded = [PaddedBatch.of(b) for b in packed]
    todo = iter(packed if implementation == "packed" else padded)
    step = {"packed": packed_stepper, "padded": padded_stepper}[implementation](run)
    benchmark.group = f"step, {NAMES[corpus]} lengths"
    benchmark.pedantic(step, setup=lambda: ((next(todo),), {}), rounds=ROUNDS, warmup_rounds=WARM_UP)
    utterances = sum(int(b.lengths.sum()) for b in packed[WARM_UP:])
    benchmark.extra_info |= {
        "implementation": implementation,
        "data": run.spec.dataset,
        "utterances per second": round(utterances / benchmark.stats.stats.total),
        "padding ratio": round(sum(b.valid.numel() for b in padded[WARM_UP:]) / utterances, 2),
    }


def gramian():
    J = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    return J @ J.T


@pytest.mark.benchmark(group="aggregator")
def test_min_norm_weights(benchmark):
    benchmark(min_norm_weights, gramian())


@pytest.mark.benchmark(group="aggregator")
def test_pcgrad(benchmark):
    benchmark(PCGrad(), gramian())


@pytest.mark.benchmark(group="evaluation of the test split")
@pytest.mark.parametrize("corpus", NAMES)
def test_evaluation(benchmark, corpus):
    run = trainer(corpus)
    benchmark.pedantic(predict, (run.model, run.test_data), rounds=10, warmup_rounds=1)


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
